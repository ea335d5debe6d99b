/* SPDX-License-Identifier: MIT */
/*
 * run.c - create all, resume all in rounds, verify, destroy.
 *
 * In round k every coroutine gets piece k of its record, in an order that is shuffled anew for each round. A round ends
 * when all have used up their piece and asked for more: all of them are then suspended at once, wherever the recursion
 * had got to.
 *
 * What belongs to the run and not to the coroutines (their handles, the order, the results) is allocated and touched
 * before the memory is first measured, and so is not counted.
 */
#include "demo/run.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "demo/piece_feed.h"
#include "demo/pieces.h"
#include "progress.h"
#include "demo/random.h"

enum {
    PROGRESS_INTERVAL = 4096, /* coroutines between two looks at the clock */
    AHEAD = 8                 /* coroutines that are prefetched */
};

/* What a resume needs to know of a record: little, because there are many. */
struct cut_record {
    const unsigned char *text;
    struct cutting cutting;
};

struct run {
    const struct records *records;
    const struct run_request *request;
    struct run_outcome *outcome;
    struct progress progress;
    cede_source *source;         /* the default source of this kind */
    cede_coro **coroutines;      /* each of these three has an element for each coroutine */
    struct json_result *results; /* written by the coroutines */
    uint32_t *order;             /* a permutation */
    struct cut_record *cut;      /* one for each record */
    uint32_t rounds;             /* pieces of the record that has most */
    uint32_t suspended;          /* coroutines that this round has left suspended */
    uint64_t resident_before;
    uint64_t random;
    struct piece piece; /* what the present resume hands over */
};

const char *stack_name(cede_stack_choice stack)
{
    return stack == CEDE_SHARED ? "shared" : "private";
}

/* The library speaks of limits that its user can set on a source. The demo sets none. */
const char *error_text(int error)
{
    return error == CEDE_ENOMEM ? "the system refused more memory (see ulimit -v)" : cede_strerror(error);
}

/* As the library reads its environment. */
bool check_mode(void)
{
    static const char *const off[] = {"", "0", "no", "off", "false"};
    const char *value = getenv("CEDE_CHECK_STACKS");
    for (size_t i = 0; value != NULL && i < sizeof off / sizeof off[0]; i++)
        if (strcmp(value, off[i]) == 0)
            return false;
    return value != NULL;
}

/* --- Failures --------------------------------------------------------------------------------------------------- */

LIKE_PRINTF(3, 4) static bool end_run(struct run *run, enum run_end end, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(run->outcome->message, sizeof run->outcome->message, format, arguments);
    va_end(arguments);
    run->outcome->end = end;
    return false;
}

static bool library_failed(struct run *run, int error, const char *what)
{
    run->outcome->error = error;
    return end_run(run, RUN_FAILED, "%s on %s stacks: %s (%" PRIu32 " of %" PRIu32 " coroutines had started)", what,
                   stack_name(run->request->stack), error_text(error), run->outcome->started, run->request->coroutines);
}

static bool out_of_memory(struct run *run)
{
    run->outcome->error = CEDE_ENOMEM;
    return end_run(run, RUN_FAILED, "no memory for the handles and results of the coroutines");
}

static size_t record_index(const struct run *run, uint32_t index)
{
    return index % (uint32_t)run->records->count;
}

static bool differs(struct run *run, uint32_t index, const char *what)
{
    const struct record *record = &run->records->list[record_index(run, index)];
    const struct document *document = &run->records->documents[record->document];
    return end_run(run, RUN_DIFFERENT, "on %s stacks coroutine %" PRIu32 ", reading %s at byte %zu, %s",
                   stack_name(run->request->stack), index, document->path, (size_t)(record->text - document->text),
                   what);
}

/* --- Before ----------------------------------------------------------------------------------------------------- */

