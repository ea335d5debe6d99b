/* SPDX-License-Identifier: MIT */
// EXPECT: AddressSanitizer: (dynamic-)?stack-buffer-overflow
/*
 * A planted bug: a coroutine on a shared stack writes one byte past an array of its own, after its frame was sealed and
 * unsealed. Only if the shadow of the array's red zones travelled with its bytes is it seen.
 */
#include "planted.h"

int main(void)
{
    return planted_run(CEDE_SHARED, planted_overflow);
}
