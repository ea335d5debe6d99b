/* SPDX-License-Identifier: MIT */
/*
 * task/timer.c - timers that call a function of the program.
 *
 * A timer is a cell, as all is that lies in the wheel (fire.c), and in the list of its scheduler's timers, from which
 * those are destroyed that are left when the thread ends. A periodic one is set again before its function is called, and
 * is not touched afterwards: so the function may do with it what it likes.
 */
#include "base/compiler.h"

#include "stack/slab.h"
#include "task/sched.h"

#include <cede/error.h>
#include <cede/timer.h>

struct cede_timer {
    struct cede__alarm alarm; /* first */
    struct cede_sched *sched;
    int64_t interval; /* ns; 0: it is called once */
    cede_timer_function *function;
    void *arg;
    uint64_t missed;
    struct cede__list member; /* of its scheduler's timers */
};

static int check(const cede_timer *timer)
{
    if (CEDE__UNLIKELY(!timer))
        return CEDE_EINVAL;
    return CEDE__LIKELY(timer->sched == cede__my_sched) ? CEDE_OK : CEDE_EPERM;
}

static void arm(cede_timer *timer, int64_t deadline)
{
    struct cede_sched *sched = timer->sched;
    cede__wheel_remove(&sched->wheel, &timer->alarm.timer);
    if (deadline < sched->earliest)
        deadline = sched->earliest;
    if (deadline < CEDE_NEVER)
        cede__wheel_add(&sched->wheel, &timer->alarm.timer, deadline);
}

/* Sets a periodic timer, which is due, to the first of its times that has not come yet. */
static void arm_again(cede_timer *timer)
{
    int64_t was = timer->alarm.timer.deadline, now = timer->sched->earliest - 1;
    int64_t late = (now - was) / timer->interval; /* periods */
    timer->missed += (uint64_t)late;
    bool ever = late < (CEDE_NEVER - was) / timer->interval;
    arm(timer, ever ? was + (late + 1) * timer->interval : CEDE_NEVER);
}

static void ring(struct cede__alarm *alarm)
{
    cede_timer *timer = CEDE__CONTAINER(alarm, cede_timer, alarm);
    if (timer->interval)
        arm_again(timer);
    struct cede__hot *loop = cede__sched_leave_loop();
    timer->function(timer, timer->arg);
    cede__sched_enter_loop(loop);
}

int cede_timer_create(cede_timer **out, cede_timer_function *function, void *arg)
{
    struct cede_sched *sched;
    void *cell;
    if (!out)
        return CEDE_EINVAL;
    *out = NULL;
    if (!function)
        return CEDE_EINVAL;
    int error = cede__sched_ready(&sched);
    if (!error)
        error = cede__cell_alloc(&cell, CEDE__CELL_SAVE, sizeof(cede_timer));
    if (error)
        return error;
    cede_timer *timer = cell;
    *timer = (cede_timer){.alarm.ring = ring, .sched = sched, .function = function, .arg = arg};
    cede__list_insert(&sched->timers, &timer->member);
    *out = timer;
    return CEDE_OK;
}

int cede_timer_set(cede_timer *timer, int64_t deadline)
{
    int error = check(timer);
    if (CEDE__UNLIKELY(error))
        return error;
    timer->interval = 0;
    arm(timer, deadline);
    return CEDE_OK;
}

int cede_timer_set_periodic(cede_timer *timer, int64_t first, int64_t interval)
{
    int error = interval > 0 ? check(timer) : CEDE_EINVAL;
    if (error)
        return error;
    timer->interval = interval;
    timer->missed = 0;
    arm(timer, first > CEDE_NOW ? first : cede_now());
    return CEDE_OK;
}

int cede_timer_cancel(cede_timer *timer)
{
    int error = check(timer);
    if (CEDE__LIKELY(!error))
        cede__wheel_remove(&timer->sched->wheel, &timer->alarm.timer);
    return error;
}

int64_t cede_timer_deadline(const cede_timer *timer)
{
    return timer && cede__timer_is_armed(&timer->alarm.timer) ? timer->alarm.timer.deadline : CEDE_NEVER;
}

uint64_t cede_timer_missed(const cede_timer *timer)
{
    return timer ? timer->missed : 0;
}

static void destroy(cede_timer *timer)
{
    cede__wheel_remove(&timer->sched->wheel, &timer->alarm.timer);
    cede__list_remove(&timer->member);
    cede__cell_free(timer, sizeof *timer);
}

int cede_timer_destroy(cede_timer *timer)
{
    int error = timer ? check(timer) : CEDE_OK;
    if (timer && !error)
        destroy(timer);
    return error;
}

void cede__timers_leave(struct cede_sched *sched)
{
    while (!cede__list_empty(&sched->timers))
        destroy(CEDE__CONTAINER(sched->timers.next, cede_timer, member));
}
