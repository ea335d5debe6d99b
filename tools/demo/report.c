/* SPDX-License-Identifier: MIT */
/*
 * report.c - the table, and what stands around it. No line is longer than 79 columns.
 */
#include "demo/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "demo/report_json.h"

/* Fewer coroutines than these hardly outweigh what a thread's first one allocates. */
enum { FEW = 10000 };

char *format_number(char *text, uint64_t number)
{
    char digits[NUMBER_SIZE];
    int count = snprintf(digits, sizeof digits, "%" PRIu64, number);
    char *to = text;
    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return text;
}

/* A rounded quotient as text; "-" where there is nothing to divide. */
static char *format_quotient(char *text, uint64_t sum, uint64_t count)
{
    if (sum == 0 || count == 0)
        return strcpy(text, "-");
    return format_number(text, (sum + count / 2) / count);
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

void report_input(const struct report *report)
{
    const struct records *records = report->records;
    char count[NUMBER_SIZE], bytes[NUMBER_SIZE], files[NUMBER_SIZE], pieces[NUMBER_SIZE];
    if (report->options->json)
        return;
    printf("%s record%s (%s byte%s) of %s file%s;\neach coroutine reads one, in up to %s pieces\n",
           format_number(count, records->count), plural(records->count), format_number(bytes, records->bytes),
           plural(records->bytes), format_number(files, records->document_count), plural(records->document_count),
           format_number(pieces, report->options->pieces));
    if (report->options->with_shared && check_mode())
        printf("CEDE_CHECK_STACKS is set: this is check mode, and its figures say nothing\nabout normal runs\n");
}

void report_note(const struct report *report, cede_stack_choice stack, const char *note)
{
    if (!report->options->json && note[0] != '\0')
        printf("%s: %s\n", stack_name(stack), note);
}

/* --- Table ------------------------------------------------------------------------------------------------------ */

#define ROW_FORMAT "%-7s %12s %10s  %10s %8s %8s %7s  %s\n"

static void print_row(const struct row *row)
{
    const struct run_outcome *outcome = &row->outcome;
    uint32_t count = row->request.coroutines;
    char coroutines[NUMBER_SIZE], resident[NUMBER_SIZE], saved[NUMBER_SIZE], create[NUMBER_SIZE], resume[NUMBER_SIZE];
    char total[NUMBER_SIZE];
    if (row->unsupported) {
        printf("%-7s %12s %s\n", stack_name(row->request.stack), "-", cede_strerror(outcome->error));
        return;
    }
    snprintf(total, sizeof total, "%.2f", (double)outcome->total_ns / 1e9);
    printf(ROW_FORMAT, stack_name(row->request.stack), format_number(coroutines, count),
           format_quotient(resident, outcome->resident, count),
           format_quotient(saved, outcome->sealed_bytes, outcome->suspended),
           format_quotient(create, (uint64_t)outcome->create_ns, count),
           format_quotient(resume, (uint64_t)outcome->resume_ns, outcome->resumes), total, "all");
}

/* Records of a few bytes end before the others, so the run may never have had all at once. */
static void print_shortfall(const struct row *row)
{
    char most[NUMBER_SIZE];
    if (!row->unsupported && row->outcome.suspended < row->request.coroutines)
        printf("%s: never more than %s suspended at once,\n"
               "because some records are too short for more than one piece\n",
               stack_name(row->request.stack), format_number(most, row->outcome.suspended));
}

static const struct row *find_row(const struct report *report, cede_stack_choice stack)
{
    for (unsigned i = 0; i < report->row_count; i++)
        if (report->rows[i].request.stack == stack && !report->rows[i].unsupported)
            return &report->rows[i];
    return NULL;
}

double report_ratio(const struct report *report)
{
    const struct row *private_row = find_row(report, CEDE_PRIVATE);
    const struct row *shared_row = find_row(report, CEDE_SHARED);
    if (private_row == NULL || shared_row == NULL || shared_row->outcome.resident == 0)
        return 0;
    return (double)private_row->outcome.resident / private_row->request.coroutines /
           ((double)shared_row->outcome.resident / shared_row->request.coroutines);
}

/* Whether some kind never had even half of its coroutines suspended at once: then there is nothing to compare. */
static bool few_waited(const struct report *report)
{
    for (unsigned i = 0; i < report->row_count; i++)
        if (report->rows[i].outcome.suspended < report->rows[i].request.coroutines / 2)
            return true;
    return false;
}

static void print_ratio(const struct report *report)
{
    double ratio = report_ratio(report);
    if (ratio <= 0 || few_waited(report))
        return;
    for (unsigned i = 0; i < report->row_count; i++)
        if (report->rows[i].request.coroutines < FEW) {
            printf("So few coroutines that fixed costs blur what each one takes:\n");
            break;
        }
    if (ratio > 0.95 && ratio < 1.05)
        printf("shared stacks: about as large per coroutine as private;\n");
    else
        printf("shared stacks: %.1f times %s per coroutine than private;\n", ratio < 1 ? 1 / ratio : ratio,
               ratio < 1 ? "larger" : "smaller");
}

static void print_summary(const struct report *report)
{
    uint64_t results = 0;
    char number[NUMBER_SIZE];
    for (unsigned i = 0; i < report->row_count; i++)
        results += report->rows[i].unsupported ? 0 : report->rows[i].request.coroutines;
    print_ratio(report);
    if (results == 1)
        printf("the one result equals the plain parse.\n");
    else
        printf("all %s results equal the plain parse.\n", format_number(number, results));
}

static void print_table(const struct report *report)
{
    printf("\n" ROW_FORMAT, "", "", "resident", "saved", "create", "ns per", "total", "results");
    printf(ROW_FORMAT, "stack", "coroutines", "bytes each", "bytes each", "ns", "resume", "s", "verified");
    for (unsigned i = 0; i < report->row_count; i++)
        print_row(&report->rows[i]);
    printf("\nResident: what the kernel counts, at the moment when all are suspended.\n"
           "Saved: the part of it that is a copy of stack; on shared stacks the rest is\n"
           "control blocks, and memory kept for reuse.\n"
           "A resume includes reading the piece; what the next ones need is prefetched.\n"
           "Total: to create, resume, verify and destroy all, and to shuffle in between.\n\n");
    for (unsigned i = 0; i < report->row_count; i++)
        print_shortfall(&report->rows[i]);
    print_summary(report);
}

void report_results(const struct report *report)
{
    if (report->options->json)
        report_print_json(report);
    else
        print_table(report);
}
