/* SPDX-License-Identifier: MIT */
// EXPECT: AddressSanitizer: (dynamic-)?stack-buffer-overflow
/* A planted bug: a coroutine on a private stack writes one byte past an array of its own, after a yield. */
#include "planted.h"

int main(void)
{
    return planted_run(CEDE_PRIVATE, planted_overflow);
}
