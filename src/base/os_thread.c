/* SPDX-License-Identifier: MIT */
/*
 * base/os_thread.c - threads, locks, streams, the environment and facts of the machine (POSIX and Linux).
 */
#include "base/compiler.h"

#include "base/os.h"

#include <dlfcn.h>
#include <errno.h>
#ifdef __GLIBC__
#include <execinfo.h>
#endif
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include <cede/error.h>

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

size_t cede__os_signal_stack_min(void)
{
    int saved_errno = errno;
    size_t kernel = (size_t)getauxval(AT_MINSIGSTKSZ);
    errno = saved_errno;
    return kernel ? kernel : (size_t)MINSIGSTKSZ; /* an old kernel does not say; libc then assumes the most */
}

size_t cede__os_stack_min(void)
{
    static _Atomic size_t least;
    size_t known = atomic_load_explicit(&least, memory_order_relaxed);
    if (known == 0) {
        size_t page = cede__os_page_size();
        known = (cede__os_signal_stack_min() + page + page - 1) & ~(page - 1);
        atomic_store_explicit(&least, known, memory_order_relaxed);
    }
    return known;
}

bool cede__os_shadow_stack_on(void)
{
#if defined(__x86_64__)
    uint64_t pointer = 0;
    /*
     * rdsspq: does nothing on processors without shadow stacks and while they are off. Encoded for assemblers without
     * it.
     */
    __asm__ volatile(".byte 0xf3, 0x48, 0x0f, 0x1e, 0xc8" : "+a"(pointer));
    return pointer != 0;
#else
    return false;
#endif
}

/*
 * Not there with old C libraries, unless the program links them. dlopen is looked up, because the linker warns of its
 * name in static programs.
 */
#pragma weak dladdr
#pragma weak dlsym

