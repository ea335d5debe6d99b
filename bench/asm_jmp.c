/* SPDX-License-Identifier: MIT */
/*
 * bench/asm_jmp.c - the limit of a switch: two words are kept, the stack pointer and where to go on; the compiler keeps
 * what is live. No state, no checks, no guards, no API. x86-64; compiled with optimisation and without frame pointers,
 * since all registers but the stack pointer are declared lost, and without a red zone.
 */
#define _GNU_SOURCE 1
#include "subject.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { STACK_SIZE = 64 << 10 };

struct side {
    void *sp;
    void *pc;
};

struct sides {
    size_t n;
    uint32_t *order; /* NULL: as they were made */
    char *stacks;
    struct side list[];
};

static struct side home; /* who resumes */

/* Leaves `from`, goes on at `to`, which receives the value; returns what is given by who comes back. */
static inline __attribute__((always_inline)) void *jump(struct side *from, const struct side *to, void *value)
{
    __asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
                     "movq %%rsp, (%%rsi)\n\t"
                     "movq %%rax, 8(%%rsi)\n\t"
                     "movq (%%rdx), %%rsp\n\t"
                     "jmpq *8(%%rdx)\n"
                     "1:"
                     : "+D"(value), "+S"(from), "+d"(to)
                     :
                     : "rax", "rbx", "rcx", "rbp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1",
                       "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
                       "xmm13", "xmm14", "xmm15", "cc", "memory");
    return value;
}

/* The first value says which side it is. */
static __attribute__((noreturn, noinline)) void echo(struct side *self)
{
    void *in = self;
    for (;;) {
        bench_use(in);
        in = jump(self, &home, in);
    }
}

/* As after a call: the stack pointer is 8 below a multiple of 16. */
static void make(struct side *side, char *stack)
{
    side->sp = stack + STACK_SIZE - 8;
    side->pc = (void *)(uintptr_t)echo;
    jump(&home, side, side);
}

static void *open_sides(size_t n, uint32_t *order)
{
    struct sides *sides = malloc(sizeof *sides + n * sizeof(struct side));
    char *stacks =
        mmap(NULL, n * STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    bench_check(sides != NULL && stacks != MAP_FAILED, "no memory for the stacks");
    madvise(stacks, n * STACK_SIZE, MADV_NOHUGEPAGE);
    sides->n = n;
    sides->order = order;
    sides->stacks = stacks;
    for (size_t i = 0; i < n; i++)
        make(&sides->list[i], stacks + i * STACK_SIZE);
    return sides;
}

static void *open_order(size_t n, size_t *bytes)
{
    (void)bytes;
    return open_sides(n, NULL);
}

static void *open_shuffled(size_t n, size_t *bytes)
{
    (void)bytes;
    return open_sides(n, bench_shuffled(n));
}

static double run_hot(void *state, size_t rounds)
{
    struct sides *sides = state;
    void *value = state;
    double begin = bench_now();
    for (size_t i = 0; i < rounds; i++) {
        value = jump(&home, &sides->list[0], value);
        bench_use(value);
    }
    double took = bench_now() - begin;
    bench_check(value == state, "a value was lost");
    return took;
}

static double run_many(void *state, size_t rounds)
{
    struct sides *sides = state;
    double begin = bench_now();
    for (size_t round = 0; round < rounds; round++)
        for (size_t i = 0; i < sides->n; i++)
            bench_use(jump(&home, &sides->list[sides->order != NULL ? sides->order[i] : i], state));
    return bench_now() - begin;
}

static void close_sides(void *state)
{
    struct sides *sides = state;
    munmap(sides->stacks, sides->n * STACK_SIZE);
    free(sides->order);
    free(sides);
}

int main(int argc, char **argv)
{
    static const struct bench_case cases[] = {
        {"switch/hot", "round trip", open_order, run_hot, close_sides, 0},
        {"many/order", "round trip", open_order, run_many, close_sides, 1},
        {"many/shuffled", "round trip", open_shuffled, run_many, close_sides, 1},
        {0},
    };
    return bench_main(argc, argv, &(struct bench_subject){.version = "x86-64", .cases = cases});
}
