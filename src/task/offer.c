/* SPDX-License-Identifier: MIT */
/*
 * task/offer.c - tasks that any thread of a runtime may start.
 *
 * Such a task is made by its home, and has its id there, but lies in no ring: it is HELD, and its `value` is its offer,
 * which lies in a list under a lock. Either its home takes the offer back, and the task is like any other from then on.
 * Or another scheduler takes it, and makes a task of its own from the offer's options, the guest. The task at home stays
 * what it was, as a stand-in: who waits for it, its group and its followers are found there, and a cancel or a kill is
 * passed on to the guest. When the guest has ended, the home is told, and ends the stand-in in the same way.
 *
 *   home                              guest's scheduler
 *   offers it                     ->  takes the offer off the list, makes the guest
 *   knows the guest               <-  "taken", or "returned": there was no memory
 *   orders a cancel               ->
 *   ends the stand-in, frees it   <-  "ended"
 *
 * All messages lie in the offer, so that none of this can fail. Orders are bits, which are gathered until the guest's
 * scheduler reads them: from the home's first order on the message is under way until then, as another bit says. If it
 * still is when the guest has ended, it is for who reads it to free the offer.
 */
#include "base/compiler.h"

#include "task/runtime.h"
#include "task/spawn.h"

#include <stdatomic.h>

#include <cede/error.h>

enum order {
    UNPARK = 1 << 0,
    CANCEL = 1 << 1,
    TIME_OUT = 1 << 2,
    KILL = 1 << 3,
    POSTED = 1 << 4, /* the message is under way */
    OVER = 1 << 5    /* nobody at home needs the offer any more */
};

struct offer {
    struct cede__message_to taken, ended; /* from the guest's scheduler to the home; `taken` is the first member */
    struct cede__message_to order;        /* from the home to the guest's */
    _Atomic unsigned orders;              /* enum order */
    struct cede__list link;               /* in the home's list, under its lock; alone: it was taken */
    struct cede_sched *home;
    cede_task id;      /* of the task at home */
    cede_task made;    /* the guest, as its scheduler writes it; 0: returned */
    cede_task guest;   /* as its home has read; 0: not yet, and orders wait */
    cede_task_end end; /* how it has ended */
    cede_task_options options;
    char name[CEDE__NAME_ROOM];
};

void cede__offers_init(struct cede__offers *offers)
{
    cede__os_mutex_init(&offers->lock);
    cede__list_init(&offers->list);
}

static void read_orders(struct cede__message_to *message, struct cede_sched *sched);

static struct offer *offer_of_task(const struct cede__task *task)
{
    return (struct offer *)(uintptr_t)task->value;
}

static void count_offers(struct cede__offers *offers, int change)
{
    uint32_t count = atomic_load_explicit(&offers->count, memory_order_relaxed);
    atomic_store_explicit(&offers->count, count + (uint32_t)change, memory_order_seq_cst);
}

/* --- At home --- */

int cede__offer_make(struct cede_sched *sched, struct cede__task *task, const cede_task_options *options)
{
    struct offer *offer = cede__os_malloc(sizeof *offer);
    if (!offer)
        return CEDE_ENOMEM;
    *offer = (struct offer){.order.read = read_orders, .home = sched, .id = task->id, .options = *options};
    cede__task_keep_name(&offer->options, offer->name);
    offer->options.flags &= (unsigned)(CEDE_TASK_URGENT | CEDE_TASK_FP_PRIVATE);
    offer->options.timeout = 0;  /* its home sees to that */
    if (options->arg_size > 0) { /* the copy stays at home, where its task outlives the guest */
        offer->options.arg = task->more->captures;
        offer->options.arg_size = 0;
    }
    task->value = (uintptr_t)offer;
    task->wait = CEDE__WAIT_ELSEWHERE;
    task->flags |= CEDE__TASK_HELD;
    cede__os_lock(&sched->offers.lock);
    cede__list_insert(sched->offers.list.previous, &offer->link);
    count_offers(&sched->offers, 1);
    cede__os_unlock(&sched->offers.lock);
    cede__runtime_feed(sched);
    return CEDE_OK;
}

/* Takes the first offer, or this one, off the list; NULL: it is not there. */
static struct offer *unlist(struct cede__offers *offers, struct offer *wanted)
{
    struct offer *offer = NULL;
    cede__os_lock(&offers->lock);
    if (wanted)
        offer = cede__list_empty(&wanted->link) ? NULL : wanted;
    else if (!cede__list_empty(&offers->list))
        offer = CEDE__CONTAINER(offers->list.next, struct offer, link);
    if (offer) {
        cede__list_remove(&offer->link);
        count_offers(offers, -1);
    }
    cede__os_unlock(&offers->lock);
    return offer;
}

static void let_go(struct offer *offer)
{
    if (!(atomic_fetch_or_explicit(&offer->orders, OVER, memory_order_acq_rel) & POSTED))
        cede__os_free(offer);
}

/* The task at home is like any other again. */
static void end_offer(struct cede__task *task, struct offer *offer)
{
    task->value = 0;
    task->wait = CEDE__WAIT_NONE;
    task->flags &= (uint16_t)~CEDE__TASK_HELD;
    let_go(offer);
}

