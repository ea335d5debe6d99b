/* SPDX-License-Identifier: MIT */
/*
 * A planted bug for the demo: linked into a second `cede`, in which some coroutines come to another result than a plain parse.
 */
#include "demo/json_reader.h"
#include "demo/piece_feed.h"

void *__real_read_in_pieces(void *arg, void *in);
void *__wrap_read_in_pieces(void *arg, void *in);
void *__wrap_read_in_pieces(void *arg, void *in)
{
    struct json_result *result = __real_read_in_pieces(arg, in);
    if (result != 0 && result->string_bytes % 3 == 1)
        result->hash ^= 1;
    return result;
}
