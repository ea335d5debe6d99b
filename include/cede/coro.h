/* SPDX-License-Identifier: MIT */
/*
 * cede/coro.h - coroutines (layer 4): create, resume, yield; on a private or on a shared stack.
 *
 * Words. A coroutine is *resumed* by somebody (the thread itself, or another coroutine) and gives way with a *yield*,
 * which returns to its resumer. On a *private* stack its frames stay where they are. On a *shared* stack its frames are
 * copied out when another coroutine needs the stack (it is *sealed*) and copied back to the same addresses before it
 * runs again (*unsealed*); the copying is lazy and invisible, but for one rule:
 *
 *     While a coroutine on a shared stack does not run, nobody may touch an object on its stack.
 *
 * So hand over heap or static memory, or copies (cede_coro_send), never the address of a local variable.
 *
 * Threads. A coroutine that has not started may be started on any thread. Once started, it belongs to that thread:
 * using it elsewhere is CEDE_EPERM (but see CEDE_CORO_MIGRATE). No call here may be used in a signal handler unless it
 * says so. C++ exceptions may be thrown and caught inside of a coroutine, and a coroutine may yield inside a catch
 * block; an exception that leaves the entry function calls std::terminate.
 *
 * A C program may load C++ code with dlopen: its exceptions are kept in all coroutines, on all threads, if some file of
 * it includes this header. A process has one C++ runtime: the first that is loaded is the one that is known, and stays
 * loaded.
 *
 * Resume and yield are compiled into the caller where they can be. GCC lets a function have more registers than the
 * rest of its file (target attributes and pragmas: AVX-512, SVE, APX), which the switch then does not know of: such a
 * function must use the calls, (cede_coro_resume)(...) and (cede_yield)(...), or be in a file that is compiled with
 * these options. So must, with Clang, an `inline` function of C that is not static.
 */
#ifndef CEDE_CORO_H
#define CEDE_CORO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cede/error.h>
#include <cede/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cede_coro cede_coro;

/*
 * What a coroutine runs. `arg` is the one from its options; `in` is what the first resume gives. Returning finishes the
 * coroutine, and the returned value goes to the resumer like a yielded one.
 */
typedef void *cede_entry(void *arg, void *in);

typedef enum cede_stack_choice {
    CEDE_PRIVATE = 0, /* a stack of its own while it lives */
    CEDE_SHARED = 1,  /* a large stack, in turn with others; kept aside by its used bytes while it waits */
    /*
     * Private or shared, as the creating thread has learned about this entry function: shared until it knows enough,
     * then private where copying costs more than the memory that it saves is worth. See docs/shared-stacks.md. Once
     * created, the coroutine is one of the chosen kind (cede_coro_stats.stack tells which), with all rules of that
     * kind; so whoever says CEDE_AUTO must write for a shared stack. Without a stack size, a private one has as much
     * room as on a default shared stack. In split-stack builds always private.
     */
    CEDE_AUTO = 2
} cede_stack_choice;

enum {
    /*
     * This coroutine has a floating-point environment of its own (x86-64: MXCSR and x87 control word; AArch64: FPCR):
     * it starts with the resumer's at its first resume, and changes on one side do not reach the other. Costs some ns a
     * switch.
     */
    CEDE_CORO_FP_PRIVATE = 1 << 0,
    /*
     * A private coroutine that may be resumed on another thread while it is suspended. The caller orders the threads (a
     * mutex, a queue); two threads that resume it at once are caught, one gets CEDE_ERUNNING. Its source must be usable
     * from any thread: MMAP, MALLOC, CUSTOM, SPLIT, or POOL and FIXED with CEDE_SOURCE_THREADS; so `source` must be
     * given.
     * Code that runs in it must not keep addresses of thread-local variables (errno included) across a yield.
     */
    CEDE_CORO_MIGRATE = 1 << 1
};

typedef struct cede_coro_options {
    size_t size;             /* exactly sizeof(cede_coro_options); set by CEDE_CORO_OPTIONS */
    cede_entry *entry;       /* required */
    void *arg;               /* handed to entry; kept, not copied */
    cede_stack_choice stack; /* private, shared or auto, from the default source of the thread that starts it */
    cede_source *source;     /* instead: your own; `stack` must say CEDE_SHARED for a shared source, and only then */
    size_t stack_size;       /* usable bytes; 0: the source's. Without a source, private ones up to the largest size */
    const char *name;        /* for messages and reports; copied, cut after 31 bytes; NULL: none */
    void *user;              /* kept for cede_coro_user */
    unsigned flags;          /* CEDE_CORO_* */
} cede_coro_options;

