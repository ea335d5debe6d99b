/* SPDX-License-Identifier: MIT */
/*
 * handled.h - an exception for tests in C++, and which one is being handled.
 */
#ifndef TEST_HANDLED_H
#define TEST_HANDLED_H

#include <cstdint>
#include <exception>

namespace {

struct error {
    uintptr_t number;
};

/* The number of the exception that is being handled, 0 if there is none. */
uintptr_t handled()
{
    std::exception_ptr current = std::current_exception();
    if (!current)
        return 0;
    try {
        std::rethrow_exception(current);
    } catch (const error &e) {
        return e.number;
    } catch (...) {
        return UINTPTR_MAX;
    }
}

} // namespace

#endif
