/* SPDX-License-Identifier: MIT */
/*
 * sync/select.c - waiting for one of several things.
 *
 * First it is looked whether a case can be done at once. If none can, the task makes a ticket (ticket.h) with a stub for
 * each case, a copy of what it would send, and room for what it would receive; and a choice (task/wait.h) with an option
 * for each case, of which those of channels of its own thread are linked there. An option's `value` is its stub.
 *
 * Then all objects of several threads are locked, in the order of their addresses, and looked at once more; if there is
 * still nothing, the stubs are left there, and all locks are let go. So nobody can serve a part of the cases while
 * others are looked at, and a select never meets itself.
 */
#include "base/compiler.h"

#include "sync/channel.h"
#include "sync/future.h"
#include "task/describe.h"

#include <cede/error.h>
#include <cede/select.h>

/* What is done of a case that cannot be done at once. */
#define AGAIN CEDE__WAITS

/*
 * The case to look at first. At random: were it one further each time, tasks that select in turn could each find the same
 * case first for ever.
 */
static size_t first_of(size_t count)
{
    static CEDE__THREAD_LOCAL uint32_t random = 2463534242u; /* George Marsaglia, "Xorshift RNGs" (2003) */
    random ^= random << 13;
    random ^= random >> 17;
    random ^= random << 5;
    return random % count;
}

/* --- One case --- */

static struct cede__common *common_of(const cede_select_case *one)
{
    if (one->kind == CEDE_SELECT_NONE || one->kind == CEDE_SELECT_TIME)
        return NULL;
    if (one->kind == CEDE_SELECT_FUTURE)
        return &one->future->common;
    return one->channel->threads ? &one->channel->threads->common : NULL;
}

/* Bytes that it needs in the memory of the ticket. */
static size_t bytes_of(const cede_select_case *one)
{
    bool hands_over = one->kind == CEDE_SELECT_SEND || one->kind == CEDE_SELECT_RECEIVE;
    return hands_over ? (one->channel->element_size + 7) & ~(size_t)7 : 0;
}

static int check_case(const cede_select_case *one)
{
    switch (one->kind) {
    case CEDE_SELECT_NONE:
    case CEDE_SELECT_TIME: return CEDE_OK;
    case CEDE_SELECT_SEND: return cede__channel_check(one->channel, one->send);
    case CEDE_SELECT_RECEIVE: return cede__channel_check(one->channel, one->receive);
    case CEDE_SELECT_FUTURE: return one->future ? CEDE_OK : CEDE_EINVAL;
    default: return CEDE_EINVAL;
    }
}

static int check(const cede_select_case *cases, size_t count, const size_t *fired)
{
    if (count > 0 && (!cases || !fired))
        return CEDE_EINVAL;
    int error = CEDE_OK;
    for (size_t i = 0; i < count && !error; i++)
        error = check_case(&cases[i]);
    return error;
}

static int try_future(const cede_select_case *one)
{
    return cede_future_is_done(one->future) ? cede__future_result(one->future, one->value) : AGAIN;
}

/* What can be done without a lock of ours: its result, or AGAIN. */
static int try_case(const cede_select_case *one)
{
    switch (one->kind) {
    case CEDE_SELECT_SEND:
        return one->channel->threads ? cede__channel_threads_try_send(one->channel, one->send)
                                     : cede__channel_try_send(one->channel, one->send);
    case CEDE_SELECT_RECEIVE:
        return one->channel->threads ? cede__channel_threads_try_receive(one->channel, one->receive)
                                     : cede__channel_try_receive(one->channel, one->receive);
    case CEDE_SELECT_FUTURE: return try_future(one);
    default: return AGAIN;
    }
}

/* The same under all locks, for what other threads may have changed. */
static int try_locked(const cede_select_case *one, struct cede__ticket **served)
{
    *served = NULL;
    if (!common_of(one))
        return AGAIN;
    switch (one->kind) {
    case CEDE_SELECT_SEND: return cede__channel_try_send_locked(one->channel, one->send, served);
    case CEDE_SELECT_RECEIVE: return cede__channel_try_receive_locked(one->channel, one->receive, served);
    default: return try_future(one);
    }
}

/* Whether a case could be done, by one of the two ways. */
static bool try_all(cede_select_case *cases, size_t count, size_t first, bool locked, size_t *fired,
                    struct cede__ticket **served)
{
    for (size_t i = 0; i < count; i++) {
        size_t at = first + i < count ? first + i : first + i - count;
        int result = locked ? try_locked(&cases[at], served) : try_case(&cases[at]);
        if (result == AGAIN)
            continue;
        cases[at].result = result;
        *fired = at;
        return true;
    }
    return false;
}

/* --- All locks --- */

