/* SPDX-License-Identifier: MIT */
/*
 * base/os_fault.c - watching SIGSEGV and SIGBUS without taking them from anybody.
 *
 * One handler a process, installed once, on the alternate stack, since the faulting stack may have no room left. It
 * lets the witness speak and then behaves as if it were not there: a handler that was installed before is called, or
 * else the default action is restored and the faulting instruction runs again and kills the process, so that a core
 * shows it. Other signals have the handler that they are given, and nothing is passed on.
 */
#include "base/compiler.h"

#include "base/os.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cede/error.h>

static struct sigaction previous_segv, previous_bus;
static cede__os_fault_witness *_Atomic the_witness;
static bool installed;

static void die_by(int number, const siginfo_t *info)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigaction(number, &standard, NULL);
    if (info->si_code <= 0) /* sent by somebody: it does not come again by itself */
        raise(number);
}

/* The mask that the kernel would have set for the handler; ours runs with the signal itself blocked. */
static void set_mask(const struct sigaction *previous, int number)
{
    pthread_sigmask(SIG_BLOCK, &previous->sa_mask, NULL);
    if ((previous->sa_flags & SA_NODEFER) && !sigismember(&previous->sa_mask, number)) {
        sigset_t self;
        sigemptyset(&self);
        sigaddset(&self, number);
        pthread_sigmask(SIG_UNBLOCK, &self, NULL);
    }
}

static void pass_on(int number, siginfo_t *info, void *machine)
{
    struct sigaction *place = number == SIGSEGV ? &previous_segv : &previous_bus, previous = *place;
    if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN) {
        if (previous.sa_handler == SIG_DFL || info->si_code > 0)
            die_by(number, info); /* the kernel does not ignore a fault either, only a signal that was sent */
        return;
    }
    if (previous.sa_flags & SA_RESETHAND)
        place->sa_handler = SIG_DFL;
    set_mask(&previous, number);
    if (previous.sa_flags & SA_SIGINFO)
        previous.sa_sigaction(number, info, machine);
    else
        previous.sa_handler(number);
}

static void on_fault(int number, siginfo_t *info, void *machine)
{
    int saved_errno = errno;
    cede__os_fault_witness *witness = atomic_load_explicit(&the_witness, memory_order_acquire);
    if (witness && info->si_code > 0)
        witness(info->si_addr);
    pass_on(number, info, machine);
    errno = saved_errno;
}

static void install_once(cede__os_fault_witness *witness)
{
    cede__os_lock_process();
    if (!installed) {
        struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
        sigemptyset(&action.sa_mask);
        atomic_store_explicit(&the_witness, witness, memory_order_release);
        sigaction(SIGSEGV, NULL, &previous_segv); /* known before ours can run */
        sigaction(SIGBUS, NULL, &previous_bus);
        sigaction(SIGSEGV, &action, NULL);
        sigaction(SIGBUS, &action, NULL);
        installed = true;
    }
    cede__os_unlock_process();
}

/* Room for the kernel's frame, the witness, and a handler of the program's that is called in turn. */
static size_t altstack_bytes(void)
{
    return cede__os_signal_stack_min() + 32768;
}

int cede__os_watch_faults(cede__os_fault_witness *witness, void **altstack)
{
    stack_t now;
    *altstack = NULL;
    if (sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_DISABLE)) {
        stack_t ours = {.ss_sp = cede__os_malloc(altstack_bytes()), .ss_size = altstack_bytes()};
        if (!ours.ss_sp)
            return CEDE_ENOMEM;
        if (sigaltstack(&ours, NULL) != 0) {
            cede__os_free(ours.ss_sp);
            return CEDE_ENOMEM;
        }
        *altstack = ours.ss_sp;
    }
    install_once(witness);
    return CEDE_OK;
}

void cede__os_unwatch_faults(void *altstack)
{
    stack_t now;
    if (!altstack)
        return;
    if (sigaltstack(NULL, &now) == 0 && now.ss_sp == altstack) {
        stack_t none = {.ss_flags = SS_DISABLE};
        if (sigaltstack(&none, NULL) != 0)
            return; /* it is in use: leaking it beats pulling it away */
    }
    cede__os_free(altstack);
}

void cede__os_signal_mask(void *set)
{
    pthread_sigmask(SIG_SETMASK, NULL, set);
}

int cede__os_on_signal(int number, void (*handler)(int number))
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP}; /* they would come again at once */
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART | SA_ONSTACK};
    int saved_errno = errno;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (number == faults[i])
            return CEDE_EINVAL;
    sigemptyset(&action.sa_mask);
    int result = sigaction(number, &action, NULL);
    errno = saved_errno;
    return result == 0 ? CEDE_OK : CEDE_EINVAL;
}
