/* SPDX-License-Identifier: MIT */
/*
 * task/watch.c - waiting for the end of a task of another thread.
 *
 * The one who waits makes a *watch*, which two schedulers send to and fro: the asker's and the owner's. Each touches it
 * only while it has it, but for `asker`'s own part, which the asker alone touches.
 *
 *   asker                              owner
 *   makes it, waits for its queue  ->  the task has not ended: keeps it among those who want to know of the end; for a
 *                                      join the task is marked as joined
 *                                  <-  the end, or why there will be none
 *   wakes its task, which takes
 *   the end; for a join          ->    lets go of the task, and frees the watch
 *
 * Where the asker's task gives up before the answer (its deadline has passed, or it was canceled or killed), it says so at
 * once, by a second message: then the owner takes the mark back, so that others may join, and answers, so that nothing is
 * kept until the end of the task. The watch is sent to the owner once more after the answer, whichever that was: messages
 * arrive in their order, so that one is the last.
 *
 * Where one of the two threads has ended, the other one reads what it has sent itself (inbox.c), and all comes out the
 * same: the question finds no task, and is answered so; an answer finds the watch abandoned, as all of that thread's are;
 * there is no mark to be taken back, and no task to let go of.
 */
#include "base/compiler.h"

#include "task/watch.h"

#include "task/more.h"

#include <cede/error.h>

struct watch {
    struct cede__message_to message; /* first: on its way */
    struct cede__message_to give_up;
    struct cede_sched *asker;
    cede_task id; /* of what is watched */
    bool joins;
    cede_task_end end;
    int error;   /* instead of an end */
    bool marked; /* the owner's own: the mark that the task has is this one's */
    /* The asker's own. */
    struct cede__waiters queue;
    bool answered;  /* the end is there */
    bool abandoned; /* nobody waits any more, */
    bool gave_up;   /* and the owner has been told */
};

static struct watch *watch_of(struct cede__message_to *message)
{
    return (struct watch *)(void *)message;
}

/* --- The owner's side --- */

/* Takes the mark back, if it is this one's; the task, or NULL. */
static struct cede__task *unmark(struct watch *watch)
{
    struct cede_sched *sched;
    struct cede__task *task;
    bool marked = watch->marked;
    watch->marked = false;
    if (!marked || cede__task_find(watch->id, &sched, &task) != CEDE_OK)
        return NULL;
    task->flags &= (uint16_t)~CEDE__TASK_JOINED;
    return task;
}

/* The last step: lets go of a task that was joined. */
static void settle(struct cede__message_to *message, struct cede_sched *sched)
{
    struct watch *watch = watch_of(message);
    struct cede__task *task = unmark(watch);
    if (task && !watch->abandoned)
        cede__task_release(sched, task);
    cede__os_free(watch);
}

static void read_answer(struct cede__message_to *message, struct cede_sched *sched);

static void answer(struct watch *watch, int error)
{
    watch->error = error;
    watch->message.read = read_answer;
    cede__sched_post(watch->asker, &watch->message);
}

static void has_ended(cede_task id, const cede_task_end *end, void *arg)
{
    struct watch *watch = arg;
    (void)id;
    watch->end = *end;
    answer(watch, CEDE_OK);
}

static void read_give_up(struct cede__message_to *message, struct cede_sched *sched)
{
    struct watch *watch = CEDE__CONTAINER(message, struct watch, give_up);
    struct cede__task *task;
    (void)unmark(watch);
    if (cede__task_find(watch->id, &sched, &task) == CEDE_OK && cede__task_remove_on_end(task, has_ended, watch))
        answer(watch, CEDE_ECANCELED);
}

static int begin_here(struct watch *watch)
{
    struct cede_sched *sched;
    struct cede__task *task;
    int error = cede__task_find(watch->id, &sched, &task);
    if (error)
        return error;
    if (watch->joins && task->flags & (CEDE__TASK_JOINED | CEDE__TASK_DETACHED))
        return CEDE_EBUSY;
    watch->marked = watch->joins;
    if (watch->joins)
        task->flags |= CEDE__TASK_JOINED;
    error = cede_task_on_end(watch->id, has_ended, watch); /* answers at once if it has ended */
    if (error)
        (void)unmark(watch);
    return error;
}

static void read_question(struct cede__message_to *message, struct cede_sched *sched)
{
    (void)sched;
    int error = begin_here(watch_of(message));
    if (error)
        answer(watch_of(message), error);
}

/* --- The asker's side --- */

static void send_back(struct watch *watch)
{
    watch->message.read = settle;
    cede__sched_post(cede__sched_numbered(cede__id_scheduler(watch->id)), &watch->message);
}

/* The asker is done with it. */
static void dispose(struct watch *watch)
{
    if ((watch->joins && !watch->error) || watch->gave_up)
        send_back(watch);
    else
        cede__os_free(watch);
}

static void read_answer(struct cede__message_to *message, struct cede_sched *sched)
{
    struct watch *watch = watch_of(message);
    watch->answered = true;
    if (watch->abandoned)
        dispose(watch);
    else if (watch->queue.first) /* else its task has been woken by something else, and will look */
        cede__waiter_wake(sched, watch->queue.first, CEDE_OK);
}

/* Nobody waits any more. */
static void abandon(struct watch *watch)
{
    watch->abandoned = true;
    if (watch->answered) {
        dispose(watch);
    } else {
        watch->gave_up = true;
        watch->give_up.read = read_give_up;
        cede__sched_post(cede__sched_numbered(cede__id_scheduler(watch->id)), &watch->give_up);
    }
}

static void dropped(struct cede_sched *sched, struct cede__task *self)
{
    (void)sched;
    if (self->value)
        abandon((struct watch *)(uintptr_t)self->value);
    self->value = 0;
}

cede_task cede__watch_task(const struct cede__task *self)
{
    return self->value ? ((const struct watch *)(uintptr_t)self->value)->id : 0;
}

int cede__watch_begin(cede_task id, bool joins, int64_t deadline)
{
    struct cede__task *self;
    int error = cede__task_may_wait(&self, deadline);
    if (error)
        return error;
    struct watch *watch = cede__os_malloc(sizeof *watch);
    if (!watch)
        return CEDE_ENOMEM;
    *watch = (struct watch){.message.read = read_question, .asker = cede__my_sched, .id = id, .joins = joins};
    cede__wait_drops_by(CEDE__WAIT_END_ELSEWHERE, dropped);
    (void)cede__task_wait_begin(self, &watch->queue, CEDE__WAIT_END_ELSEWHERE,
                                deadline); /* it was asked: cannot fail */
    self->value = (uintptr_t)watch;
    cede__sched_post(cede__sched_numbered(cede__id_scheduler(id)), &watch->message);
    return CEDE__WAITS;
}

int cede__watch_end(struct cede__task *self, cede_task_end *end, int outcome)
{
    struct watch *watch = (struct watch *)(uintptr_t)self->value;
    self->value = 0;
    if (outcome) {
        abandon(watch);
        return outcome;
    }
    int error = watch->error;
    if (!error && end)
        *end = watch->end;
    dispose(watch);
    return error;
}
