/* SPDX-License-Identifier: MIT */
/*
 * task/dump_ask.c - having schedulers print their tasks: all at a signal, those of other threads for one that asks.
 *
 * Both is done by messages, which a scheduler reads when it comes round. That of the signal lies in the scheduler itself,
 * and is pushed by the handler: which is no more than atomic operations, and the end of a sleep on a futex.
 */
#include "base/compiler.h"

#include "task/dump.h"

#include <inttypes.h>

#include <cede/dump.h>
#include <cede/error.h>

#define ANSWERS_WITHIN CEDE_SECOND

/* --- At a signal --- */

/* The scheduler's own message has come. It may be sent again from now on. */
void cede__dump_signaled(struct cede__message_to *message, struct cede_sched *sched)
{
    (void)message;
    atomic_store_explicit(&sched->signaled, false, memory_order_release);
    struct cede__hot *loop = cede__sched_leave_loop();
    fprintf(stderr, "cede: the tasks of scheduler %" PRIu32 "\n", sched->number);
    cede__dump_here(stderr);
    cede__sched_enter_loop(loop);
}

/* In the signal handler. */
static void ask_by_signal(struct cede_sched *sched)
{
    bool has_thread = atomic_load_explicit(&sched->epoch, memory_order_relaxed) & 1;
    if (!has_thread || atomic_exchange_explicit(&sched->signaled, true, memory_order_acquire))
        return;
    if (cede__sched_push(sched, &sched->signal))
        cede__sched_rouse_in_run(sched); /* a host's function may not be called here */
    else
        atomic_store_explicit(&sched->signaled, false, memory_order_release);
}

static void on_signal(int number)
{
    struct cede_sched *sched;
    (void)number;
    for (uint32_t i = 0; i < CEDE__SCHED_MOST && (sched = cede__sched_numbered(i)) != NULL; i++)
        ask_by_signal(sched);
}

int cede_dump_on_signal(int number)
{
    return cede__os_on_signal(number, on_signal);
}

/* --- Of all threads --- */

/* One for each other scheduler; freed by who is last. */
struct question {
    struct cede__message_to message; /* first */
    struct inquiry *inquiry;
    uint32_t number; /* of the scheduler */
    char *text;      /* malloc's */
    size_t length;
    bool has_ended; /* the thread */
    _Atomic bool answered;
};

struct inquiry {
    struct cede__os_event event; /* set by each answer */
    _Atomic uint32_t users;
    uint32_t count;
    struct question questions[];
};

static void let_go(struct inquiry *inquiry)
{
    if (atomic_fetch_sub_explicit(&inquiry->users, 1, memory_order_acq_rel) != 1)
        return;
    for (uint32_t i = 0; i < inquiry->count; i++)
        cede__os_free_text(inquiry->questions[i].text);
    cede__os_free(inquiry);
}

static void answer(struct cede__message_to *message, struct cede_sched *sched)
{
    struct question *question = (struct question *)(void *)message;
    struct inquiry *inquiry = question->inquiry;
    question->has_ended = sched != cede__my_sched;
    FILE *stream = question->has_ended ? NULL : cede__os_memory_stream(&question->text, &question->length);
    if (stream) {
        struct cede__hot *loop = cede__sched_leave_loop();
        cede__dump_here(stream);
        cede__sched_enter_loop(loop);
        fclose(stream);
    }
    atomic_store_explicit(&question->answered, true, memory_order_release);
    cede__os_event_set(&inquiry->event);
    let_go(inquiry);
}

/* Whether another thread has this scheduler. */
static bool is_elsewhere(const struct cede_sched *sched)
{
    return sched != cede__my_sched && atomic_load_explicit(&sched->epoch, memory_order_relaxed) & 1;
}

/* Asks all others. Returns NULL if there is no memory. */
static struct inquiry *ask_all(void)
{
    struct cede_sched *sched;
    uint32_t most = 0;
    while (most < CEDE__SCHED_MOST && cede__sched_numbered(most))
        most++;
    struct inquiry *inquiry = cede__os_malloc(sizeof *inquiry + most * sizeof inquiry->questions[0]);
    if (!inquiry)
        return NULL;
    cede__os_event_init(&inquiry->event);
    inquiry->count = 0;
    for (uint32_t i = 0; i < most; i++)
        if (is_elsewhere(cede__sched_numbered(i)))
            inquiry->questions[inquiry->count++] =
                (struct question){.message.read = answer, .inquiry = inquiry, .number = i};
    atomic_init(&inquiry->users, inquiry->count + 1);
    for (uint32_t i = 0; i < inquiry->count; i++) {
        sched = cede__sched_numbered(inquiry->questions[i].number);
        cede__sched_post(sched, &inquiry->questions[i].message);
    }
    return inquiry;
}

static bool all_answered(struct inquiry *inquiry)
{
    for (uint32_t i = 0; i < inquiry->count; i++)
        if (!atomic_load_explicit(&inquiry->questions[i].answered, memory_order_acquire))
            return false;
    return true;
}

static void print_answer(FILE *stream, struct question *question)
{
    fprintf(stream, "\nscheduler %" PRIu32 " of another thread", question->number);
    if (!atomic_load_explicit(&question->answered, memory_order_acquire))
        fputs(": busy, no answer within a second\n", stream);
    else if (question->has_ended)
        fputs(": it has ended meanwhile\n", stream);
    else if (!question->text)
        fputs(": out of memory\n", stream);
    else
        fprintf(stream, "\n%s", question->text);
}

int cede_dump_all(FILE *stream)
{
    int error = cede_dump(stream);
    if (error)
        return error;
    struct inquiry *inquiry = ask_all();
    if (!inquiry)
        return CEDE_ENOMEM;
    int64_t deadline = cede__os_now() + ANSWERS_WITHIN;
    while (!all_answered(inquiry) && cede__os_now() < deadline)
        cede__os_event_wait(&inquiry->event, deadline);
    for (uint32_t i = 0; i < inquiry->count; i++)
        print_answer(stream, &inquiry->questions[i]);
    let_go(inquiry);
    return CEDE_OK;
}
