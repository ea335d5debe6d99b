/* SPDX-License-Identifier: MIT */
/*
 * bench/rivals/lua.cpp - Lua's coroutines, without the language: C functions that are resumed by lua_resume and yield
 * by lua_yieldk.
 *
 * A C function that yields is gone; what is called when it is resumed is its continuation. The bodies are thus other
 * functions than those of the other libraries, and do the same. The coroutines are destroyed by the garbage collector.
 */
#include <cstdint>
#include <new>
#include <type_traits>

#include <lua.hpp>

#include "coroutine_cases.h"
#include "memory.h"

namespace {

int echo(lua_State *self, int, lua_KContext)
{
    bench_use(lua_touserdata(self, -1));
    return lua_yieldk(self, 1, 0, echo);
}

int count(lua_State *self, int, lua_KContext number)
{
    lua_pushlightuserdata(self, reinterpret_cast<void *>(number));
    return lua_yieldk(self, 1, number + 1, count);
}

template <class Body> int enter(lua_State *self)
{
    if constexpr (std::is_same_v<Body, rival::Echo>)
        return echo(self, LUA_OK, 0);
    else if constexpr (std::is_same_v<Body, rival::Count>)
        return count(self, LUA_OK, 0);
    else
        return 1; /* the argument */
}

/* What hands out the coroutines. They live while Lua's code could reach them. */
class Interpreter {
  public:
    explicit Interpreter(std::size_t n) : state_(luaL_newstate()), several_(n > 1)
    {
        rival::require_memory(n, enough_for_one); /* Lua itself ends the program if there is not enough */
        if (state_ == nullptr)
            throw std::bad_alloc();
        lua_gc(state_, LUA_GCINC, 400, 400, 0); /* of its modes the one in which creating is quickest */
    }

    lua_State *state() const { return state_; }

    lua_State *take()
    {
        lua_State *coroutine = lua_newthread(state_);
        if (several_)
            luaL_ref(state_, LUA_REGISTRYINDEX); /* the stack could not hold them all */
        return coroutine;
    }

    /* One that is not the only one is kept. */
    void give()
    {
        if (!several_)
            lua_pop(state_, 1);
    }

  private:
    static constexpr std::size_t enough_for_one = 1300; /* bytes: its state, its stack, and where it is kept */

    lua_State *state_;
    bool several_;
};

template <class Body> class Coroutine {
  public:
    using Source = Interpreter;

    Coroutine() = default;
    Coroutine(const Coroutine &) = delete;
    Coroutine &operator=(const Coroutine &) = delete;
    ~Coroutine()
    {
        if (source_ != nullptr)
            source_->give();
    }

    void *start(Source &source, void *in)
    {
        source_ = &source;
        main_ = source.state();
        inside_ = source.take();
        lua_pushcfunction(inside_, enter<Body>);
        return resume(in);
    }

    void *resume(void *in)
    {
        constexpr bool takes_values = !std::is_same_v<Body, rival::Count>;
        int results;
        if (takes_values)
            lua_pushlightuserdata(inside_, in);
        lua_resume(inside_, main_, takes_values, &results);
        void *out = lua_touserdata(inside_, -1);
        lua_pop(inside_, results);
        return out;
    }

  private:
    lua_State *main_ = nullptr;
    lua_State *inside_ = nullptr;
    Source *source_ = nullptr;
};

const bench_case cases[] = {
    rival::hot<Coroutine>,   rival::generator<Coroutine>, rival::cycle<Coroutine>,
    rival::order<Coroutine>, rival::shuffled<Coroutine>,  {},
};

const bench_subject subject = {"lua " LUA_VERSION_MAJOR "." LUA_VERSION_MINOR "." LUA_VERSION_RELEASE, cases};

} // namespace

int main(int argc, char **argv)
{
    return bench_main(argc, argv, &subject);
}