/*
 * The objects of the cases, by their addresses, each once, into `ordered`, which has room for all. Returns how many. (By
 * insertion: there are few.)
 */
static size_t order_objects(const cede_select_case *cases, size_t count, struct cede__common **ordered)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        struct cede__common *object = common_of(&cases[i]);
        size_t at = found;
        while (object && at > 0 && (uintptr_t)ordered[at - 1] > (uintptr_t)object)
            at--;
        if (!object || (at > 0 && ordered[at - 1] == object))
            continue;
        memmove(&ordered[at + 1], &ordered[at], (found - at) * sizeof(struct cede__common *));
        ordered[at] = object;
        found++;
    }
    return found;
}

static void lock_all(struct cede__common **objects, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cede__os_lock(&objects[i]->lock);
}

static void unlock_all(struct cede__common **objects, size_t count)
{
    while (count > 0)
        cede__os_unlock(&objects[--count]->lock);
}

/* --- Beginning to wait --- */

/* The list where a case waits that other threads can serve. */
static struct cede__list *stub_queue(const cede_select_case *one)
{
    if (one->kind == CEDE_SELECT_FUTURE)
        return &one->future->waiters;
    return one->kind == CEDE_SELECT_SEND ? &one->channel->threads->senders : &one->channel->threads->receivers;
}

/* Links each case where it waits; those of other threads under all locks. */
static void link_all(const cede_select_case *cases, struct cede__ticket *ticket, struct cede__choice *choice)
{
    for (size_t i = 0; i < ticket->count; i++) {
        struct cede__stub *stub = &ticket->stubs[i];
        if (cases[i].kind == CEDE_SELECT_NONE || cases[i].kind == CEDE_SELECT_TIME)
            continue;
        if (stub->object)
            cede__list_insert(stub_queue(&cases[i])->previous, &stub->link);
        else
            cede__waiters_add(cases[i].kind == CEDE_SELECT_SEND ? &cases[i].channel->senders
                                                                : &cases[i].channel->receivers,
                              &choice->options[i].waiter, true);
    }
}

/*
 * A ticket for all cases. Its data: the objects in their order, while they are locked; then what is handed over, a
 * stub's `data` each.
 */
static int make_ticket(struct cede__ticket **out, struct cede__task *task, const cede_select_case *cases, size_t count)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, sizeof(struct cede__common *), &bytes))
        return CEDE_ENOMEM;
    bytes = (bytes + 7) & ~(size_t)7;
    for (size_t i = 0; i < count; i++)
        if (__builtin_add_overflow(bytes, bytes_of(&cases[i]), &bytes))
            return CEDE_ENOMEM;
    int error = cede__ticket_create(out, task, count, bytes);
    if (error)
        return error;
    char *data = (char *)cede__ticket_data(*out) + ((count * sizeof(struct cede__common *) + 7) & ~(size_t)7);
    for (size_t i = 0; i < count; i++) {
        size_t bytes = bytes_of(&cases[i]);
        cede__stub_set(*out, i, common_of(&cases[i]), data, bytes ? cases[i].channel->element_size : 0);
        if (cases[i].kind == CEDE_SELECT_SEND)
            cede__value_copy(data, cases[i].send, cases[i].channel->element_size);
        data += bytes;
    }
    return CEDE_OK;
}

/* With a ticket and a choice: leaves the stubs, or finds out that a case can be done after all, or returns AGAIN. */
static int leave_stubs(cede_select_case *cases, size_t *fired, struct cede__ticket *ticket, struct cede__choice *choice)
{
    struct cede__ticket *served = NULL;
    struct cede__common **objects = cede__ticket_data(ticket);
    size_t found = order_objects(cases, ticket->count, objects);
    lock_all(objects, found);
    bool done = found > 0 && try_all(cases, ticket->count, first_of(ticket->count), true, fired, &served);
    if (!done)
        link_all(cases, ticket, choice);
    unlock_all(objects, found);
    if (served)
        cede__ticket_deliver(served);
    return done ? CEDE_OK : AGAIN;
}

static struct cede__ticket *ticket_of(const struct cede__task *task)
{
    struct cede__choice *choice = cede__task_choice(task);
    return ((struct cede__stub *)(uintptr_t)choice->options[0].value)->ticket;
}

static void drop_select(struct cede_sched *sched, struct cede__task *task)
{
    (void)sched;
    if (!(task->flags & CEDE__TASK_CHOOSES))
        return;
    struct cede__ticket *ticket = ticket_of(task);
    (void)cede__ticket_leave(ticket);
    cede__ticket_let_go(ticket);
}

/* For reports: it has no address, and other threads can end it only if one of its objects is theirs, too. */
static const void *no_object(const struct cede__task *task)
{
    (void)task;
    return NULL;
}

