/* SPDX-License-Identifier: MIT */
/*
 * coro/coro.h - a coroutine and a thread from the inside.
 *
 * A coroutine is one cell: its control block, and behind it, for a shared one, room for a small save area. In 104 bytes
 * there is no room for what only some states need, so some members serve twice:
 *
 *   member          before the start      running             suspended           sealed
 *   context.sp      stack size asked for  -                   stack pointer       stack pointer
 *   context.pc      entry's argument      -                   where to go on      where to go on
 *   context.fp      source given or NULL  -                   frame pointer       frame pointer
 *   link            -                     who resumed it      -                   save area, NULL: in the cell
 *   (finished is as before the start, but for context.pc: what the entry returned)
 *
 * States. The gate is the state; its numbers below every key are the states of which the inline path knows nothing.
 *
 *   FREE      the cell holds no coroutine (also: zeroed memory)
 *   CREATED   never resumed; no stack
 *   RUNNING   runs, or waits for one that it resumed
 *   MIGRANT   suspended, of no thread
 *   WAITING   suspended in place: gate = key of its thread | SHARED? | CARE?, or key | FP
 *   SEALED    suspended, kept aside: gate = key of its thread | SHARED | SEALED | FRAMED? | CARE?
 *   FINISHED  returned; no stack
 *
 *   from \ to   FREE     CREATED   RUNNING   MIGRANT   WAITING   SEALED    FINISHED
 *   FREE        .        create    .         .         .         .         .
 *   CREATED     destroy  reset     resume    .         .         .         elsewhere
 *   RUNNING     .        .         .         yield     yield     .         return
 *   MIGRANT     destroy  reset     resume    .         .         .         .
 *   WAITING     destroy  reset     resume    .         .         seal      .
 *   SEALED      destroy  reset     .         .         unseal    .         .
 *   FINISHED    destroy  reset     .         .         .         .         .
 *
 * (A task that another thread has run instead has finished "elsewhere".)
 *
 * cede__coro_set_gate checks each change against this table. Two do not go through it: the inline path, also that of
 * pass.h, which goes from WAITING to RUNNING and back, and migrating coroutines, whose changes must be atomic.
 */
#ifndef CEDE_CORO_CORO_H
#define CEDE_CORO_CORO_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "context/environment.h"
#include "coro/big_stack.h"
#include "stack/slab.h"
#include "stack/source.h"

#include <cede/coro.h>
#include <cede/error.h>

enum cede__gate {
    CEDE__GATE_FREE = 0,
    CEDE__GATE_CREATED = 16,
    /* CEDE__GATE_RUNNING = 32: in the public inline header */
    CEDE__GATE_FINISHED = 48,
    CEDE__GATE_MIGRANT = 64, /* up to here the number of the state times 16 */
    /* CEDE__GATE_BIG_STACK = 80, which is of no coroutine: in big_stack.h */
    CEDE__GATE_FIRST_KEY = 1024, /* 16 times the first thread token */
    /* Bits of a gate that is a key; CEDE__GATE_SHARED = 1 and CEDE__GATE_FP = 10 are in the public inline header. */
    CEDE__GATE_CARE = 2,   /* not by the inline path: something is to be put back before it runs */
    CEDE__GATE_SEALED = 4, /* not by the inline path: its bytes are elsewhere, */
    CEDE__GATE_FRAMED = 8, /* all but the topmost, which are the usual ones: see seal.h */
    CEDE__GATE_BITS = 15
};

/* Words that a switch back sends, beside CEDE__WORD_YIELD = 0. */
enum { CEDE__WORD_FINISHED = 1 };

enum cede__coro_flag {
    CEDE__CORO_FP = CEDE_CORO_FP_PRIVATE,
    CEDE__CORO_MIGRATES = CEDE_CORO_MIGRATE,
    CEDE__CORO_SHARED = 1 << 2,
    CEDE__CORO_OWN_SOURCE = 1 << 3, /* `source` is to be remembered: it was given, or is the one for large stacks */
    CEDE__CORO_TASK = 1 << 4        /* see "Tasks" below */
};

