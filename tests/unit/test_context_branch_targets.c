/* SPDX-License-Identifier: MIT */
// ONLY: CMAKE_CROSSCOMPILING
// LINK: -no-pie
/*
 * AArch64 with branch target identification: once the program's own code is mapped with PROT_BTI, an indirect branch may only
 * land on a landing pad. Each way of switching is taken then; and a branch to a place without one kills, as it must.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cede/cede.h>

#include "env.h"
#include "sources.h"

#ifndef PROT_BTI
#define PROT_BTI 0x10
#endif
#define HAS_BTI (1ul << 17) /* HWCAP2_BTI */

extern char __executable_start[], etext[];
extern int no_landing_pad(void);

__asm__(".text\n"
        ".globl no_landing_pad\n"
        "no_landing_pad:\n"
        "        mov w0, #0\n"
        "        ret\n");

static int (*volatile forbidden)(void) = no_landing_pad;

static void enforce(void)
{
    uintptr_t page = cede_stack_page_size();
    uintptr_t low = (uintptr_t)__executable_start & ~(page - 1), high = ((uintptr_t)etext + page - 1) & ~(page - 1);
    if (mprotect((void *)low, high - low, PROT_READ | PROT_EXEC | PROT_BTI) != 0)
        _exit(90);
}

static void *adds(void *arg, void *in)
{
    uintptr_t sum = (uintptr_t)arg;
    while (in) {
        sum += (uintptr_t)in;
        if (sum % 2)
            (cede_yield)((void *)sum, &in);
        else
            cede_yield((void *)sum, &in);
    }
    return (void *)(sum + 1000);
}

static void every_switch(void *arg)
{
    cede_coro *coros[3];
    void *out = NULL;
    (void)arg;
    if (test_default_stacks(1) != 0) /* so that the shared ones are sealed */
        _exit(94);
    for (int i = 0; i < 3; i++)
        if (cede_coro_new(&coros[i], i ? CEDE_SHARED : CEDE_PRIVATE, adds, (void *)(uintptr_t)100) != 0)
            _exit(91);
    enforce();
    for (uintptr_t turn = 5; turn-- > 0;) /* 4, 3, 2, 1 and the end */
        for (int i = 0; i < 3; i++) {
            int error = turn % 2 ? (cede_coro_resume)(coros[i], (void *)turn, &out)
                                 : cede_coro_resume(coros[i], (void *)turn, &out);
            if (error)
                _exit(92);
        }
    _exit(out == (void *)(uintptr_t)1110 ? 0 : 93);
}

static void forbidden_branch(void *arg)
{
    (void)arg;
    enforce();
    forbidden();
}

static void switches_land_on_pads(void **state)
{
    (void)state;
    struct test_child_result result = test_in_child(every_switch, NULL);
    assert_int_equal(result.signal, 0);
    assert_int_equal(result.exit_code, 0);
}

static void the_rule_is_enforced(void **state)
{
    (void)state;
    assert_int_equal(test_in_child(forbidden_branch, NULL).signal, SIGILL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rule_is_enforced),
        cmocka_unit_test(switches_land_on_pads),
    };
    if (!(getauxval(AT_HWCAP2) & HAS_BTI))
        test_skip("this processor has no branch target identification");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
