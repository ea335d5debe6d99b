#!/bin/sh
# SPDX-License-Identifier: MIT
# A C program that has long used the library loads a module in C++, and the C++ runtime with it: coroutines of that module that
# yield inside of a catch block keep their own exceptions. And a module that brings a runtime of its own may be unloaded.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat >"$dir/module.cpp" <<'END'
#include <cede/cede.h>

static void *rethrow(void *arg, void *)
{
    const long mine = reinterpret_cast<long>(arg);
    try {
        throw mine;
    } catch (long) {
        cede_yield(nullptr, nullptr);
        try {
            throw;
        } catch (long again) {
            return reinterpret_cast<void *>(again);
        }
    }
    return nullptr;
}

/* How many of two coroutines, between a throw and a rethrow at the same time, get their own exception back. */
extern "C" int run(int stack)
{
    cede_coro *coros[2] = {nullptr, nullptr};
    int kept = 0;
    for (long i = 0; i < 2; i++)
        if (cede_coro_new(&coros[i], static_cast<cede_stack_choice>(stack), rethrow, reinterpret_cast<void *>(i + 1)) != 0)
            return -1;
    for (int round = 0; round < 2; round++)
        for (long i = 0; i < 2; i++) {
            void *out = nullptr;
            if (cede_coro_resume(coros[i], nullptr, &out) != 0)
                return -2;
            kept += round == 1 && reinterpret_cast<long>(out) == i + 1;
        }
    for (cede_coro *coro : coros)
        cede_coro_destroy(coro);
    return kept;
}
END
cat >"$dir/host.c" <<'END'
#include <cede/cede.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static void *nothing(void *arg, void *in)
{
    (void)in;
    return arg;
}

/* host MODULE FLAGS: u: uses the library before it loads the module; g: loads it with RTLD_GLOBAL; c: closes it after */
int main(int argc, char **argv)
{
    const char *flags = argc > 2 ? argv[2] : "";
    cede_coro *coro = NULL;
    int (*run)(int);
    if (strchr(flags, 'u') && (cede_coro_new(&coro, CEDE_PRIVATE, nothing, NULL) != 0 || cede_coro_resume(coro, 0, 0) != 0))
        return 2;
    void *module = dlopen(argv[1], RTLD_NOW | (strchr(flags, 'g') ? RTLD_GLOBAL : RTLD_LOCAL));
    if (!module || !(*(void **)&run = dlsym(module, "run"))) {
        puts(dlerror());
        return 2;
    }
    for (int stack = CEDE_PRIVATE; stack <= CEDE_SHARED; stack++) {
        int kept = run(stack);
        if (kept != 2) {
            printf("on stack %d: %d of 2 kept their exceptions\n", stack, kept);
            return 1;
        }
    }
    if (cede_coro_destroy(coro) != 0)
        return 2;
    if (strchr(flags, 'c')) { /* unloads it, and goes on */
        dlclose(module);
        if (cede_coro_new(&coro, CEDE_PRIVATE, nothing, NULL) != 0 || cede_coro_resume(coro, 0, 0) != 0)
            return 2;
        return cede_coro_destroy(coro);
    }
    return 0;
}
END
"$CXX" -std=c++17 -O2 -Wall -Wextra -Werror -fPIC -shared -I"$SOURCE_DIR/include" "$dir/module.cpp" "$BINARY_DIR/libcede.so" \
    -o "$dir/module.so"
"$CXX" -std=c++17 -O2 -fPIC -shared -static-libstdc++ -static-libgcc -I"$SOURCE_DIR/include" "$dir/module.cpp" \
    "$BINARY_DIR/libcede.so" -o "$dir/module_with_runtime.so"
"$CC" -std=c11 -O2 -I"$SOURCE_DIR/include" "$dir/host.c" "$BINARY_DIR/libcede.so" -ldl -pthread -o "$dir/host"
for flags in - u g ug; do
    for module in module module_with_runtime; do
        for close in "" c; do
            LD_LIBRARY_PATH=$BINARY_DIR "$dir/host" "$dir/$module.so" $flags$close ||
                { echo "FAILED: $module with $flags$close" && exit 1; }
        done
    done
done