/* Options for an entry function, all else default: cede_coro_options o = CEDE_CORO_OPTIONS(entry, arg); */
/* clang-format off */
#ifdef __cplusplus
#define CEDE_CORO_OPTIONS(entry, arg)                                                                                  \
    cede_coro_options{sizeof(cede_coro_options), (entry), (arg), CEDE_PRIVATE, nullptr, 0, nullptr, nullptr, 0}
#else
#define CEDE_CORO_OPTIONS(entry_, arg_)                                                                                \
    (cede_coro_options) { .size = sizeof(cede_coro_options), .entry = (entry_), .arg = (arg_) }
#endif
/* clang-format on */

/*
 * Creates a coroutine and sets *out. Nothing runs, and no stack is taken: that happens at the first resume. The options
 * are copied. cede_coro_create is the general call, cede_coro_new the short one.
 *
 * Returns 0; CEDE_EINVAL (NULL, another size of the structure, no entry, unknown flag or stack choice, a stack size
 * that its source cannot give, with CEDE_AUTO one that a default shared stack cannot give, a source of the other kind,
 * any source with CEDE_AUTO, FP_PRIVATE where there is none, MIGRATE for a shared one or without a source for any
 * thread); CEDE_ENOTSUP (CEDE_SHARED in a split-stack build); CEDE_ENOMEM; CEDE_EMAPS; CEDE_ESHSTK. On failure *out, if
 * it is not NULL itself, is NULL.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1, both.
 */
CEDE_API int cede_coro_create(cede_coro **out, const cede_coro_options *options);
CEDE_API int cede_coro_new(cede_coro **out, cede_stack_choice stack, cede_entry *entry, void *arg);

/*
 * Runs the coroutine until it yields or finishes. `in` is what its yield returns (or, the first time, entry's `in`);
 * *out (out may be NULL) receives what it yielded or returned. The caller is suspended meanwhile.
 *
 * The first resume takes the stack. On a shared stack, a resume that finds another coroutine's bytes in place seals
 * that one.
 *
 * Returns 0; CEDE_EINVAL (NULL); CEDE_ESTALE (destroyed); CEDE_EFINISHED; CEDE_ESELF; CEDE_ERUNNING; CEDE_ENEST (both
 * the caller, or one that waits for the caller, and the coroutine are on shared stacks); CEDE_EPERM (wrong thread);
 * CEDE_ENOMEM or CEDE_EMAPS (no stack, or no room to seal the other). On failure nothing has changed, *out included. In
 * checked builds also CEDE_ESTACKPTR: `in` points into the shared stack that the caller runs on.
 * Context: anywhere but in signal handlers. Threads: the one that started it. Since: 0.1.
 */
CEDE_API CEDE__NO_PLT int cede_coro_resume(cede_coro *coro, void *in, void **out);

/*
 * Gives way to the resumer, which receives `out`. Returns when the coroutine is resumed again; *in (in may be NULL)
 * then holds what that resume gave. If the coroutine is destroyed meanwhile, the call never returns, and nothing on its
 * stack is cleaned up.
 *
 * A coroutine on a shared stack yields on that stack: where the program has switched to another one by itself
 * (cede_context_switch, swapcontext), what is used there cannot be kept, and the process is aborted with a message when
 * the coroutine would have to be sealed.
 *
 * Returns 0; CEDE_ENOCORO outside of a coroutine; CEDE_EBIGSTACK in a call on a big stack (cede/big_stack.h). In
 * checked builds also CEDE_ESTACKPTR: `out` points into the shared stack that the caller runs on. On failure nothing
 * has happened.
 * Context: anywhere but in signal handlers. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API CEDE__NO_PLT int cede_yield(void *out, void **in);

/*
 * Ends a coroutine and releases the handle, in every state but running. A suspended one is dropped where it waits: its
 * stack is given back without any cleanup of what its frames own. NULL is allowed and does nothing.
 *
 * Returns 0; CEDE_ESTALE; CEDE_ERUNNING (running, here or on another thread, or waiting for one that it resumed);
 * CEDE_EPERM (suspended, and started on another thread). On failure nothing has changed.
 * Context: anywhere but in signal handlers. Threads: the one that started it; any before the start, after the end, and
 * with CEDE_CORO_MIGRATE. Since: 0.1.
 */
CEDE_API int cede_coro_destroy(cede_coro *coro);

/*
 * Makes a coroutine as if newly created with another entry function and argument, on the same source, name, size, flags
 * and user data; the counters go on. A suspended one is dropped where it waits, as by cede_coro_destroy.
 *
 * Returns 0; CEDE_EINVAL (NULL); CEDE_ESTALE; CEDE_ERUNNING; CEDE_EPERM. On failure nothing has changed.
 * Context: anywhere but in signal handlers. Threads: as cede_coro_destroy. Since: 0.1.
 */