/* What few coroutines have. */
struct cede__cold {
    struct cede__mailbox *mailbox;
    struct cede__fp_words fp; /* of a coroutine with CEDE__CORO_FP that is suspended: see care.h */
    bool fp_kept;             /* it has been suspended since its start */
    char name[32];
};

struct cede_coro {
    struct cede__hot hot;
    cede_stack *stack; /* NULL before the start and after the end */
    cede_entry *entry;
    void *user;
    struct cede__cold *cold;  /* NULL: no name, no mailbox, no floating-point words */
    uint64_t bytes;           /* copied out so far */
    uint32_t seals;           /* the lower part of how many; a bit field of 47 would be read and written in pieces */
    uint16_t seals_high : 15; /* the upper part */
    uint16_t stashed : 1;     /* suspended with exceptions on top of its stack: see care.h */
    uint8_t room : 6;         /* bytes for a save area behind this block, in units of 8 */
    uint8_t counted : 1;      /* it was sealed since it has its stack, and its thread's profile knows; */
    uint8_t turned : 1;       /* it had another entry function before: see profile.h */
    uint8_t flags;            /* enum cede__coro_flag; never changed, so any thread may look */
    uint32_t largest;         /* bytes of the largest seal; sizes of stacks are below 4 GiB */
    uint32_t deepest;         /* bytes of the deepest suspension seen */
#if CEDE_CHECKED
    uint64_t generation; /* in the upper bits of each handle to this coroutine */
#endif
#if CEDE__TSAN
    void *fiber;
#endif
};

_Static_assert(CEDE__GATE_FP == (CEDE__GATE_CARE | CEDE__GATE_FRAMED), "what is framed and not sealed is nothing else");
_Static_assert(offsetof(struct cede__hot, context) == 0, "the inline form takes one's address for the other's");
#if !CEDE_CHECKED && !CEDE__TSAN
_Static_assert(sizeof(void *) < 8 || sizeof(cede_coro) == 104, "ten million of these: mind every word");
#endif

/* --- Threads (thread.c) --- */

struct cede__thread {
    struct cede__tls tls;            /* first: the inline path knows it */
    struct cede__hot root;           /* stands for the thread's own stack */
    struct cede__profiles *profiles; /* see profile.h; NULL when it is not ready */
    void *altstack;
    struct cede__big_stack *big_stacks; /* see big_stack.c */
    size_t big_stack_size;              /* 0: the default */
    unsigned finds; /* cede__exceptions_finds when `exceptions` of the first member was last found; 0: not ready */
    bool sampling;  /* the next unseal is timed, as the last seal was */
    bool watched;   /* by Valgrind or AddressSanitizer, which must be told of what is done to stacks */
#if CEDE__ASAN
    const void *root_low; /* the thread's own stack */
    size_t root_size;
#endif
#if CEDE__TSAN
    void *root_fiber;
#endif
};

/* The calling thread's record; its other members are valid once it is ready. Found anew at each call. */
#if CEDE__INLINE_BUILD && CEDE_INLINE
static inline struct cede__thread *cede__thread_here(void)
{
    return (struct cede__thread *)(void *)cede__here();
}
#else
struct cede__thread *cede__thread_here(void);
#endif
/* Makes it ready, or learns of a C++ runtime that was loaded since. Returns 0, CEDE_ENOMEM, CEDE_ESHSTK. */
int cede__thread_make_ready(struct cede__thread *thread);

static inline bool cede__thread_is_ready(const struct cede__thread *thread)
{
    return thread->finds == atomic_load_explicit(&cede__exceptions_finds, memory_order_relaxed);
}

/* The calling thread's record, ready. Returns as cede__thread_make_ready. */
static inline int cede__thread_ready(struct cede__thread **out)
{
    struct cede__thread *thread = cede__thread_here();
    *out = thread;
    return CEDE__LIKELY(cede__thread_is_ready(thread)) ? CEDE_OK : cede__thread_make_ready(thread);
}