void cede__os_keep_loaded(const void *address)
{
    Dl_info info;
    void *(*open_library)(const char *name, int flags) = NULL;
    if (dlsym)
        *(void **)&open_library = dlsym(RTLD_DEFAULT, "dlopen");
    if (open_library && dladdr && dladdr(address, &info) != 0)
        (void)open_library(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

/* By the file that it is in, if that is known. */
static void name_by_file(const Dl_info *info, const void *address, char *name, size_t size)
{
    const char *slash = info->dli_fname ? strrchr(info->dli_fname, '/') : NULL;
    if (info->dli_fname)
        snprintf(name, size, "%s+0x%tx", slash ? slash + 1 : info->dli_fname,
                 (const char *)address - (const char *)info->dli_fbase);
    else
        snprintf(name, size, "%p", address);
}

/* What the loader knows of an address; all NULL if nothing. */
static Dl_info look_up(const void *address)
{
    Dl_info info = {0};
    if (!dladdr || dladdr(address, &info) == 0)
        info = (Dl_info){0};
    return info;
}

void cede__os_function_name(const void *address, char *name, size_t size)
{
    Dl_info info = look_up(address);
    if (info.dli_sname && info.dli_saddr == address)
        snprintf(name, size, "%s", info.dli_sname);
    else
        name_by_file(&info, address, name, size);
}

void cede__os_symbol_name(const void *address, char *name, size_t size)
{
    Dl_info info = look_up((const char *)address - 1);
    if (info.dli_sname && info.dli_saddr)
        snprintf(name, size, "%s+0x%tx", info.dli_sname, (const char *)address - (const char *)info.dli_saddr);
    else
        name_by_file(&info, address, name, size);
}

#ifdef __GLIBC__
#pragma weak backtrace
#endif

int cede__os_backtrace(void **addresses, int room)
{
    int count = 0;
#ifdef __GLIBC__ /* in a static program only where something else needs it, too */
    int saved_errno = errno;
    if (backtrace)
        count = backtrace(addresses, room);
    errno = saved_errno;
#else
    (void)addresses;
    (void)room;
#endif
    return count;
}

uint64_t cede__os_thread_token(void)
{
    static _Atomic uint64_t next = 64;
    static CEDE__THREAD_LOCAL uint64_t mine;
    if (CEDE__UNLIKELY(mine == 0))
        mine = atomic_fetch_add_explicit(&next, 1, memory_order_relaxed);
    return mine;
}

static pthread_key_t exit_key;
static pthread_once_t exit_once = PTHREAD_ONCE_INIT;
static bool exit_key_made;
static CEDE__THREAD_LOCAL struct {
    void (*hooks[8])(void);
    size_t count;
    void (*first)(void); /* one of them; NULL: it has been called */
} at_exit;

/* A hook may use the library, and so set hooks anew: they are called too. */
static void run_exit_hooks(void *unused)
{
    (void)unused;
    while (at_exit.count > 0) {
        void (*hook)(void) = at_exit.first ? at_exit.first : at_exit.hooks[--at_exit.count];
        at_exit.first = NULL;
        hook();
    }
}

/*
 * Made when the program starts, but for constructors that come before, since hooks are called in the order of the keys:
 * split-stack code must have run before libgcc clears a thread's segments away.
 */
static void make_exit_key(void)
{
    exit_key_made = pthread_key_create(&exit_key, run_exit_hooks) == 0;
}

int cede__os_at_thread_exit(void (*hook)(void))
{
    pthread_once(&exit_once, make_exit_key);
    if (!exit_key_made || at_exit.count == sizeof at_exit.hooks / sizeof *at_exit.hooks ||
        pthread_setspecific(exit_key, &at_exit) != 0)
        return CEDE_ENOMEM;
    at_exit.hooks[at_exit.count++] = hook;
    return CEDE_OK;
}

static void *run_thread(void *arg)
{
    const struct cede__os_thread *thread = arg;
    thread->run(thread->arg);
    return NULL;
}

int cede__os_thread_start(struct cede__os_thread *thread, void (*run)(void *arg), void *arg)
{
    sigset_t all, before;
    *thread = (struct cede__os_thread){.run = run, .arg = arg};
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread->thread, NULL, run_thread, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error ? CEDE_ENOMEM : CEDE_OK;
}

void cede__os_thread_join(struct cede__os_thread *thread)
{
    pthread_join(thread->thread, NULL);
}

unsigned cede__os_processors(void)
{
    cpu_set_t set;
    int saved_errno = errno;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    errno = saved_errno;
    return count > 0 ? (unsigned)count : 1;
}

void cede__os_first_at_thread_exit(void (*hook)(void))
{
    at_exit.first = hook;
}

void cede__os_mutex_init(struct cede__os_mutex *mutex)
{
    pthread_mutex_init(&mutex->mutex, NULL); /* with default attributes it cannot fail on this platform */
}

void cede__os_mutex_destroy(struct cede__os_mutex *mutex)
{
    pthread_mutex_destroy(&mutex->mutex);
}

void cede__os_lock(struct cede__os_mutex *mutex)
{
    pthread_mutex_lock(&mutex->mutex);
}

void cede__os_unlock(struct cede__os_mutex *mutex)
{
    pthread_mutex_unlock(&mutex->mutex);
}

bool cede__os_env_is_off(const char *name)
{
    static const char *const words[] = {"0", "no", "off", "false", "never"};
    const char *value = getenv(name);
    for (size_t i = 0; value && i < sizeof words / sizeof *words; i++)
        if (strcmp(value, words[i]) == 0)
            return true;
    return false;
}

bool cede__os_env_is_on(const char *name)
{
    const char *value = getenv(name);
    return value && *value && !cede__os_env_is_off(name);
}

bool cede__os_env_bytes(const char *name, size_t *bytes)
{
    static const char units[] = "kmg";
    int saved_errno = errno;
    const char *value = getenv(name);
    char *end = NULL;
    errno = 0;
    unsigned long long number = value && *value >= '0' && *value <= '9' ? strtoull(value, &end, 10) : 0;
    bool good = number > 0 && errno == 0;
    const char *unit = good && *end ? strchr(units, *end | 0x20) : NULL;
    unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
    good = good && (unit ? end[1] : *end) == '\0' && number <= SIZE_MAX >> shift;
    if (good)
        *bytes = (size_t)number << shift;
    errno = saved_errno;
    return good;
}

FILE *cede__os_memory_stream(char **text, size_t *length)
{
    int saved_errno = errno;
    FILE *stream = open_memstream(text, length);
    errno = saved_errno;
    return stream;
}

void cede__os_free_text(char *text)
{
    free(text);
}

void cede__os_lock_stream(FILE *stream)
{
    flockfile(stream);
}

void cede__os_unlock_stream(FILE *stream)
{
    funlockfile(stream);
}

static pthread_mutex_t process_lock = PTHREAD_MUTEX_INITIALIZER;

void cede__os_lock_process(void)
{
    pthread_mutex_lock(&process_lock);
}

void cede__os_unlock_process(void)
{
    pthread_mutex_unlock(&process_lock);
}

bool cede__os_try_lock_process(void)
{
    for (int tries = 0; tries < 10000; tries++) { /* whoever else has it will not have it for long */
        if (pthread_mutex_trylock(&process_lock) == 0)
            return true;
        sched_yield();
    }
    return false;
}

__attribute__((constructor)) static void set_up_process(void)
{
    pthread_once(&exit_once, make_exit_key);
    pthread_atfork(cede__os_lock_process, cede__os_unlock_process, cede__os_unlock_process);
}
