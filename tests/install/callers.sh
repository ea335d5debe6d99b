#!/bin/sh
# SPDX-License-Identifier: MIT
# A program that resumes and yields compiles without a warning, and runs, with the flags that its author may have chosen: they
# reach the code that resume and yield are compiled into.
set -eu
[ "$(uname -m)" = x86_64 ] || { echo "the flags are those of x86-64" && exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat >"$dir/code.c" <<'END'
#include <stdint.h>
#include <cede/cede.h>

enum { MANY = 4 }; /* more than there are shared stacks: they are sealed */

static void *count(void *arg, void *in)
{
    uintptr_t i = (uintptr_t)arg;
    while (in)
        if (cede_yield((void *)++i, &in))
            return 0;
    return (void *)i;
}

int main(void)
{
    void *out = 0;
    for (int stack = CEDE_PRIVATE; stack <= CEDE_SHARED; stack++) {
        cede_coro *coros[MANY] = {0};
        for (uintptr_t i = 0; i < MANY; i++)
            if (cede_coro_new(&coros[i], (cede_stack_choice)stack, count, (void *)(100 * i)))
                return 1;
        for (uintptr_t round = 1; round <= 10; round++)
            for (uintptr_t i = 0; i < MANY; i++)
                if (cede_coro_resume(coros[i], coros, &out) || out != (void *)(100 * i + round))
                    return 2;
        for (int i = 0; i < MANY; i++)
            if (cede_coro_resume(coros[i], 0, &out) || cede_coro_destroy(coros[i]))
                return 3;
    }
    return 0;
}
END

checked=0
failed=0

# try COMPILER FLAGS...
try() {
    checked=$((checked + 1))
    if ! "$@" -std=c11 -Wall -Wextra -Wpedantic -Werror -I"$SOURCE_DIR/include" "$dir/code.c" "$BINARY_DIR/libcede.a" \
        -pthread -o "$dir/program" || ! "$dir/program"; then
        echo "FAILED: $*"
        failed=1
    fi
}

for compiler in gcc clang; do
    command -v $compiler >/dev/null || continue
    for level in -O0 -O2; do
        try $compiler $level
        try $compiler $level -masm=intel
        try $compiler $level -mgeneral-regs-only
    done
    try $compiler -O2 -fPIC
    try $compiler -O2 -fno-pic -no-pie
    try $compiler -O2 -fcf-protection=full
    try $compiler -O2 -fcf-protection=none -fno-omit-frame-pointer
    try $compiler -O2 -fstack-protector-all -fno-asynchronous-unwind-tables
    try $compiler -O2 -mno-mmx
    try $compiler -O2 -mcmodel=large
    try $compiler -O2 -static -Wl,--fatal-warnings
    try $compiler -O2 -Wconversion -Wsign-conversion -Wshadow
    for model in -fPIC "-fno-pic -no-pie" -mcmodel=large -static; do
        try $compiler -O2 -DCEDE_INLINE=0 $model
    done
done
try gcc -O2 -mno-80387
try gcc -O2 -flto
echo "$checked programs"
exit $failed
