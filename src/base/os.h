/* SPDX-License-Identifier: MIT */
/*
 * base/os.h - the contract with the operating system. No other folder calls it, and every call that can fail for
 * want of memory goes through here, so that the fault tests can make each of them fail.
 *
 * Sizes and addresses of mappings are multiples of the page size. Calls that return int return 0, CEDE_ENOMEM, or
 * CEDE_EMAPS when the process has as many mappings as the kernel allows. Calls that give back or advise cannot fail.
 */
#ifndef CEDE_BASE_OS_H
#define CEDE_BASE_OS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* --- Facts of the machine --- */
size_t cede__os_page_size(void);
size_t cede__os_signal_stack_min(void); /* bytes of the largest signal frame, from the kernel */
size_t cede__os_stack_min(void);        /* whole pages: a signal frame, and a page of calls */
bool cede__os_shadow_stack_on(void);    /* hardware shadow stacks are on for this thread */
/* The library that the address lies in is not unloaded any more. */
void cede__os_keep_loaded(const void *address);

/*
 * Writes the name of the function that begins at this address; or, where that is not known, the file that it is in and
 * how far from its beginning, as addr2line wants it; or the address. Cut to `size` bytes, always terminated.
 */
void cede__os_function_name(const void *address, char *name, size_t size);
/*
 * The same of an address where a frame goes on, as "name+0x1f" where the name is known. What is looked up is the
 * instruction before it: the call from which it is returned to may be the last one of its function.
 */
void cede__os_symbol_name(const void *address, char *name, size_t size);
/*
 * As backtrace(3): writes the addresses where the frames of the caller go on, innermost first, and returns how many; 0
 * where the C library has no such function, or finds no unwinder, which it loads at the first call. errno is kept.
 */
int cede__os_backtrace(void **addresses, int room);

/* --- Time --- */
/* Monotonic nanoseconds. */
int64_t cede__os_now(void);
/* The same clock as it was up to some milliseconds ago, for a fifth of the price. */
int64_t cede__os_now_roughly(void);

/* --- Small memory: as malloc, realloc and free; NULL on failure. --- */
void *cede__os_malloc(size_t bytes);
void *cede__os_realloc(void *memory, size_t bytes);
void *cede__os_aligned_malloc(size_t alignment, size_t bytes);
void cede__os_free(void *memory);

/* --- Mappings --- */
/*
 * Zeroed, private, readable and writable memory of `bytes`, at a multiple of `alignment` (0: a page), not charged until
 * touched.
 */
int cede__os_map(void **out, size_t bytes, size_t alignment);
void cede__os_unmap(void *memory, size_t bytes);
/* Takes all access from a range of a mapping: MADV_GUARD_INSTALL where the kernel has it, mprotect otherwise. */
int cede__os_guard(void *memory, size_t bytes);
/* Takes all access from a range of a mapping, for a while, or gives it back. */
int cede__os_set_access(void *memory, size_t bytes, bool accessible);
/* Gives the pages of a range back; it reads as zeros afterwards. */
void cede__os_discard(void *memory, size_t bytes);
/*
 * Whether pages can be moved from one address to another, which is tried out once: not on old kernels, under emulators
 * and memory checkers, or where new mappings are locked in memory.
 */
bool cede__os_can_move_pages(void);
/*
 * Moves the pages of a range to a mapping of their own, for which cede__os_unmap is to be called in the end, or the
 * next function. The range stays mapped, and reads as zeros. NULL: it was refused, and nothing has changed.
 */
void *cede__os_take_pages(void *from, size_t bytes);
/*
 * Moves pages that were taken to [to, to + bytes), in the place of what is there; their own mapping is no more. false:
 * it was refused, they are where they were, and what is there is mapped and of any content.
 */
bool cede__os_put_pages(void *to, void *pages, size_t bytes);
/* Whether a page holds memory. */
bool cede__os_is_resident(void *page);
/* Advice: this range is worth huge pages, or must never get them. Whether it is taken. */
bool cede__os_prefer_huge(void *memory, size_t bytes);
bool cede__os_refuse_huge(void *memory, size_t bytes);
/* Makes huge pages of what is there of a range, and fills them up, if the kernel can do that now. */
void cede__os_collapse(void *memory, size_t bytes);

