/* SPDX-License-Identifier: MIT */
/*
 * bench/rivals/stacks.h - stacks for the libraries that take any memory as one: of one size, without guards.
 */
#ifndef CEDE_BENCH_RIVALS_STACKS_H
#define CEDE_BENCH_RIVALS_STACKS_H

#include <cstddef>
#include <new>
#include <vector>

#include <sys/mman.h>

#include "memory.h"

namespace rival {

constexpr std::size_t stack_size = 64 * 1024;

/* n stacks side by side in one mapping. */
class MappedStacks {
  public:
    explicit MappedStacks(std::size_t n)
    {
        require_memory(n, page_size);
        void *memory = mmap(nullptr, n * stack_size, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
        if (memory == MAP_FAILED)
            throw std::bad_alloc();
        madvise(memory, n * stack_size, MADV_NOHUGEPAGE); /* or the first touch of a stack would take those beside it */
        next_ = static_cast<char *>(memory);
        end_ = next_ + n * stack_size;
    }
    MappedStacks(const MappedStacks &) = delete;
    MappedStacks &operator=(const MappedStacks &) = delete;

    /* The lowest address of a stack: the one that was given back last, or a new one. */
    char *take()
    {
        if (!free_.empty()) {
            char *stack = free_.back();
            free_.pop_back();
            return stack;
        }
        if (next_ == end_)
            throw std::bad_alloc();
        char *stack = next_;
        next_ += stack_size;
        return stack;
    }

    void give(char *stack) { free_.push_back(stack); }

  private:
    char *next_; /* never taken yet: from here */
    char *end_;  /* to here */
    std::vector<char *> free_;
};

} // namespace rival

#endif
