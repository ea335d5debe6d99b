#!/bin/sh
# SPDX-License-Identifier: MIT
# A C program that has long used the library loads a module in C++, and the C++ runtime with it: coroutines of that module that
# yield inside of a catch block keep their own exceptions; so do coroutines and tasks of C that waited meanwhile, in place and on
# another thread, and then call into that module. And a module that brings a runtime of its own may be unloaded.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat >"$dir/module.cpp" <<'END'
#include <cede/cede.h>

enum { MANY = 4 }; /* more than there are shared stacks: they are sealed */

static void *rethrow(void *arg, void *)
{
    const long mine = reinterpret_cast<long>(arg);
    try {
        throw mine;
    } catch (long) {
        if (cede_task_yield() != 0)
            cede_yield(nullptr, nullptr);
        try {
            throw;
        } catch (long again) {
            return reinterpret_cast<void *>(again);
        }
    }
    return nullptr;
}

extern "C" void *throw_and_wait(void *arg)
{
    return rethrow(arg, nullptr);
}

/* How many of MANY coroutines, between a throw and a rethrow at the same time, get their own exception back. */
extern "C" int run(int stack)
{
    cede_coro *coros[MANY] = {};
    int kept = 0;
    for (long i = 0; i < MANY; i++)
        if (cede_coro_new(&coros[i], static_cast<cede_stack_choice>(stack), rethrow, reinterpret_cast<void *>(i + 1)) != 0)
            return -1;
    for (int round = 0; round < 2; round++)
        for (long i = 0; i < MANY; i++) {
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
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { MANY = 4 };

static pthread_barrier_t barrier;
static void *(*throw_and_wait)(void *arg); /* of the module */
static unsigned waiting_flags;             /* of the coroutines of the other thread */

static void *waits_before_it_throws(void *arg, void *in)
{
    (void)in;
    cede_yield(NULL, NULL);
    return throw_and_wait(arg);
}

/* Its coroutines have started when the module is loaded. The number of them that kept their exceptions. */
static void *other_thread(void *stack)
{
    cede_coro *coros[MANY] = {NULL};
    size_t kept = 0;
    for (size_t i = 0; i < MANY; i++) {
        cede_coro_options options = CEDE_CORO_OPTIONS(waits_before_it_throws, (void *)(i + 1));
        options.stack = (cede_stack_choice)(size_t)stack;
        options.flags = waiting_flags;
        if (cede_coro_create(&coros[i], &options) != 0 || cede_coro_resume(coros[i], NULL, NULL) != 0)
            return NULL;
    }
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    for (size_t round = 0; round < 2; round++)
        for (size_t i = 0; i < MANY; i++) {
            void *out = NULL;
            if (cede_coro_resume(coros[i], NULL, &out) != 0)
                return NULL;
            kept += round == 1 && (size_t)out == i + 1;
        }
    for (size_t i = 0; i < MANY; i++)
        cede_coro_destroy(coros[i]);
    return (void *)kept;
}

/* As long as there is no module it gives way: its thread has no runtime then. */
static void *task_that_throws(void *arg)
{
    while (!throw_and_wait)
        cede_task_yield();
    return throw_and_wait(arg);
}

/* The same with tasks, which pass their turns on to each other: the second one is on a stack of this kind. */
static void *other_thread_with_tasks(void *stack)
{
    cede_task tasks[MANY];
    size_t kept = 0;
    for (size_t i = 0; i < MANY; i++)
        if (cede_task_spawn(&tasks[i], i == 1 ? (cede_stack_choice)(size_t)stack : CEDE_PRIVATE, task_that_throws,
                            (void *)(i + 1)) != 0)
            return NULL;
    for (int64_t now = 0; now < 20; now++)
        cede_sched_tick(now);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    for (int64_t now = 20; now < 40; now++)
        cede_sched_tick(now);
    for (size_t i = 0; i < MANY; i++) {
        cede_task_end end = {CEDE_TASK_NONE, NULL};
        cede_task_join(tasks[i], CEDE_NOW, &end);
        kept += (size_t)end.result == i + 1;
    }
    return (void *)kept;
}

static void *nothing(void *arg, void *in)
{
    (void)in;
    return arg;
}

/*
 * host MODULE FLAGS: u: uses the library before it loads the module; g: loads it with RTLD_GLOBAL; c: closes it after; p, s: another
 * thread has waiting coroutines then, on private stacks or on shared ones; f: and with floating-point words of their own; t: tasks
 */
int main(int argc, char **argv)
{
    const char *flags = argc > 2 ? argv[2] : "";
    cede_coro *coro = NULL;
    int (*run)(int);
    pthread_t thread;
    int other = strchr(flags, 'p') || strchr(flags, 's');
    if (strchr(flags, 'f'))
        waiting_flags = CEDE_CORO_FP_PRIVATE;
    if (other) {
        size_t stack = strchr(flags, 's') ? CEDE_SHARED : CEDE_PRIVATE;
        void *(*entry)(void *) = strchr(flags, 't') ? other_thread_with_tasks : other_thread;
        if (pthread_barrier_init(&barrier, NULL, 2) != 0 || pthread_create(&thread, NULL, entry, (void *)stack) != 0)
            return 2;
        pthread_barrier_wait(&barrier);
    }
    if (strchr(flags, 'u') && (cede_coro_new(&coro, CEDE_PRIVATE, nothing, NULL) != 0 || cede_coro_resume(coro, 0, 0) != 0))
        return 2;
    void *module = dlopen(argv[1], RTLD_NOW | (strchr(flags, 'g') ? RTLD_GLOBAL : RTLD_LOCAL));
    if (!module || !(*(void **)&run = dlsym(module, "run"))) {
        puts(dlerror());
        return 2;
    }
    if (other) {
        void *kept = NULL;
        *(void **)&throw_and_wait = dlsym(module, "throw_and_wait");
        pthread_barrier_wait(&barrier);
        if (pthread_join(thread, &kept) != 0 || kept != (void *)MANY) {
            printf("on another thread: %zu kept their exceptions\n", (size_t)kept);
            return 1;
        }
    }
    for (int stack = CEDE_PRIVATE; stack <= CEDE_SHARED; stack++) {
        int kept = run(stack);
        if (kept != MANY) {
            printf("on stack %d: %d kept their exceptions\n", stack, kept);
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
"$CC" -std=c11 -D_GNU_SOURCE -O2 -I"$SOURCE_DIR/include" "$dir/host.c" "$BINARY_DIR/libcede.so" -ldl -pthread -o "$dir/host"
fp=
case $(uname -m) in x86_64 | aarch64) fp="pf sf" ;; esac # the others have no such words
for flags in - u g ug p s up tp ts $fp; do
    for module in module module_with_runtime; do
        for close in "" c; do
            LD_LIBRARY_PATH=$BINARY_DIR "$dir/host" "$dir/$module.so" $flags$close ||
                { echo "FAILED: $module with $flags$close" && exit 1; }
        done
    done
done