CEDE_API int cede_coro_reset(cede_coro *coro, cede_entry *entry, void *arg);

/* --- Questions -------------------------------------------------------------------------------------------------- */

/*
 * The running coroutine, or NULL outside of any. A coroutine may keep and hand out this handle.
 * Context: anywhere but in signal handlers. Threads: any, each for itself. Since: 0.1.
 */
CEDE_API cede_coro *cede_coro_current(void);

/*
 * Who resumed this running coroutine: a coroutine, or NULL for the thread itself, or if it does not run, or for a bad
 * handle.
 * Context: anywhere but in signal handlers. Threads: the one that started it. Since: 0.1.
 */
CEDE_API cede_coro *cede_coro_parent(const cede_coro *coro);

typedef enum cede_coro_status {
    CEDE_CORO_INVALID = 0, /* NULL, or a handle that was released */
    CEDE_CORO_CREATED,     /* not yet resumed; owns no stack */
    CEDE_CORO_SUSPENDED,   /* waits in a yield */
    CEDE_CORO_RUNNING,     /* runs now */
    CEDE_CORO_NORMAL,      /* waits for a coroutine that it resumed */
    CEDE_CORO_FINISHED     /* has returned; owns no stack */
} cede_coro_status;

/*
 * The status; CEDE_CORO_INVALID for a bad handle.
 * Context: anywhere but in signal handlers. Threads: the one that started it, or any before the start and after the
 * end.
 * Since: 0.1.
 */
CEDE_API cede_coro_status cede_coro_status_get(const cede_coro *coro);
/*
 * The name of a status in lower case, such as "suspended"; "unknown" for any other number. The string lives as long as
 * the program. Context: anywhere. Threads: any. Since: 0.1.
 */
CEDE_API const char *cede_coro_status_name(cede_coro_status status);

/*
 * What the entry function of a finished coroutine returned; NULL if it has not finished, or for a bad handle.
 * Context: anywhere but in signal handlers. Threads: any after the end; the caller orders them. Since: 0.1.
 */
CEDE_API void *cede_coro_result(const cede_coro *coro);

/*
 * The user data: that of the options, or what was set last; NULL for a bad handle. It is kept, not copied.
 * cede_coro_user_set returns 0; CEDE_EINVAL (NULL handle); CEDE_ESTALE; then nothing has changed.
 * Context: anywhere but in signal handlers. Threads: any; the caller orders them. Since: 0.1.
 */
CEDE_API void *cede_coro_user(const cede_coro *coro);
CEDE_API int cede_coro_user_set(cede_coro *coro, void *user);

/*
 * The name, "" if none was given or the handle is bad. It lives as long as the coroutine.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API const char *cede_coro_name(const cede_coro *coro);

typedef struct cede_coro_stats {
    size_t size;           /* sizeof(cede_coro_stats), set by the caller before the call */
    uint64_t switches;     /* resumes so far, */
    uint64_t seals;        /* copies out, */
    uint64_t unseals;      /* seals that are over: copied back, or dropped by a reset, */
    uint64_t bytes;        /* bytes copied out: of each depth all but a first frame that is like all others, */
    uint64_t largest_seal; /* bytes of the largest; counters go on over a reset */
    uint64_t sealed_bytes; /* bytes kept aside now; 0 when its frames lie on a stack */
    uint64_t depth;        /* bytes of stack in use while it is suspended; 0 otherwise */
    uint64_t high_water;   /* deepest suspension seen: by a seal, an end, or a call of this function */
    uint64_t stack_size;   /* usable bytes of the stack it has, what rounding added included; 0 if none */
    uint64_t memory;       /* bytes of its control block and save area; its private stack not included */
    /* CEDE_PRIVATE or CEDE_SHARED: with CEDE_AUTO, what was chosen. */
    cede_stack_choice stack;
} cede_coro_stats;

/*
 * Fills *stats.
 *
 * Returns 0; CEDE_EINVAL (NULL, size not set); CEDE_ESTALE; on failure *stats is unchanged.
 * Context: anywhere but in signal handlers. Threads: the one that started it, or any before the start and after the
 * end.
 * Since: 0.1.
 */
CEDE_API int cede_coro_stats_get(cede_coro *coro, cede_coro_stats *stats);

