/* SPDX-License-Identifier: MIT */
// LINK: -Wl,--wrap=malloc -Wl,--wrap=realloc -Wl,--wrap=posix_memalign -Wl,--wrap=mmap
/*
 * Seen here: errno was ENOMEM after a call that was out of memory. It belongs to the program: no call of the library changes it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/types.h>

#include <cede/cede.h>

static bool refusing; /* memory */

#define REFUSED(type, name, parameters, arguments, failure)                                                            \
    type __real_##name parameters;                                                                                     \
    type __wrap_##name parameters;                                                                                     \
    type __wrap_##name parameters                                                                                      \
    {                                                                                                                  \
        if (!refusing)                                                                                                 \
            return __real_##name arguments;                                                                            \
        errno = ENOMEM;                                                                                                \
        return failure;                                                                                                \
    }
REFUSED(void *, malloc, (size_t size), (size), NULL)
REFUSED(void *, realloc, (void *memory, size_t size), (memory, size), NULL)
REFUSED(int, posix_memalign, (void **out, size_t alignment, size_t size), (out, alignment, size), ENOMEM)
REFUSED(void *, mmap, (void *at, size_t size, int access, int flags, int file, off_t offset),
        (at, size, access, flags, file, offset), MAP_FAILED)

static void *entry(void *arg, void *in)
{
    (void)arg;
    return in;
}

#define IS_REFUSED(call)                                                                                               \
    do {                                                                                                               \
        errno = 77;                                                                                                    \
        refusing = true;                                                                                               \
        int error = (call);                                                                                            \
        int after = errno;                                                                                             \
        refusing = false;                                                                                              \
        if (error != CEDE_ENOMEM || after != 77)                                                                       \
            fail_msg("%s: %s, errno %d", #call, cede_errname(error), after);                                           \
    } while (0)

static void errno_stays(void **state)
{
    static const cede_source_kind kinds[] = {CEDE_SOURCE_MMAP, CEDE_SOURCE_POOL, CEDE_SOURCE_MALLOC};
    cede_coro *coro = NULL;
    (void)state;
    IS_REFUSED(cede_coro_new(&coro, CEDE_PRIVATE, entry, NULL));
    for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        cede_source_options options = CEDE_SOURCE_OPTIONS(kinds[i]);
        cede_source *source = NULL;
        cede_stack *stack = NULL;
        if (kinds[i] == CEDE_SOURCE_MALLOC)
            options.flags = CEDE_SOURCE_UNGUARDED;
        IS_REFUSED(cede_source_create(&source, &options));
        assert_int_equal(cede_source_create(&source, &options), 0);
        IS_REFUSED(cede_stack_acquire(source, 0, &stack));
        assert_int_equal(cede_source_destroy(source), 0);
    }
    assert_int_equal(cede_coro_new(&coro, CEDE_PRIVATE, entry, NULL), 0);
    IS_REFUSED(cede_coro_resume(coro, NULL, NULL));
    assert_int_equal(cede_coro_destroy(coro), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(errno_stays)};
    return cmocka_run_group_tests_name("refusal_sets_errno", tests, NULL, NULL);
}
