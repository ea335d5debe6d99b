#!/bin/sh
# SPDX-License-Identifier: MIT
# No function that an inline resume or yield is compiled into keeps data below the stack pointer (in the red zone), where a
# seal would not copy it: at every level of optimisation, also with link-time optimisation, with each compiler that is here.
# Only a function without calls may do so, so each must have one, a jump to another function being none; and nothing is to be
# addressed below the stack pointer. A leaf function that does use its red zone is in the same file: the check must see that one.
set -eu
[ "$(uname -m)" = x86_64 ] || { echo "the red zone is looked for in x86-64 code only" && exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat >"$dir/code.c" <<'END'
#include <cede/cede.h>
__attribute__((noinline)) int leaf(const int *in)
{
    volatile int kept[8];
    for (int i = 0; i < 8; i++)
        kept[i] = in[i];
    return kept[in[0] & 7];
}
__attribute__((noinline)) int yields(void **values)
{
    volatile int kept[8];
    void *in = values[0];
    for (int i = 0; i < 8; i++)
        kept[i] = (int)(long)values[i];
    int error = cede_yield(values[1], &in);
    return kept[(long)in & 7] + error;
}
__attribute__((noinline)) int ends_with_a_yield(void *out)
{
    volatile int kept[8];
    for (int i = 0; i < 8; i++)
        kept[i] = (int)(long)out + i;
    return cede_yield(out, 0);
}
__attribute__((noinline)) int resumes(cede_coro *coro, void **values)
{
    volatile int kept[8];
    void *out = values[2];
    for (int i = 0; i < 8; i++)
        kept[i] = (int)(long)values[i];
    int error = cede_coro_resume(coro, values[1], &out);
    return kept[(long)out & 7] + error;
}
/* The compiler may take such wrappers to pieces: the frequent part into the callers, and the rest for itself. */
static inline int await(void *out, void **in)
{
    return cede_yield(out, in);
}
static int await_twice(void **values, void **in)
{
    *in = values[4];
    return await(values[2], in) + await(values[3], in);
}
__attribute__((noinline)) int await_one(void *out, void **in)
{
    return await(out, in);
}
__attribute__((noinline)) int await_other(void *out, void **in)
{
    return await(out, in);
}
__attribute__((noinline)) int await_between(void **values, void **in)
{
    int error = await_twice(values, in) + await(values[0], in);
    *in = values[1];
    return error;
}
__attribute__((noinline)) void resumes_and_forgets(cede_coro *coro)
{
    cede_coro_resume(coro, 0, 0);
}
__attribute__((noinline)) void yields_and_forgets(void)
{
    cede_yield(0, 0);
}
__attribute__((noinline)) int locks(cede_mutex *mutex, void **values)
{
    volatile int kept[8];
    for (int i = 0; i < 8; i++)
        kept[i] = (int)(long)values[i];
    int error = cede_mutex_lock(mutex, CEDE_NEVER);
    return kept[error & 7];
}
__attribute__((noinline)) int only_locks(cede_mutex *mutex)
{
    return cede_mutex_lock(mutex, CEDE_NEVER);
}
__attribute__((noinline)) int waits(cede_cond *cond, cede_mutex *mutex, void **values)
{
    volatile int kept[8];
    for (int i = 0; i < 8; i++)
        kept[i] = (int)(long)values[i];
    int error = cede_cond_wait(cond, mutex, CEDE_NEVER) + cede_semaphore_acquire((cede_semaphore *)values[1], 1, 1);
    return kept[error & 7] + cede_task_yield();
}
__attribute__((noinline)) int only_waits(cede_event *event)
{
    return cede_event_wait(event, CEDE_NEVER);
}
int main(int argc, char **argv)
{
    int numbers[8] = {argc};
    void **values = (void **)argv;
    if (argc < 1000)
        return 0;
    resumes_and_forgets(values[0]);
    yields_and_forgets();
    return leaf(numbers) + yields(values) + ends_with_a_yield(argv) + resumes(0, values) + await_one(argv, values) +
           await_other(argv, values) + await_between(values, values) + locks(values[0], values) + only_locks(values[0]) +
           waits(values[0], values[1], values) + only_waits(values[0]);
}
END

checked=0
failed=0

# Of the functions of a program that hold a switch (an indirect jump after the stack pointer was stored where %rdi points), and of
# the one called leaf: those that are leaves, or touch memory below the stack pointer. The last line says how many hold a switch.
# The switch itself, which is in assembly, keeps nothing there, and calls nobody.
red_zone_users() {
    objdump -d --no-show-raw-insn "$1" | awk '
        function finish(switches) {
            switches = stores && jumps && name != "<cede_context_switch>:"
            functions += switches
            if ((switches || name == "<leaf>:") && (below || !calls)) print name
        }
        /^[0-9a-f]+ <.*>:$/ { finish(); name = $2; stores = jumps = below = calls = 0; next }
        /mov +%rsp,\(%rdi\)/ { stores = 1 }
        /jmp +\*%rcx/ { jumps = 1 }
        /call / { calls = 1 }
        /-0x[0-9a-f]+\(%rsp/ && !/lea / { below = 1 }
        END { finish(); print functions + 0 }'
}

check() {
    compiler=$1
    shift
    "$compiler" -std=c11 "$@" -I"$SOURCE_DIR/include" "$dir/code.c" "$BINARY_DIR/libcede.a" -pthread -o "$dir/program"
    red_zone_users "$dir/program" >"$dir/users"
    count=$(tail -n 1 "$dir/users")
    checked=$((checked + count))
    if ! grep -q '^<leaf>:$' "$dir/users"; then
        echo "FAILED: $compiler $*: the check does not see the red zone of a leaf function"
        failed=1
    elif [ "$(wc -l <"$dir/users")" -ne 2 ] || [ "$count" -lt 2 ]; then # an inline one at least, and the library's
        echo "FAILED: $compiler $*: these use the red zone, of so many that switch, and a leaf, which does:"
        cat "$dir/users"
        failed=1
    fi
}

for compiler in gcc clang; do
    command -v $compiler >/dev/null || continue
    for level in -O0 -O1 -O2 -O3 -Os "-O2 -fno-omit-frame-pointer" "-O3 -fno-omit-frame-pointer" \
        "-O2 -fno-asynchronous-unwind-tables"; do
        check $compiler $level
    done
done
check gcc -O2 -flto
check gcc -O3 -flto -fno-omit-frame-pointer
echo "$checked functions that switch, none with data below the stack pointer"
exit $failed
