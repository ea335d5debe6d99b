/* SPDX-License-Identifier: MIT */
/*
 * cede/inline/coro.h - the short way of resume and yield, compiled into the caller. Included by cede/coro.h; not an
 * API.
 *
 * cede_coro_resume and cede_yield are macros over the functions below, which do the frequent case in a few instructions
 * and leave everything else to functions of the library. Callers of these and of the library's functions with the same
 * names mix freely; the address of cede_coro_resume is that of the library's function.
 *
 * The *gate* decides. While a coroutine is suspended on this thread, in place and with nothing special to be done, its
 * gate is the thread's key (on a shared stack: the thread's shared key, which is closed while a shared coroutine runs).
 * In every other state (never started, running, sealed, finished, destroyed, of another thread ...) its gate matches no
 * key, and the library finds out why. So one comparison is all the checking there is to do.
 *
 * No red zone. A leaf function may keep data below the stack pointer, where a seal would not copy it. Both functions
 * contain a call that is not in tail position, and stays where it is (CEDE__NO_TAIL_CALL, CEDE__NO_SPLITTING), so whoever
 * they are compiled into is no leaf.
 */
#ifndef CEDE_INLINE_CORO_H
#define CEDE_INLINE_CORO_H

#include <limits.h>

#include <cede/context.h>
#include <cede/coro.h>

#if CEDE_INLINE
#if defined(__x86_64__)
#include <cede/inline/context_x86_64.h>
#else
#include <cede/inline/context_aarch64.h>
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The first members of every coroutine, and of the record that stands for a thread's own stack. */
struct cede__hot {
    cede_context context;   /* first; where it goes on while it does not run */
    uintptr_t gate;         /* see above */
    struct cede__hot *link; /* while it runs: who resumed it */
    uint64_t switches;      /* resumes so far */
};

/* The first members of each thread's record. */
struct cede__tls {
    struct cede__hot *current;     /* what runs: a coroutine, or the thread's own stack; NULL before the first use */
    uintptr_t key;                 /* opens private coroutines suspended on this thread */
    uintptr_t shared_key;          /* opens shared ones; CEDE__CLOSED while one is among the running */
    const uintptr_t *exceptions;   /* what is not zero while a C++ exception is caught or in flight: two words */
    struct cede__hot *scheduler;   /* whose resumed coroutines are tasks: what runs the thread's tasks now, or NULL */
    struct cede__hot *last_shared; /* the shared coroutine that ran last; it may be gone, and is only compared */
    uintptr_t passes;              /* not 0: the running task may pass its turn on (cede/inline/task.h) */
};

enum {
    CEDE__GATE_RUNNING = 32, /* of the gates below every key, the one that is set here */
    CEDE__CLOSED = 1,        /* a shared key that opens nothing */
    CEDE__GATE_SHARED = 1,   /* the bit that tells a shared key from the private one */
    CEDE__GATE_FP = 10,      /* bits of one with nothing to be put back but its floating-point words */
    CEDE__WORD_YIELD = 0     /* the word that a plain yield sends */
};

/*
 * Gets a coroutine ready that cannot be switched to at once: one whose bytes are elsewhere, or that runs for the first
 * time. Returns the gate that it has while it waits in place; a negative error; or 0 where more is to be done than
 * that, which is left to cede__resume_any. Where it does not return a gate nothing has happened.
 */
CEDE_API CEDE__NO_PLT intptr_t cede__resume_prepare(cede_coro *coro);
/*
 * cede_coro_resume and cede_yield for every case. Returns what the other side gave, and in `word` the error: 0, or a
 * negative number as an uintptr_t. In registers, so that callers need no variable in memory for it, which would be kept
 * aside with their frames.
 */
CEDE_API CEDE__NO_PLT cede_transfer cede__resume_any(cede_coro *coro, void *in);
CEDE_API cede_transfer cede__yield_any(void *out);

/*
 * What is to be done after a switch back that was no plain yield: the end of the coroutine, or a yield inside of a
 * catch block.
 */
CEDE_API void cede__resume_settle(cede_coro *coro, cede_transfer got);

/* Makes the C++ runtime known: the function that gives the calling thread's exception globals, or NULL. */
CEDE_API void cede__cxx_runtime_found(void *(*get_globals)(void));

/*
 * Each C++ file does so when it is loaded, since a C program may load C++ code, and the runtime with it, when the
 * library has long been at work.
 */
#if defined(__cplusplus) && defined(__EXCEPTIONS) && defined(__ELF__)
extern void cede__cxx_runtime_found(void *(*get_globals)(void)) __attribute__((weak)); /* it may not be linked at all */
extern void *cede__cxa_get_globals(void) __asm__("__cxa_get_globals") __attribute__((weak));
static const bool cede__cxx_runtime_is_known __attribute__((unused)) =
    cede__cxx_runtime_found && (cede__cxx_runtime_found(&cede__cxa_get_globals), true);
#endif

#if CEDE_INLINE

#ifdef __cplusplus
#define CEDE__CAST(type, value) reinterpret_cast<type>(value)
#else
#define CEDE__CAST(type, value) ((type)(value))
#endif

/* The name holds the number of this layout: a caller and a library that disagree on it do not link. */
#define CEDE__TLS_NAME "cede__tls_1"