/* --- Threads --- */
/* A number that no other thread of this process has or will have; from 64 up. */
uint64_t cede__os_thread_token(void);
/*
 * Calls hook when the calling thread ends; the hook set last is called first. At most eight a thread. Returns 0 or
 * CEDE_ENOMEM.
 */
int cede__os_at_thread_exit(void (*hook)(void));
/* Has one of them, which was set before, called before all others, those set later included; and then once more. */
void cede__os_first_at_thread_exit(void (*hook)(void));

struct cede__os_thread {
    pthread_t thread;
    void (*run)(void *arg);
    void *arg;
};
/* Starts a thread, which calls run(arg), with all signals blocked; *thread stays until it is joined. 0 or CEDE_ENOMEM. */
int cede__os_thread_start(struct cede__os_thread *thread, void (*run)(void *arg), void *arg);
void cede__os_thread_join(struct cede__os_thread *thread);
/* Processors that this process may use; at least 1. */
unsigned cede__os_processors(void);

struct cede__os_mutex {
    pthread_mutex_t mutex;
};
void cede__os_mutex_init(struct cede__os_mutex *mutex);
void cede__os_mutex_destroy(struct cede__os_mutex *mutex);
void cede__os_lock(struct cede__os_mutex *mutex);
void cede__os_unlock(struct cede__os_mutex *mutex);
/*
 * What one thread sleeps on until another one sets it; each set ends one sleep, and waits for it if there is none. It may
 * be set in signal handlers, too.
 */
struct cede__os_event {
    _Atomic uint32_t state;
};
void cede__os_event_init(struct cede__os_event *event);
void cede__os_event_set(struct cede__os_event *event);
/* Sleeps until the event is set, or the clock (cede__os_now) is at the deadline; INT64_MAX: without limit. */
void cede__os_event_wait(struct cede__os_event *event, int64_t deadline);
/*
 * The one lock of the process, for what is rare and short, and never nested. A fork waits for it, so the child finds it
 * free. The attempt is for signal handlers.
 */
void cede__os_lock_process(void);
void cede__os_unlock_process(void);
bool cede__os_try_lock_process(void);

/* --- Faults (os_fault.c) --- */
/* Looks at a faulting address, in a signal handler; says what it has to say with cede__message_*. */
typedef void cede__os_fault_witness(const void *address);
/*
 * Has the witness called at each SIGSEGV and SIGBUS of this process before the handlers that were there; and gives the
 * calling thread an alternate signal stack if it has none: *altstack is its memory or NULL, to be handed to
 * cede__os_unwatch_faults when the thread ends. Returns 0 or CEDE_ENOMEM.
 */
int cede__os_watch_faults(cede__os_fault_witness *witness, void **altstack);
void cede__os_unwatch_faults(void *altstack);

/* The calling thread's signal mask, into a sigset_t. */
void cede__os_signal_mask(void *set);
/*
 * Has handler(number) called at each such signal of the process, instead of what was done before; errno is kept. Returns
 * 0, or CEDE_EINVAL: there is no such signal, or none that can be handled and left.
 */
int cede__os_on_signal(int number, void (*handler)(int number));

/* --- Streams --- */
/* One that writes to memory, which is known when the stream is closed, and freed by the next call; NULL on failure. */
FILE *cede__os_memory_stream(char **text, size_t *length);
void cede__os_free_text(char *text);
/* Between these no other thread writes to the stream. */
void cede__os_lock_stream(FILE *stream);
void cede__os_unlock_stream(FILE *stream);

/* --- The environment --- */
/* Whether the variable is set to a word that means no: 0, no, off, false, never. */
bool cede__os_env_is_off(const char *name);
/* Whether it is set to any other word. */
bool cede__os_env_is_on(const char *name);
/* Whether it is a number of bytes, such as 65536, 64K, 1M or 2G, above 0; *bytes is set only then. */
bool cede__os_env_bytes(const char *name, size_t *bytes);

#endif