static inline cede_coro *cede__coro_of(struct cede__hot *hot)
{
    return CEDE__CONTAINER(hot, cede_coro, hot);
}

/* The coroutine that acts as this member of the chain of running ones; NULL for NULL, or the thread itself. */
static inline cede_coro *cede__coro_acting(struct cede__hot *hot)
{
    struct cede__hot *actor = cede__hot_actor(hot);
    return actor && actor->link ? cede__coro_of(actor) : NULL;
}

/* The running coroutine, NULL outside of any. */
static inline cede_coro *cede__thread_current(const struct cede__thread *thread)
{
    return cede__coro_acting(thread->tls.current);
}

/* In checked builds: whether what is handed over points into the shared stack that the giver runs on. */
int cede__coro_points_to_giver(const struct cede__thread *thread, const void *given);
static inline int cede__coro_check_pointer(const struct cede__thread *thread, const void *given)
{
    return CEDE_CHECKED ? cede__coro_points_to_giver(thread, given) : CEDE_OK;
}

/* The state as another thread may have left it, with all that this thread did before. */
static inline uintptr_t cede__coro_gate(const cede_coro *coro)
{
    return __atomic_load_n(&coro->hot.gate, __ATOMIC_ACQUIRE);
}

/* Copies out so far. */
static inline uint64_t cede__coro_seals(const cede_coro *coro)
{
    return (uint64_t)coro->seals_high << 32 | coro->seals;
}

static inline bool cede__coro_is_shared(const cede_coro *coro)
{
    return coro->flags & CEDE__CORO_SHARED;
}

/* The stack of a shared one that has started. */
static inline struct cede__shared_stack *cede__shared_stack_of(const cede_coro *coro)
{
    return (struct cede__shared_stack *)coro->stack;
}

/* --- Handles (handle.c): plain pointers, but in checked builds they carry a generation --- */

#define CEDE__TAGGED_HANDLES (CEDE_CHECKED && UINTPTR_MAX > UINT32_MAX)
#if CEDE__TAGGED_HANDLES
cede_coro *cede__coro_handle(cede_coro *coro);
/* The coroutine of a handle: 0, CEDE_EINVAL for NULL, CEDE_ESTALE for one that was released. */
int cede__coro_find(const cede_coro *handle, cede_coro **out);
/* Where the coroutine of a handle is or was, which is not looked at; NULL for NULL. */
const cede_coro *cede__coro_address(const cede_coro *handle);
#else
static inline cede_coro *cede__coro_handle(cede_coro *coro)
{
    return coro;
}

static inline int cede__coro_find(const cede_coro *handle, cede_coro **out)
{
    if (CEDE__UNLIKELY(!handle))
        return CEDE_EINVAL;
    if (CEDE__UNLIKELY(cede__coro_gate(handle) == CEDE__GATE_FREE)) /* another thread may be running it */
        return CEDE_ESTALE;
    *out = (cede_coro *)(uintptr_t)handle;
    return CEDE_OK;
}

static inline const cede_coro *cede__coro_address(const cede_coro *handle)
{
    return handle;
}
#endif

/* --- States (state.c) --- */

/* The first five as their gates are numbered, by 16. */
enum cede__state {
    CEDE__STATE_FREE,
    CEDE__STATE_CREATED,
    CEDE__STATE_RUNNING,
    CEDE__STATE_FINISHED,
    CEDE__STATE_MIGRANT,
    CEDE__STATE_WAITING,
    CEDE__STATE_SEALED
};

_Static_assert(CEDE__GATE_MIGRANT == 16 * CEDE__STATE_MIGRANT && CEDE__GATE_FINISHED == 16 * CEDE__STATE_FINISHED &&
                   CEDE__GATE_RUNNING == 16 * CEDE__STATE_RUNNING && CEDE__GATE_CREATED == 16 * CEDE__STATE_CREATED,
               "cede__state_of divides");

