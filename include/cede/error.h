/* SPDX-License-Identifier: MIT */
/*
 * cede/error.h - what every call of the library may return.
 *
 * A call returns 0 (CEDE_OK) or one of the negative codes below. A call that fails changes nothing. errno is never set.
 */
#ifndef CEDE_ERROR_H
#define CEDE_ERROR_H

#include <cede/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, number, message): the one table of errors. Numbers are part of the ABI and are never reused. */
#define CEDE_ERRORS(X)                                                                                                 \
    X(EINVAL, -1, "invalid argument: a size, alignment, flag or pointer is outside of what the call allows")           \
    X(ENOMEM, -2, "out of memory, or the limit set for this stack source is reached")                                  \
    X(ENOTSUP, -3, "not supported by this build or this machine")                                                      \
    X(EPERM, -4, "wrong thread: what has started here, or belongs to a thread, is used only on that thread")           \
    X(EBUSY, -5, "still in use, or another one's: end or destroy what uses it first")                                  \
    X(ENEST, -6, "a coroutine on a shared stack may not resume another one: yield, and let the resumer do it")         \
    X(ERUNNING, -7, "the coroutine is running, or waits for a coroutine that it resumed")                              \
    X(EFINISHED, -8, "the coroutine has finished: reset it to run it again")                                           \
    X(ESELF, -9, "a coroutine cannot resume itself")                                                                   \
    X(ENOCORO, -10, "not inside of a coroutine")                                                                       \
    X(ESTALE, -11, "the handle was released: the coroutine has been destroyed")                                        \
    X(ESTACKPTR, -12, "a pointer to the giver's shared stack was handed over: copy the data, or use a private stack")  \
    X(EMSGSIZE, -13, "the message is larger than CEDE_MESSAGE_MAX, or than the buffer given for it")                   \
    X(EEMPTY, -14, "nothing to take: no message is waiting, or the queue is empty")                                    \
    X(EFULL, -15, "the mailbox is full: receive first")                                                                \
    X(EMAPS, -16, "too many memory mappings: raise vm.max_map_count, or use larger pools on Linux 6.13 or newer")      \
    X(ESHSTK, -17, "hardware shadow stacks are on for this thread: run with GLIBC_TUNABLES=glibc.cpu.x86_shstk=off")   \
    X(EBIGSTACK, -18, "a call on a big stack cannot wait: let it return first, then yield")                            \
    X(ENOTASK, -19, "only a task can wait: not outside of tasks, nor in a coroutine that a task resumed")              \
    X(ETIMEDOUT, -20, "the deadline has passed")                                                                       \
    X(ECANCELED, -21, "the task was canceled, or its time is up: it should give back what it holds, and return")       \
    X(ESTATE, -22, "not in this state: the task has ended, or the object is not what the call needs it to be")         \
    X(ECLOSED, -23, "the channel is closed")                                                                           \
    X(EDEADLOCK, -24, "the task would wait for itself")

enum {
    CEDE_OK = 0,
#define CEDE_ERROR_ENUM_(name, number, message) CEDE_##name = (number),
    CEDE_ERRORS(CEDE_ERROR_ENUM_)
#undef CEDE_ERROR_ENUM_
};

/*
 * The message of an error code, one line without a full stop; "success" for 0, "unknown error" for any other number.
 *
 * Returns: a string that lives as long as the program, never NULL.
 * Context: anywhere, signal handlers included. Threads: any. Since: 0.1.
 */
CEDE_API const char *cede_strerror(int error);

/*
 * The name of an error code, such as "CEDE_ENEST"; "CEDE_OK" for 0, "CEDE_UNKNOWN" for any other number.
 *
 * Returns, context, threads, since: as cede_strerror.
 */
CEDE_API const char *cede_errname(int error);

#ifdef __cplusplus
}
#endif
#endif
