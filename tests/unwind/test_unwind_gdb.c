/* SPDX-License-Identifier: MIT */
/*
 * A debugger's backtrace inside of a coroutine ends at the entry. The program runs itself under gdb, with a breakpoint in
 * coroutines of each kind, and reads what `bt` says.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "env.h"
#include "sources.h"

enum { OUTPUT_MAX = 64 * 1024, FRAMES_MAX = 12, STOPS = 3 };

/* --- The program under the debugger ------------------------------------------------------------------------------- */

void gdb_stops_here(unsigned depth);
void gdb_descends(unsigned depth);
void *gdb_entry(void *arg, void *in);

/* Visible names, and no tail calls, so that the debugger sees each frame. */
__attribute__((noinline)) void gdb_stops_here(unsigned depth)
{
    __asm__ volatile("" : : "r"(depth) : "memory");
}

__attribute__((noinline)) void gdb_descends(unsigned depth)
{
    if (depth > 0)
        gdb_descends(depth - 1);
    else
        gdb_stops_here(depth);
    __asm__ volatile("" : : : "memory");
}

__attribute__((noinline)) void *gdb_entry(void *arg, void *in)
{
    (void)arg;
    (void)in;
    cede_yield(NULL, NULL);
    gdb_descends(3);
    return NULL;
}

static int run_one(cede_stack_choice stack)
{
    cede_coro *coro = NULL, *other = NULL;
    if (cede_coro_new(&coro, stack, gdb_entry, NULL) != 0 || cede_coro_new(&other, stack, gdb_entry, NULL) != 0)
        return 1;
    int error = cede_coro_resume(coro, NULL, NULL);
    error |= cede_coro_resume(other, NULL, NULL); /* on a shared stack: seals the first */
    error |= cede_coro_resume(coro, NULL, NULL);
    error |= cede_coro_destroy(other);
    return error | cede_coro_destroy(coro);
}

static void *gdb_nested(void *arg, void *in)
{
    cede_coro *inner = NULL;
    (void)arg;
    (void)in;
    if (cede_coro_new(&inner, CEDE_PRIVATE, gdb_entry, NULL) != 0)
        return NULL;
    cede_coro_resume(inner, NULL, NULL);
    cede_coro_resume(inner, NULL, NULL);
    cede_coro_destroy(inner);
    return NULL;
}

static int inferior(void)
{
    cede_coro *outer = NULL;
    int error = run_one(CEDE_PRIVATE);
#if CEDE_SPLIT_STACK
    error |= run_one(CEDE_PRIVATE);
#else
    error |= test_default_stacks(1);
    error |= run_one(CEDE_SHARED);
#endif
    error |= cede_coro_new(&outer, CEDE_PRIVATE, gdb_nested, NULL);
    error |= cede_coro_resume(outer, NULL, NULL);
    return error | cede_coro_destroy(outer);
}

/* --- The test ------------------------------------------------------------------------------------------------------ */

static char output[OUTPUT_MAX];

static void run_gdb(void)
{
    char self[1024], command[2048];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    assert_true(length > 0);
    self[length] = '\0';
    snprintf(
        command, sizeof(command),
        "LC_ALL=C gdb -nx -batch -ex 'set startup-with-shell off' -ex 'set debuginfod enabled off' -ex 'set confirm off' "
        "-ex 'set width 0' -ex 'break gdb_stops_here' "
        "-ex run -ex bt -ex continue -ex bt -ex continue -ex bt -ex continue --args '%s' inferior 2>&1",
        self);
    FILE *gdb = popen(command, "r");
    assert_non_null(gdb);
    size_t got = fread(output, 1, sizeof(output) - 1, gdb);
    output[got] = '\0';
    pclose(gdb);
}

static const char *line_end(const char *at)
{
    const char *end = strchr(at, '\n');
    return end != NULL ? end + 1 : at + strlen(at);
}

static bool line_has(const char *at, const char *text)
{
    const char *found = strstr(at, text);
    return found != NULL && found < line_end(at);
}

/* Checks the backtrace that begins at the line; returns behind it. */
static const char *check_backtrace(const char *at)
{
    unsigned frames = 0;
    unsigned unknown = 0;
    bool entry = false;
    for (; *at == '#'; at = line_end(at), frames++) {
        unknown += line_has(at, "?? ()");
        assert_false(line_has(at, " main "));
        entry = entry || line_has(at, "gdb_entry");
    }
    assert_true(entry);
    /* Below a ucontext lies the C library's first frame, which has no name, and its end. */
    assert_true(unknown <= (strcmp(cede_context_name(), "ucontext") == 0 ? 2 : 0));
    assert_in_range(frames, 6, FRAMES_MAX);
    return at;
}

static void backtraces_end_at_the_entry(void **state)
{
    unsigned stops = 0;
    (void)state;
    run_gdb();
    if (strstr(output, "ptrace: Operation not permitted") != NULL || strstr(output, "warning: Could not trace") != NULL)
        test_skip("gdb may not trace here");
    for (const char *at = output; *at != '\0';) {
        if (strncmp(at, "#0 ", 3) == 0 && line_has(at, "gdb_stops_here")) {
            stops++;
            at = check_backtrace(at);
        } else {
            at = line_end(at);
        }
    }
    if (stops != STOPS || strstr(output, "Backtrace stopped") != NULL || strstr(output, "exited normally") == NULL)
        fail_msg("%u of %u stops; gdb said:\n%s", stops, STOPS, output);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "inferior") == 0)
        return inferior();
    if (system("gdb --version >/dev/null 2>&1") != 0)
        test_skip("no gdb");
    if (test_under_valgrind() || test_under_qemu() || TEST_ASAN || TEST_TSAN)
        test_skip("the debugger sees the checker and not the program");
    const struct CMUnitTest tests[] = {cmocka_unit_test(backtraces_end_at_the_entry)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
