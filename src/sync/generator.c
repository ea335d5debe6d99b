/* SPDX-License-Identifier: MIT */
/*
 * sync/generator.c - generators: a task that waits until it is asked, and those who ask.
 *
 * A value goes into the `value` of the task that waits for it, or, if that one has left, into the generator, which then
 * is full; so it has at most one. The body waits whenever nobody asks. When its task has ended, the generator is told,
 * and from then on it is only memory; one that was destroyed before is freed by that.
 */
#include "base/compiler.h"

#include "task/describe.h"
#include "task/more.h"
#include "task/spawn.h"

#include <cede/error.h>
#include <cede/generator.h>

struct cede_generator {
    struct cede_sched *sched;
    struct cede__task *task; /* the body's; NULL: it has ended */
    cede_task id;
    cede_generator_body *body;
    void *arg;
    struct cede__waiters asking; /* who wait for a value */
    struct cede__waiters body_waits;
    void *value; /* if it is full */
    bool full, started, destroyed;
};

/* What who asks is woken with when its `value` is one. */
enum { HAS_VALUE = 1 };

/* --- Reports --- */

static const cede_generator *that_is_asked(const struct cede__task *task)
{
    return CEDE__CONTAINER(cede__waiter_queue(&task->waiter), cede_generator, asking);
}

static const void *asked(const struct cede__task *task)
{
    return that_is_asked(task);
}

static cede_task run_by(const struct cede__task *task)
{
    return that_is_asked(task)->id;
}

static const void *own(const struct cede__task *task)
{
    return CEDE__CONTAINER(cede__waiter_queue(&task->waiter), cede_generator, body_waits);
}

static void describe_waits(void)
{
    static const struct cede__wait_describer asks = {.object = asked, .holder = run_by}, body = {.object = own};
    cede__wait_described_by(CEDE__WAIT_GENERATOR, &asks);
    cede__wait_described_by(CEDE__WAIT_QUESTION, &body);
}

/* --- Making and ending --- */

static void *run_body(void *arg)
{
    cede_generator *generator = arg;
    generator->body(generator, generator->arg);
    return NULL;
}

static void has_ended(cede_task id, const cede_task_end *end, void *arg)
{
    cede_generator *generator = arg;
    (void)id;
    (void)end;
    generator->task = NULL;
    while (generator->asking.first)
        cede__waiter_wake(generator->sched, generator->asking.first, CEDE_EFINISHED);
    if (generator->destroyed)
        cede__os_free(generator);
}

static int prepare(struct cede__task *task, void *arg)
{
    cede_generator *generator = arg;
    generator->sched = cede__my_sched;
    generator->task = task;
    generator->id = task->id;
    return cede_task_on_end(generator->id, has_ended, generator);
}

int cede_generator_create(cede_generator **out, cede_stack_choice stack, cede_generator_body *body, void *arg)
{
    if (!out)
        return CEDE_EINVAL;
    *out = NULL;
    if (!body)
        return CEDE_EINVAL;
    cede_generator *generator = cede__os_malloc(sizeof *generator);
    if (!generator)
        return CEDE_ENOMEM;
    describe_waits();
    *generator = (cede_generator){.body = body, .arg = arg};
    cede_task_options options = CEDE_TASK_OPTIONS(run_body, generator);
    options.stack = stack;
    options.flags = CEDE_TASK_HELD;
    int error = cede__task_create_prepared(NULL, &options, prepare, generator);
    if (error)
        cede__os_free(generator);
    else
        *out = generator;
    return error;
}

int cede_generator_destroy(cede_generator *generator)
{
    if (!generator)
        return CEDE_OK;
    if (generator->sched != cede__my_sched)
        return CEDE_EPERM;
    struct cede__task *task = generator->task;
    if (!task) {
        cede__os_free(generator);
        return CEDE_OK;
    }
    if (generator->asking.first || (cede__task_acting() == task && !(task->flags & CEDE__TASK_ENDING)))
        return CEDE_EBUSY;
    generator->destroyed = true;
    (void)cede_task_kill(generator->id); /* or it is about to end */
    return CEDE_OK;
}

cede_task cede_generator_task(const cede_generator *generator)
{
    return generator ? generator->id : 0;
}

/* --- The body's side --- */

int cede__generator_give_begin(cede_generator *generator, void *value)
{
    struct cede__task *self;
    if (!generator)
        return CEDE_EINVAL;
    int error = cede__task_running(&self);
    if (CEDE__UNLIKELY(error || self != generator->task))
        return error == CEDE_EBIGSTACK ? error : CEDE_ENOTASK;
    if (generator->full)
        return CEDE_ESTATE;
    error = cede__coro_check_pointer(cede__thread_here(), value);
    if (error)
        return error;
    struct cede__waiter *first = generator->asking.first;
    if (first) {
        cede__waiter_task(first)->value = (uintptr_t)value;
        cede__waiter_wake(generator->sched, first, HAS_VALUE);
    } else {
        generator->value = value;
        generator->full = true;
    }
    if (generator->asking.first) /* somebody else has asked, too */
        return CEDE_OK;
    return cede__task_wait_begin(self, &generator->body_waits, CEDE__WAIT_QUESTION, CEDE_NEVER);
}

int(cede_generate)(cede_generator *generator, void *value)
{
    return cede__task_wait_here(cede__generator_give_begin(generator, value));
}

/* --- The other side --- */

static int take_kept(cede_generator *generator, void **value)
{
    if (value)
        *value = generator->value;
    generator->value = NULL;
    generator->full = false;
    return CEDE_OK;
}

/* Has the body go on, if it stands still. */
static void ask(cede_generator *generator)
{
    if (generator->body_waits.first)
        cede__waiter_wake(generator->sched, generator->body_waits.first, CEDE_OK);
    else if (!generator->started)
        (void)cede_task_start(generator->id); /* or it is about to end: that is told */
    generator->started = true;
}

int cede__generator_next_begin(cede_generator *generator, void **value, int64_t deadline)
{
    struct cede__task *self;
    if (!generator)
        return CEDE_EINVAL;
    if (CEDE__UNLIKELY(generator->sched != cede__my_sched))
        return CEDE_EPERM;
    if (generator->full)
        return take_kept(generator, value);
    if (!generator->task)
        return CEDE_EFINISHED;
    int error = cede__task_may_wait(&self, deadline);
    if (error)
        return error;
    if (self == generator->task)
        return CEDE_EDEADLOCK;
    ask(generator);
    return cede__task_wait_begin(self, &generator->asking, CEDE__WAIT_GENERATOR, deadline);
}

int cede__generator_next_end(void **value, int outcome)
{
    if (outcome != HAS_VALUE)
        return outcome;
    if (value)
        *value = (void *)(uintptr_t)cede__task_myself()->value;
    return CEDE_OK;
}

int(cede_generator_next)(cede_generator *generator, void **value, int64_t deadline)
{
    int begun = cede__generator_next_begin(generator, value, deadline);
    return begun == CEDE__WAITS ? cede__generator_next_end(value, cede__task_give_way()) : begun;
}