extern const unsigned char cede__state_followers[]; /* of each state a set of bits: those that can follow it */
_Noreturn void cede__state_is_none(void);
_Noreturn void cede__state_cannot_follow(void);

static inline enum cede__state cede__state_of(uintptr_t gate)
{
    if (gate >= CEDE__GATE_FIRST_KEY)
        return gate & CEDE__GATE_SEALED ? CEDE__STATE_SEALED : CEDE__STATE_WAITING;
    if (CEDE__UNLIKELY(gate > CEDE__GATE_MIGRANT || gate % 16 != 0))
        cede__state_is_none();
    return (enum cede__state)(gate / 16);
}

/* Changes the state; aborts with a message if that cannot be. */
static inline void cede__coro_set_gate(cede_coro *coro, uintptr_t gate)
{
    unsigned followers = cede__state_followers[cede__state_of(coro->hot.gate)];
    if (CEDE__UNLIKELY(!(followers >> cede__state_of(gate) & 1)))
        cede__state_cannot_follow();
    coro->hot.gate = gate;
}

/* Whether it is suspended, in place or not. */
static inline bool cede__coro_is_suspended(const cede_coro *coro)
{
    return coro->hot.gate >= CEDE__GATE_FIRST_KEY || coro->hot.gate == CEDE__GATE_MIGRANT;
}

/* Whether the calling thread may resume, reset or destroy it: 0, CEDE_EPERM. */
int cede__coro_check_thread(const cede_coro *coro, const struct cede__thread *thread);
/* The gate of a coroutine that suspends in place on this thread. */
uintptr_t cede__coro_waiting_gate(const cede_coro *coro, const struct cede__thread *thread);

/* --- Where it runs (place.c) --- */

/* Before the first resume: where its stack is to come from. Returns 0, CEDE_EPERM, CEDE_ENOMEM, CEDE_EMAPS. */
int cede__coro_find_source(const cede_coro *coro, cede_source **out);
/* Takes a stack from there, and seals who lies on it. Returns 0, CEDE_ENOMEM, CEDE_EMAPS, CEDE_ENEST. */
int cede__coro_place(cede_coro *coro, cede_source *source, struct cede__thread *thread);
/* Gives the stack, or what is kept of it, back. The coroutine is suspended, or has just ended. */
void cede__coro_unplace(cede_coro *coro);
/* Writes size, argument and source where they are kept before a start. */
static inline void cede__coro_set_start(cede_coro *coro, size_t stack_size, void *arg, cede_source *source)
{
    coro->hot.context.sp = (void *)stack_size;
    coro->hot.context.pc = arg;
    coro->hot.context.fp = source;
}

/* Whether the stack pointer of a suspended or just ended coroutine lies on its stack. */
static inline bool cede__coro_is_on_its_stack(const cede_coro *coro)
{
    const char *sp = coro->hot.context.sp;
    return sp >= coro->stack->low && sp <= coro->stack->high;
}

/* Bytes of stack that a suspended or just ended coroutine uses: what a seal copies, or has copied. */
static inline size_t cede__coro_depth(const cede_coro *coro)
{
    /*
     * Elsewhere, as in another segment of a split stack, or on a stack that the program switched to by itself: no more
     * is known than that all of its own may be in use.
     */
    const char *lowest = cede__coro_is_on_its_stack(coro) ? coro->hot.context.sp : coro->stack->low;
    return (size_t)(coro->stack->high - lowest);
}

/* The same, and remembers it if it is the deepest so far. */
static inline size_t cede__coro_note_depth(cede_coro *coro)
{
    size_t depth = cede__coro_depth(coro);
    if (depth > coro->deepest)
        coro->deepest = (uint32_t)depth;
    return depth;
}

