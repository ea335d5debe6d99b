/* SPDX-License-Identifier: MIT */
/*
 * bench/rivals/try_new.h - makes the state of a case: what is thrown by it, or by the library, is a case that could not
 * be set up.
 */
#ifndef CEDE_BENCH_RIVALS_TRY_NEW_H
#define CEDE_BENCH_RIVALS_TRY_NEW_H

#include <exception>
#include <utility>

namespace rival {

template <class State, class... Arguments> void *try_new(Arguments &&...arguments) noexcept
{
    try {
        return new State(std::forward<Arguments>(arguments)...);
    } catch (const std::exception &) {
        return nullptr;
    }
}

} // namespace rival

#endif