static bool is_local(const struct cede__task *task)
{
    const struct cede__ticket *ticket = task->flags & CEDE__TASK_CHOOSES ? ticket_of(task) : NULL;
    for (size_t i = 0; ticket && i < ticket->count; i++)
        if (ticket->stubs[i].object)
            return false;
    return true;
}

static void know_selects(void)
{
    static const struct cede__wait_describer describer = {.object = no_object, .is_local = is_local};
    cede__wait_drops_by(CEDE__WAIT_SELECT, drop_select);
    cede__wait_described_by(CEDE__WAIT_SELECT, &describer);
}

static int begin_to_wait(cede_select_case *cases, size_t count, int64_t deadline, size_t *fired)
{
    struct cede__task *task;
    struct cede__ticket *ticket;
    struct cede__choice *choice;
    int error = cede__task_may_wait(&task, deadline);
    if (error)
        return error;
    know_selects();
    if (count == 0)
        return cede__task_wait_begin(task, NULL, CEDE__WAIT_SELECT, deadline);
    error = make_ticket(&ticket, task, cases, count);
    if (error)
        return error;
    error = cede__choice_create(&choice, task, count, 1);
    if (!error) {
        for (size_t i = 0; i < count; i++)
            choice->options[i].value = (uintptr_t)&ticket->stubs[i];
        error = leave_stubs(cases, fired, ticket, choice);
        if (error == AGAIN)
            return cede__task_wait_begin(task, NULL, CEDE__WAIT_SELECT, deadline);
        cede__choice_destroy(task);
    }
    cede__ticket_let_go(ticket);
    return error;
}

/* The case with the earliest time, if that comes no later than the deadline; or `count`. */
static size_t first_time(const cede_select_case *cases, size_t count, int64_t deadline)
{
    size_t first = count;
    for (size_t i = 0; i < count; i++)
        if (cases[i].kind == CEDE_SELECT_TIME && cases[i].time <= deadline &&
            (first == count || cases[i].time < cases[first].time))
            first = i;
    return first;
}

/* The wait is over, or there was none: if that is because a time has come, that case is done. */
static int time_has_come(cede_select_case *cases, size_t count, int64_t deadline, size_t *fired, int outcome)
{
    size_t first = outcome == CEDE_ETIMEDOUT ? first_time(cases, count, deadline) : count;
    if (first == count)
        return outcome;
    cases[first].result = CEDE_OK;
    *fired = first;
    return CEDE_OK;
}

int cede__select_begin(cede_select_case *cases, size_t count, int64_t deadline, size_t *fired)
{
    int error = check(cases, count, fired);
    if (error)
        return error;
    if (count > 0 && try_all(cases, count, first_of(count), false, fired, NULL))
        return CEDE_OK;
    int64_t now = cede__my_sched ? cede__my_sched->now : CEDE_NOW; /* as far as it is known */
    if (first_time(cases, count, now) < count)
        return time_has_come(cases, count, now, fired, CEDE_ETIMEDOUT);
    size_t first = first_time(cases, count, deadline);
    int begun = begin_to_wait(cases, count, first < count ? cases[first].time : deadline, fired);
    return time_has_come(cases, count, deadline, fired, begun);
}

/* --- Going on --- */

/* What was brought, into the caller's variables. */
static void collect(cede_select_case *one, const struct cede__ticket *ticket)
{
    const struct cede__stub *stub = &ticket->stubs[ticket->fired];
    one->result = ticket->result;
    if (one->kind == CEDE_SELECT_RECEIVE && ticket->result == CEDE_OK)
        cede__value_copy(one->receive, stub->data, stub->bytes);
    else if (one->kind == CEDE_SELECT_FUTURE)
        one->result = cede__future_result((const cede_future *)(void *)stub->object, one->value);
}

int cede__select_end(cede_select_case *cases, size_t count, int64_t deadline, size_t *fired, int outcome)
{
    struct cede__task *task = cede__task_myself();
    if (!(task->flags & CEDE__TASK_CHOOSES))
        return time_has_come(cases, count, deadline, fired, outcome);
    struct cede__ticket *ticket = ticket_of(task);
    if (cede__ticket_leave(ticket)) {
        collect(&cases[ticket->fired], ticket);
        *fired = ticket->fired;
        outcome = CEDE_OK;
    }
    cede__choice_destroy(task);
    cede__ticket_let_go(ticket);
    return time_has_come(cases, count, deadline, fired, outcome);
}

int(cede_select)(cede_select_case *cases, size_t count, int64_t deadline, size_t *fired)
{
    int begun = cede__select_begin(cases, count, deadline, fired);
    return begun == CEDE__WAITS ? cede__select_end(cases, count, deadline, fired, cede__task_give_way()) : begun;
}