bool cede__offer_take_own(struct cede_sched *sched)
{
    struct cede__task *task;
    if (!atomic_load_explicit(&sched->offers.count, memory_order_relaxed))
        return false;
    struct offer *offer = unlist(&sched->offers, NULL);
    if (!offer)
        return false;
    if (cede__task_find(offer->id, &sched, &task) == CEDE_OK) {
        end_offer(task, offer);
        cede__sched_queue(sched, task);
    }
    return true;
}

/* Has the guest do this, as soon as it is known. */
static void order(struct offer *offer, unsigned what)
{
    unsigned before =
        atomic_fetch_or_explicit(&offer->orders, what | (offer->guest ? POSTED : 0), memory_order_acq_rel);
    if (offer->guest && !(before & POSTED))
        (void)cede__sched_post(cede__sched_numbered(cede__id_scheduler(offer->guest)), &offer->order);
}

bool cede__offer_withdraw(struct cede_sched *sched, struct cede__task *task, cede_task_status status)
{
    struct offer *offer = offer_of_task(task);
    if (unlist(&sched->offers, offer)) {
        end_offer(task, offer);
        return true;
    }
    if (status == CEDE_TASK_KILLED)
        order(offer, KILL);
    else /* what came first counts, which its flags tell */
        order(offer, task->flags & CEDE__TASK_TIMED_OUT ? TIME_OUT : CANCEL);
    return false;
}

void cede__offer_unpark(struct cede__task *task)
{
    struct offer *offer = offer_of_task(task);
    if (offer->guest)
        order(offer, UNPARK);
    else
        task->flags |= CEDE__TASK_PERMIT; /* its own, or passed on when the guest is known */
}

/* Returned: the task is started here, or ended as was ordered meanwhile. */
static void take_back(struct cede_sched *sched, struct cede__task *task, struct offer *offer)
{
    unsigned orders = atomic_load_explicit(&offer->orders, memory_order_relaxed);
    end_offer(task, offer);
    if (orders)
        task->status = orders & KILL ? CEDE_TASK_KILLED : orders & TIME_OUT ? CEDE_TASK_TIMEOUT : CEDE_TASK_CANCELED;
    cede__sched_queue(sched, task);
}

static void read_taken(struct cede__message_to *message, struct cede_sched *sched)
{
    struct offer *offer = CEDE__CONTAINER(message, struct offer, taken);
    struct cede__task *task;
    offer->guest = offer->made;
    if (cede__task_find(offer->id, &sched, &task) != CEDE_OK)
        return;
    if (!offer->guest) {
        take_back(sched, task, offer);
        return;
    }
    task->status = CEDE_TASK_WAITING;
    unsigned orders = atomic_load_explicit(&offer->orders, memory_order_relaxed);
    if (task->flags & CEDE__TASK_PERMIT)
        orders |= UNPARK;
    if (orders)
        order(offer, orders);
}

static void read_ended(struct cede__message_to *message, struct cede_sched *sched)
{
    struct offer *offer = CEDE__CONTAINER(message, struct offer, ended);
    struct cede__task *task;
    cede_task_end end = offer->end;
    if (cede__task_find(offer->id, &sched, &task) != CEDE_OK)
        return;
    end_offer(task, offer);
    task->status = (uint8_t)end.status;
    cede__coro_task_finished(cede__task_coro(task), end.result);
    cede__task_finish(sched, task);
}

/* --- At the guest's --- */

static void read_orders(struct cede__message_to *message, struct cede_sched *sched)
{
    struct offer *offer = CEDE__CONTAINER(message, struct offer, order);
    cede_task guest = offer->made;
    unsigned orders = atomic_exchange_explicit(&offer->orders, 0, memory_order_acq_rel); /* may be gone afterwards */
    (void)sched;
    if (orders & OVER) {
        cede__os_free(offer);
        return;
    }
    if (orders & UNPARK)
        (void)cede_task_unpark(guest);
    if (orders & (CANCEL | TIME_OUT))
        (void)cede__task_act(guest, cede__task_interrupt, orders & TIME_OUT ? CEDE__TASK_TIMED_OUT : 0);
    if (orders & KILL)
        (void)cede_task_kill(guest);
}

static void guest_has_ended(cede_task guest, const cede_task_end *end, void *arg)
{
    struct offer *offer = arg;
    (void)guest;
    offer->end = *end;
    cede__sched_post(offer->home, &offer->ended);
}

static int make_guest(struct offer *offer)
{
    cede_task guest;
    cede_task_options options = offer->options;
    options.flags |= CEDE_TASK_HELD;
    int error = cede_task_create(&guest, &options);
    if (error)
        return error;
    error = cede_task_on_end(guest, guest_has_ended, offer);
    if (error)
        (void)cede_task_kill(guest);
    else
        error = cede_task_start(guest);
    (void)cede_task_detach(guest);
    offer->made = error ? 0 : guest;
    return error;
}

bool cede__offer_take(struct cede_sched *from)
{
    if (!atomic_load_explicit(&from->offers.count, memory_order_seq_cst))
        return false;
    struct offer *offer = unlist(&from->offers, NULL);
    if (!offer)
        return false;
    offer->taken.read = read_taken;
    offer->ended.read = read_ended;
    (void)make_guest(offer); /* if it cannot, there is no guest, which says that the task is returned */
    cede__sched_post(offer->home, &offer->taken);
    return true;
}