static bool cut_records(struct run *run)
{
    run->cut = malloc(run->records->count * sizeof *run->cut);
    if (run->cut == NULL)
        return out_of_memory(run);
    for (size_t i = 0; i < run->records->count; i++) {
        const struct record *record = &run->records->list[i];
        run->cut[i].text = (const unsigned char *)record->text;
        run->cut[i].cutting = cutting_of(record->length, run->request->pieces);
        if (run->cut[i].cutting.count > run->rounds)
            run->rounds = run->cut[i].cutting.count;
    }
    return true;
}

/* Allocates and touches. */
static bool prepare(struct run *run)
{
    size_t count = run->request->coroutines;
    if (!cut_records(run))
        return false;
    run->coroutines = malloc(count * sizeof *run->coroutines);
    run->results = malloc(count * sizeof *run->results);
    run->order = malloc(count * sizeof *run->order);
    if (run->coroutines == NULL || run->results == NULL || run->order == NULL)
        return out_of_memory(run);
    for (uint32_t i = 0; i < count; i++) {
        run->coroutines[i] = NULL;
        run->order[i] = i;
    }
    memset(run->results, 0xff, count * sizeof *run->results);
    run->random = run->request->seed;
    return true;
}

static void release(struct run *run)
{
    free(run->cut);
    free(run->coroutines);
    free(run->results);
    free(run->order);
}

static bool create_all(struct run *run)
{
    uint32_t count = run->request->coroutines;
    int64_t start;
    progress_step(&run->progress, "create");
    run->resident_before = memory_resident();
    start = clock_now();
    for (uint32_t i = 0; i < count; i++) {
        int error = cede_coro_new(&run->coroutines[i], run->request->stack, read_in_pieces, &run->results[i]);
        if (error != 0)
            return library_failed(run, error, "creating a coroutine");
        if (i % PROGRESS_INTERVAL == 0)
            progress_show(&run->progress, i, count);
    }
    run->outcome->create_ns = clock_now() - start;
    return true;
}

static bool find_source(struct run *run)
{
    int error = run->request->stack == CEDE_SHARED ? cede_source_default_shared(&run->source)
                                                   : cede_source_default_private(&run->source);
    return error == 0 || library_failed(run, error, "finding the source");
}

/* --- Rounds ----------------------------------------------------------------------------------------------------- */

/* Fisher and Yates. */
static void shuffle(struct run *run)
{
    for (uint32_t i = run->request->coroutines; i > 1; i--) {
        uint32_t other = random_below(random_next(&run->random), i);
        uint32_t index = run->order[other];
        run->order[other] = run->order[i - 1];
        run->order[i - 1] = index;
    }
}

/* Gives a coroutine its piece, unless it has had all of them. */
static bool resume_one(struct run *run, uint32_t index, uint32_t round)
{
    const struct cut_record *cut = &run->cut[record_index(run, index)];
    const struct cutting *cutting = &cut->cutting;
    uint64_t key = run->request->seed ^ (uint64_t)index << 32;
    void *out = NULL;
    int error;
    if (round >= cutting->count)
        return true;
    run->piece.start = cut->text + cutting_offset(cutting, key, round);
    run->piece.end = cut->text + cutting_offset(cutting, key, round + 1);
    run->piece.last = round + 1 == cutting->count;
    error = cede_coro_resume(run->coroutines[index], &run->piece, &out);
    if (error != 0)
        return library_failed(run, error, "resuming a coroutine");
    run->outcome->started += round == 0;
    run->outcome->resumes++;
    if (run->piece.last)
        return out != NULL || differs(run, index, "wants more text than there is");
    run->suspended++;
    return out == NULL || differs(run, index, "ended before its record");
}

/* Keeps the figures of the moment when most are suspended, or of the largest among such moments. */
static void measure(struct run *run)
{
    struct run_outcome *outcome = run->outcome;
    cede_source_stats stats = {.size = sizeof stats};
    uint64_t resident = memory_resident();
    resident = resident > run->resident_before ? resident - run->resident_before : 0;
    if (run->suspended < outcome->suspended || (run->suspended == outcome->suspended && resident <= outcome->resident))
        return;
    outcome->suspended = run->suspended;
    outcome->resident = resident;
    if (cede_source_stats_get(run->source, &stats) == 0)
        outcome->sealed_bytes = stats.sealed_bytes;
}