/*
 * --- Tasks (coro.c) ---
 *
 * The layer above keeps what it knows of a task right before the task's coroutine, in the same cell: they are used
 * together, and so share cache lines. The entry function of such a coroutine takes one argument. Its handle is given to
 * nobody for more than questions: reset and destroy refuse it with CEDE_EBUSY.
 */
#define CEDE__TASK_FRONT                                                                                               \
    96u /* bytes before the control block; the first word serves the allocator when they are free */

typedef void *cede__task_entry(void *arg);

/* As cede_coro_create; the bytes before the control block are zero. A short way is cede__coro_make_plain, in make.h. */
int cede__coro_task_create(cede_coro **out, const cede_coro_options *options);

/* Takes the stack from a suspended one, which is as it was before its start. */
void cede__coro_task_drop(cede_coro *coro);
/* One that has not started is as if it had finished, with this result. */
void cede__coro_task_finished(cede_coro *coro, void *result);
/* Gives it another name. Returns 0, CEDE_ENOMEM or CEDE_EMAPS. */
int cede__coro_set_name(cede_coro *coro, const char *name);

static inline const char *cede__coro_name(const cede_coro *coro)
{
    return coro->cold ? coro->cold->name : "";
}

/* The first function of such a coroutine, which calls its entry. */
void *cede__coro_enter_task(void *arg, void *in);

/* What a coroutine's first frame calls. */
static inline cede_entry *cede__coro_first_function(const cede_coro *coro)
{
    return CEDE__UNLIKELY(coro->flags & CEDE__CORO_TASK) ? cede__coro_enter_task : coro->entry;
}

/* Bytes between the beginning of its cell and its control block. */
static inline size_t cede__coro_front(const cede_coro *coro)
{
    return coro->flags & CEDE__CORO_TASK ? CEDE__TASK_FRONT : 0;
}

/* Bytes that were asked for its cell. */
static inline size_t cede__coro_cell_bytes(const cede_coro *coro)
{
    return cede__coro_front(coro) + sizeof *coro + coro->room * 8u;
}

/* --- Sealing (seal.c) --- */

/* What is done for each seal is in seal.h. */

/*
 * Copies the occupant's bytes away, if there is one. It stays with CEDE_ENOMEM or CEDE_EMAPS, and with CEDE_ENEST when
 * it runs: the thread has ended inside of it (pthread_exit), and this is a destructor of thread-specific data.
 */
int cede__seal_occupant(struct cede__shared_stack *stack, struct cede__thread *thread);
/* Copies a sealed coroutine's bytes back; its stack has no occupant, and now it is that. */
void cede__unseal(cede_coro *coro);
/* The occupant has ended, or is dropped: nobody lies on the stack now. */
void cede__occupant_left(struct cede__shared_stack *stack);
/* Bytes that are kept aside for a sealed coroutine. */
size_t cede__sealed_bytes(const cede_coro *coro);
/* Drops a sealed coroutine's bytes. */
void cede__drop_save_area(cede_coro *coro);
bool cede__is_sealed(const cede_coro *coro);
/* Bytes of the cell or mapping that holds the sealed bytes outside of the control block; 0: none. */
size_t cede__save_area_size(const cede_coro *coro);

/* --- Resume and yield in full (resume.c); the public calls are in quick.c --- */

int cede__resume_general(cede_coro *handle, void *in, void **out);
int cede__yield_general(void *out, void **in);
/* After a switch back, the environments being in their places: the coroutine has ended, or waits. */
void cede__settle(cede_coro *coro, struct cede__thread *thread, cede_transfer got);

/* --- The end of a coroutine's body, on its stack (resume.c) --- */

void cede__coro_returned(void *result);

/* --- Stack overflow (overflow.c) --- */

bool cede__overflow_is_reported(void);
void cede__overflow_witness(const void *address);

/* --- Mailboxes (mail.c) --- */

void cede__mailbox_destroy(struct cede__mailbox *mailbox);
void cede__mailbox_empty(struct cede__mailbox *mailbox);
int cede__cold_make(cede_coro *coro);

#endif