static inline __attribute__((always_inline)) struct cede__tls *cede__here(void)
{
    struct cede__tls *here;
    CEDE__TLS_ADDRESS(CEDE__TLS_NAME, here);
    return here;
}

static inline __attribute__((always_inline)) uintptr_t cede__in_exception(const struct cede__tls *here)
{
    return here->exceptions[0] | (here->exceptions[1] & 0xffffffffu); /* the second is an unsigned int */
}

/*
 * The switch of a resume, there and back, once nothing speaks against it. `shared` is 1 or 0, as the bit of the gate.
 * Returns what the coroutine has given. The same coroutine comes back, to the same parent, so neither is kept on the
 * stack.
 */
static inline __attribute__((always_inline)) void *cede__resume_run(struct cede__tls *here, struct cede__hot *self,
                                                                    uintptr_t shared, void *in)
{
    struct cede__hot *parent = here->current;
    self->gate = CEDE__GATE_RUNNING;
    self->link = parent;
    self->switches++;
    here->current = self;
    if (shared) {
        here->shared_key = CEDE__CLOSED;
        here->last_shared = self;
    }
    struct cede__arrival got = cede__switch(&parent->context, &self->context, in, CEDE__WORD_YIELD);
    self = CEDE__CAST(struct cede__hot *, got.from);
    uintptr_t gate = here->key | shared; /* found anew, and not kept over the switch */
    here->current = CEDE__CAST(struct cede__hot *, got.to);
    if (shared)
        here->shared_key = gate;
    if (__builtin_expect((got.word | cede__in_exception(here)) == CEDE__WORD_YIELD, 1)) {
        self->gate = gate;
    } else {
        cede_transfer left = {got.value, got.word};
        cede__resume_settle(CEDE__CAST(cede_coro *, self), left);
    }
    return got.value;
}

/*
 * Around a call that keeps its function from being a leaf. After it: the call is not in tail position. Before it: it needs
 * something that the function has found out. Code that needs arguments alone may be made a function of its own by the
 * compiler (-fpartial-inlining), and what is left would be a leaf.
 */
#define CEDE__NO_TAIL_CALL() __asm__ volatile("" : : : "memory")
#define CEDE__NO_SPLITTING(found) __asm__ volatile("" : : "r"(found))

/* What one of the library's functions has returned: the error, and *value where there is none. */
static inline __attribute__((always_inline)) int cede__received(cede_transfer got, void **value)
{
    int error = (int)(intptr_t)got.word;
    if (!error && value)
        *value = got.value;
    return error;
}

/*
 * These two are compiled in whatever the compiler thinks of their size: a function of its own that switches would return
 * by a ret, whose target the processor cannot predict after a switch.
 *
 * Each way of a resume ends in a switch of its own, so that the frequent one keeps nothing for the others.
 */
static inline __attribute__((always_inline)) int cede__resume_inline(cede_coro *coro, void *in, void **out)
{
    struct cede__tls *here = cede__here();
    struct cede__hot *self = CEDE__CAST(struct cede__hot *, coro);
    uintptr_t gate = __builtin_expect(self != 0, 1) ? self->gate : 0;
    void *got;
    if (__builtin_expect(gate == here->key && !cede__in_exception(here), 1)) {
        got = cede__resume_run(here, self, 0, in);
    } else if (__builtin_expect(gate == here->shared_key && !cede__in_exception(here), 1)) {
        got = cede__resume_run(here, self, 1, in);
    } else {
        intptr_t made = gate == (here->key | CEDE__GATE_FP) ? 0 : cede__resume_prepare(coro);
        if (made < 0)
            return (int)made | INT_MIN; /* changes nothing, but shows the compiler that this is not 0 */
        if (made == 0) {
            cede_transfer given = cede__resume_any(coro, in);
            CEDE__NO_TAIL_CALL();
            return cede__received(given, out);
        }
        got = cede__resume_run(cede__here(), self, (uintptr_t)made & CEDE__GATE_SHARED, in);
    }
    if (out)
        *out = got;
    return 0;
}

static inline __attribute__((always_inline)) bool cede__yield_at_once(struct cede__tls *here, void *out, void **in)
{
    struct cede__hot *self = here->current;
    struct cede__hot *parent = __builtin_expect(self != 0, 1) ? self->link : 0;
    if (__builtin_expect(parent == 0, 0))
        return false;
    struct cede__arrival got = cede__switch(&self->context, &parent->context, out, CEDE__WORD_YIELD);
    if (in)
        *in = got.value;
    return true;
}

static inline __attribute__((always_inline)) int cede__yield_inline(void *out, void **in)
{
    struct cede__tls *here = cede__here();
    if (cede__yield_at_once(here, out, in))
        return 0;
    CEDE__NO_SPLITTING(here);
    cede_transfer given = cede__yield_any(out);
    CEDE__NO_TAIL_CALL();
    return cede__received(given, in);
}

/* With any number of arguments, since a comma inside of a C++ template argument makes two of one. */
#define cede_coro_resume(...) cede__resume_inline(__VA_ARGS__)
#define cede_yield(...) cede__yield_inline(__VA_ARGS__)

#endif

#ifdef __cplusplus
}
#endif
#endif