/*
 * In shuffled order everything that a resume touches is far away in memory. But it is known who comes next, as it is
 * to a scheduler: so ask for what they need a few places ahead. A handle points to what a resume looks at first.
 * (Always inlined: gcc 12 drops the call of a function that only prefetches.)
 */
static inline __attribute__((always_inline)) void look_ahead(const struct run *run, uint32_t at)
{
    uint32_t count = run->request->coroutines;
    if (count - at > 2 * AHEAD)
        __builtin_prefetch(&run->coroutines[run->order[at + 2 * AHEAD]]);
    if (count - at > AHEAD) {
        uint32_t index = run->order[at + AHEAD];
        __builtin_prefetch(run->coroutines[index], 1);
        __builtin_prefetch((const char *)run->coroutines[index] + 64, 1);
        __builtin_prefetch(&run->results[index], 1);
    }
}

static bool run_round(struct run *run, uint32_t round)
{
    uint32_t count = run->request->coroutines;
    int64_t start;
    run->suspended = 0;
    shuffle(run);
    start = clock_now();
    for (uint32_t i = 0; i < count; i++) {
        look_ahead(run, i);
        if (!resume_one(run, run->order[i], round))
            return false;
        if (i % PROGRESS_INTERVAL == 0)
            progress_show(&run->progress, i, count);
    }
    run->outcome->resume_ns += clock_now() - start;
    measure(run);
    return true;
}

static bool run_rounds(struct run *run)
{
    for (uint32_t round = 0; round < run->rounds; round++) {
        progress_step(&run->progress, "piece %" PRIu32 " of %" PRIu32, round + 1, run->rounds);
        if (!run_round(run, round))
            return false;
    }
    return true;
}

/* --- After ------------------------------------------------------------------------------------------------------ */

static bool equal_results(const struct json_result *a, const struct json_result *b)
{
    return a->hash == b->hash && a->string_bytes == b->string_bytes && a->values == b->values && a->depth == b->depth;
}

static bool verify_all(struct run *run)
{
    uint32_t count = run->request->coroutines;
    progress_step(&run->progress, "verify");
    for (uint32_t i = 0; i < count; i++) {
        const struct record *record = &run->records->list[record_index(run, i)];
        if (!equal_results(&run->results[i], &record->expected))
            return differs(run, i, "has another result than the plain parse");
        if (i % PROGRESS_INTERVAL == 0)
            progress_show(&run->progress, i, count);
    }
    return true;
}

static bool destroy_all(struct run *run)
{
    uint32_t count = run->request->coroutines;
    progress_step(&run->progress, "destroy");
    for (uint32_t i = 0; i < count; i++) {
        int error = cede_coro_destroy(run->coroutines[i]);
        if (error != 0)
            return library_failed(run, error, "destroying a coroutine");
        if (i % PROGRESS_INTERVAL == 0)
            progress_show(&run->progress, i, count);
    }
    cede_source_trim(run->source, 0, NULL);
    cede_heap_trim();
    return true;
}

static bool run_all(struct run *run)
{
    int64_t start = clock_now();
    if (!create_all(run) || !find_source(run) || !run_rounds(run) || !verify_all(run) || !destroy_all(run))
        return false;
    run->outcome->total_ns = clock_now() - start;
    return true;
}

void run_here(const struct records *records, const struct run_request *request, struct run_outcome *outcome)
{
    struct run *run = calloc(1, sizeof *run); /* in the heap, because the coroutines read its `piece` */
    *outcome = (struct run_outcome){.end = RUN_FAILED, .error = CEDE_ENOMEM};
    if (run == NULL)
        return;
    run->records = records;
    run->request = request;
    run->outcome = outcome;
    if (prepare(run)) {
        progress_begin(&run->progress, request->progress, stack_name(request->stack), run->rounds + 3);
        if (run_all(run))
            outcome->end = RUN_VERIFIED;
        progress_end(&run->progress);
    }
    release(run);
    free(run);
}
