/* SPDX-License-Identifier: MIT */
/*
 * cede/select.h - waiting for one of several things (layer 6): to send to a channel, to receive from one, for a future,
 * for a time.
 *
 *     cede_select_case cases[] = {
 *         CEDE_CASE_RECEIVE(jobs, &job),
 *         CEDE_CASE_SEND(results, &result),
 *         CEDE_CASE_FUTURE(stop, NULL),
 *     };
 *     size_t fired;
 *     int error = cede_select(cases, 3, cede_after(CEDE_SECOND), &fired);
 *     if (!error && fired == 0 && cases[0].result == CEDE_ECLOSED)
 *         ...                                               // no more jobs
 *
 * Exactly one case is done, the one whose number is *fired; of the others nothing has happened. A select with CEDE_NOW
 * takes what is ready.
 */
#ifndef CEDE_SELECT_H
#define CEDE_SELECT_H

#include <stddef.h>
#include <stdint.h>

#include <cede/channel.h>
#include <cede/future.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum cede_select_kind {
    CEDE_SELECT_NONE = 0, /* never ready: a case that does not count now */
    CEDE_SELECT_SEND,
    CEDE_SELECT_RECEIVE,
    CEDE_SELECT_FUTURE,
    CEDE_SELECT_TIME
} cede_select_kind;

typedef struct cede_select_case {
    cede_select_kind kind;
    cede_channel *channel; /* SEND, RECEIVE */
    cede_future *future;   /* FUTURE */
    const void *send;      /* SEND: the value, as for cede_channel_send */
    void *receive;         /* RECEIVE: where the value is put, as for cede_channel_receive */
    void **value;          /* FUTURE: where its value is put; NULL: nowhere */
    int64_t time;          /* TIME: when it can be done, ns */
    int result;            /* of the one that was done: 0; CEDE_ECLOSED (channel); the future's error */
} cede_select_case;

#ifdef __cplusplus
#define CEDE__NULL nullptr
#else
#define CEDE__NULL NULL
#endif
#define CEDE_CASE_NONE                                                                                                 \
    {                                                                                                                  \
        CEDE_SELECT_NONE, CEDE__NULL, CEDE__NULL, CEDE__NULL, CEDE__NULL, CEDE__NULL, 0, 0                             \
    }
#define CEDE_CASE_SEND(channel, from)                                                                                  \
    {                                                                                                                  \
        CEDE_SELECT_SEND, (channel), CEDE__NULL, (from), CEDE__NULL, CEDE__NULL, 0, 0                                  \
    }
#define CEDE_CASE_RECEIVE(channel, to)                                                                                 \
    {                                                                                                                  \
        CEDE_SELECT_RECEIVE, (channel), CEDE__NULL, CEDE__NULL, (to), CEDE__NULL, 0, 0                                 \
    }
#define CEDE_CASE_FUTURE(future, value)                                                                                \
    {                                                                                                                  \
        CEDE_SELECT_FUTURE, CEDE__NULL, (future), CEDE__NULL, CEDE__NULL, (value), 0, 0                                \
    }

#define CEDE_CASE_TIME(time)                                                                                           \
    {                                                                                                                  \
        CEDE_SELECT_TIME, CEDE__NULL, CEDE__NULL, CEDE__NULL, CEDE__NULL, CEDE__NULL, (time), 0                        \
    }

/*
 * Does one of the `count` cases as soon as it can be done, sets its `result`, and sets *fired to its number. Where several
 * can be done, one of them is taken at random. A closed channel can be received from and
 * sent to, with the result CEDE_ECLOSED. Channels and futures may be in several cases. A time that has come is looked at
 * after all else; the earliest of several is the one that is done. The deadline is the end of the whole wait.
 *
 * While the task waits all lies in the heap, the cases and the values that are sent; `cases` itself is read again, and
 * written, when it goes on. It is meant for some tens of cases: the time is that of all cases, and with channels of
 * several threads and futures, of their square.
 *
 * Returns 0; CEDE_ETIMEDOUT; CEDE_ECANCELED; CEDE_ENOTASK (it must be waited for, outside of a task); CEDE_EBIGSTACK;
 * CEDE_EINVAL (NULL, with a count other than 0; an unknown kind; a case without its object or value); CEDE_EPERM (a
 * channel of another thread); CEDE_ENOMEM, CEDE_EMAPS (for the wait). On failure no case was done, and *fired is unchanged.
 * Context: tasks; where it need not be waited for, anywhere but in signal handlers. Threads: that of the channels. Since:
 * 0.1.
 */
CEDE_API CEDE__NO_PLT int cede_select(cede_select_case *cases, size_t count, int64_t deadline, size_t *fired);

#ifdef __cplusplus
}
#endif

#include <cede/inline/select.h>

#endif