/*
 * Writes the addresses where the frames of a suspended coroutine go on, as backtrace(3) does for the caller's own:
 * innermost first, the last one in its entry function. The first lies where it yielded: in the function that did, where
 * the yield was compiled in, else in a function of the library, which that one's follows. (With AddressSanitizer one of
 * the library's follows the entry function, too; with split stacks there are some of libgcc's in between.) Of more than
 * `room` frames the innermost are written. `addresses` may be NULL if `room` is 0.
 *
 * Nothing runs on the coroutine's stack, and it goes on as if nothing had been. A sealed coroutine's bytes are put in
 * place, and stay there until another coroutine needs the stack; the one that lies there is sealed, and both are
 * counted.
 *
 * The C library's backtrace() does the work, with what compilers say of each function (.eh_frame). A call takes about
 * 4 KiB of the caller's stack. The first in a process, which loads an unwinder, takes twice that, and memory.
 *
 * Returns how many were written, 0 before the start and after the end; CEDE_EINVAL (NULL); CEDE_ESTALE; CEDE_ERUNNING
 * (running, here or on another thread, or waiting for one that it resumed); CEDE_EPERM (wrong thread); CEDE_ENEST
 * (sealed, and the caller, or one that waits for the caller, runs on its stack); CEDE_ENOMEM or CEDE_EMAPS (no room for
 * the addresses, or to seal the other); CEDE_ENOTSUP (with ucontext, or without a backtrace() that finds an unwinder:
 * other C libraries than glibc, most static programs). On failure nothing has changed.
 * Context: anywhere but in signal handlers. Threads: the one that started it, or any before the start and after the
 * end, and with CEDE_CORO_MIGRATE. Since: 0.1.
 */
CEDE_API int cede_coro_backtrace(cede_coro *coro, void **addresses, size_t room);

/*
 * Calls visit(coro, arg) for every coroutine of the process, in no particular order; a result other than 0 ends the
 * walk. visit may ask any of the questions above that the calling thread may ask, and must not create, resume or
 * destroy. It is the list that debuggers walk, from the symbol cede__debug_root.
 *
 * Returns 0; what visit returned; CEDE_EINVAL (NULL).
 * Context: anywhere but in signal handlers. Threads: no other thread may create or destroy coroutines meanwhile.
 * Since: 0.1.
 */
CEDE_API int cede_coro_visit(int (*visit)(cede_coro *coro, void *arg), void *arg);

/* --- Messages: small copies through the heap -------------------------------------------------------------------- */

/* The largest message, and the room of one mailbox, in bytes; each waiting message takes 4 more, rounded up to 4. */
#define CEDE_MESSAGE_MAX 1024
#define CEDE_MAILBOX_SIZE 4096

/*
 * Copies `length` bytes (0 to CEDE_MESSAGE_MAX) to the end of the coroutine's mailbox, and takes the oldest message out
 * of it. Either side may do either: a resumer sends and the coroutine receives from cede_coro_current(), or the other
 * way round. The bytes lie in the heap in between, so both sides may use local variables, on shared stacks too. Neither
 * suspends anyone. Mailboxes take memory from their first message on until destroy; a reset empties them.
 *
 * cede_coro_receive sets *length to the message's length, also when it is longer than `room` (then it stays).
 *
 * Returns 0; CEDE_EINVAL (NULL; but bytes may be NULL for a length or room of 0); CEDE_ESTALE; CEDE_EMSGSIZE;
 * CEDE_EFULL, CEDE_ENOMEM and CEDE_EMAPS (send); CEDE_EEMPTY (receive); CEDE_EPERM (the coroutine has started on
 * another thread). On failure nothing has changed but *length.
 * Context: anywhere but in signal handlers. Threads: the one that started it, or any before the start and after the
 * end; the caller orders them. Since: 0.1.
 */
CEDE_API int cede_coro_send(cede_coro *coro, const void *bytes, size_t length);
CEDE_API int cede_coro_receive(cede_coro *coro, void *bytes, size_t room, size_t *length);

/* --- Stack overflow --------------------------------------------------------------------------------------------- */

/*
 * By default the first coroutine of a thread installs a handler for SIGSEGV and SIGBUS (once a process) and an
 * alternate signal stack (unless the thread has one). When a coroutine runs into the guard of its stack, one line on
 * standard error names it, its stack and size; then the signal goes to the handler that was installed before, or kills
 * the process as if there had been none, at the faulting instruction. All other faults go straight to the handler
 * before.
 *
 * Call cede_overflow_report(false) before the first coroutine to leave signals alone; the environment variable
 * CEDE_OVERFLOW_REPORT=0 does the same. Guards stay in place. Returns 0, or CEDE_EBUSY after the first coroutine.
 * Context: anywhere but in signal handlers. Threads: any. Since: 0.1.
 */
CEDE_API int cede_overflow_report(bool enable);

#ifdef __cplusplus
}
#endif

#include <cede/inline/coro.h>

#endif
