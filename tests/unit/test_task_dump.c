/* SPDX-License-Identifier: MIT */
// LINK: -rdynamic
/*
 * What is told of tasks: cede_task_info, and the text of cede_dump, on stacks of all kinds; by a task, and outside of any.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "env.h"
#include "tasks.h"
#include "text.h"

#define MS CEDE_MILLISECOND

/* --- Text -------------------------------------------------------------------------------------------------------------- */

struct text {
    char *all;
    size_t length;
};

static FILE *text_open(struct text *text)
{
    FILE *stream = open_memstream(&text->all, &text->length);
    assert_non_null(stream);
    return stream;
}

/* What the text has of a task, as a new string. */
static char *part_of(const char *text, cede_task id)
{
    char begin[40];
    snprintf(begin, sizeof begin, "task %" PRIu64 " ", id);
    const char *from = text;
    while (from && strncmp(from, begin, strlen(begin)) != 0) {
        from = strchr(from, '\n');
        from = from ? from + 1 : NULL;
    }
    if (!from)
        fail_msg("task %" PRIu64 " is not in:\n%s", id, text);
    const char *to = strchr(from, '\n') + 1;
    while (*to == ' ')
        to = strchr(to, '\n') + 1;
    return strndup(from, (size_t)(to - from));
}

static bool has_backtraces(void)
{
    return strcmp(cede_context_name(), "ucontext") != 0;
}

/* --- A scene: a task in each kind of wait -------------------------------------------------------------------------------- */

static cede_group *group;

enum { PARKED, SLEEPS, JOINS, WAITS_FOR_ALL, WAITS_FOR_GROUP, HELD, READY, ENDED, MEMBER, TASKS };
static cede_task tasks[TASKS];

void *dump_test_parks(void *arg);
void *dump_test_parks(void *arg)
{
    volatile char local[200]; /* bytes of stack that are really there */
    for (size_t i = 0; i < sizeof local; i++)
        local[i] = 1;
    int error = cede_task_park(arg ? CEDE_NEVER : 70000 * MS);
    return CEDE_AS_RESULT(error + local[7] - 1);
}

static void *sleeps(void *arg)
{
    (void)arg;
    return CEDE_AS_RESULT(cede_sleep_until(5000 * MS));
}

static void *joins(void *arg)
{
    (void)arg;
    return CEDE_AS_RESULT(cede_task_join(tasks[PARKED], CEDE_NEVER, NULL));
}

static void *waits_for_all(void *arg)
{
    (void)arg;
    cede_task two[2] = {tasks[SLEEPS], tasks[PARKED]};
    return CEDE_AS_RESULT(cede_task_wait(two, 2, 2, CEDE_NEVER, NULL));
}

static void *waits_for_group(void *arg)
{
    (void)arg;
    return CEDE_AS_RESULT(cede_group_wait(group, CEDE_NEVER, NULL));
}

static void *yields(void *arg)
{
    (void)arg;
    while (cede_task_yield() == 0) {
    }
    return NULL;
}

static void *ends(void *arg)
{
    return arg;
}

static void make(int which, cede_task_entry *entry, const char *name, unsigned flags)
{
    cede_task_options options = CEDE_TASK_OPTIONS(entry, which == MEMBER ? NULL : &tasks);
    options.stack = task_stack;
    options.name = name;
    options.flags = flags;
    int error = which == MEMBER ? cede_group_spawn_task(group, &tasks[which], &options)
                                : cede_task_create(&tasks[which], &options);
    assert_int_equal(error, 0);
}

static void set_the_scene(void)
{
    assert_int_equal(cede_group_create(&group, 0), 0);
    make(PARKED, dump_test_parks, "parked", 0);
    make(SLEEPS, sleeps, "sleeper", CEDE_TASK_URGENT);
    make(JOINS, joins, "joiner", 0);
    make(WAITS_FOR_ALL, waits_for_all, "", 0);
    make(WAITS_FOR_GROUP, waits_for_group, "leader", 0);
    make(HELD, ends, "held", CEDE_TASK_HELD);
    make(READY, yields, "busy", 0);
    make(ENDED, ends, "ended", 0);
    make(MEMBER, dump_test_parks, "member", 0);
    assert_int_equal(cede_sched_tick(1000 * MS), 1000 * MS);
    assert_int_equal(cede_task_set_timeout(tasks[PARKED], 9000 * MS), 0);
    assert_int_equal(cede_task_detach(tasks[WAITS_FOR_ALL]), 0);
    assert_int_equal(cede_sched_tick(2500 * MS), 2500 * MS);
}

static void end_the_scene(void)
{
    assert_int_equal(cede_sched_reset(), 0);
    assert_int_equal(cede_group_destroy(group), 0);
}

/* --- One task ------------------------------------------------------------------------------------------------------------ */

static cede_task_info info_of(int which)
{
    cede_task_info info = {.size = sizeof info};
    assert_int_equal(cede_task_info_get(tasks[which], &info), 0);
    assert_true(info.id == tasks[which]);
    return info;
}

static void infos(void)
{
    set_the_scene();
    cede_task_info parked = info_of(PARKED);
    assert_string_equal(parked.name, "parked");
    assert_true(parked.entry == dump_test_parks);
    assert_int_equal(parked.status, CEDE_TASK_WAITING);
    assert_string_equal(parked.waits_for, "a permit");
    assert_null(parked.object);
    assert_true(parked.holder == 0 && parked.deadline == CEDE_NEVER && parked.time_limit == 9000 * MS);
    assert_true(parked.waited == 1500 * MS);
    assert_true(parked.stack_bytes > 200 && parked.stack_bytes < 65536);
    assert_true(task_stack == CEDE_AUTO || parked.stack == task_stack);
    assert_false(parked.urgent || parked.canceled || parked.detached || parked.held);

    cede_task_info sleeper = info_of(SLEEPS);
    assert_string_equal(sleeper.waits_for, "the time");
    assert_true(sleeper.urgent && sleeper.deadline == 5000 * MS && sleeper.time_limit == CEDE_NEVER);
    assert_true(sleeper.waited > 1100 * MS && sleeper.waited < 1900 * MS); /* to 0.3 s */

    cede_task_info joiner = info_of(JOINS);
    assert_string_equal(joiner.waits_for, "the end");
    assert_true(joiner.holder == tasks[PARKED]);
    cede_task_info all = info_of(WAITS_FOR_ALL);
    assert_string_equal(all.waits_for, "the ends of tasks");
    assert_true(all.holder == tasks[SLEEPS] && all.detached && all.name[0] == '\0');
    cede_task_info leader = info_of(WAITS_FOR_GROUP);
    assert_string_equal(leader.waits_for, "group");
    assert_true(leader.object == group && leader.holder == tasks[MEMBER]);

    cede_task_info held = info_of(HELD);
    assert_true(held.held && held.status == CEDE_TASK_CREATED && held.stack_bytes == 0 && held.waited == -1);
    assert_null(held.waits_for);
    assert_int_equal(info_of(READY).status, CEDE_TASK_READY);
    assert_int_equal(info_of(ENDED).status, CEDE_TASK_DONE);
    assert_true(info_of(MEMBER).deadline == 70000 * MS);

    assert_int_equal(cede_task_cancel(tasks[PARKED]), 0);
    assert_true(info_of(PARKED).canceled && info_of(PARKED).status == CEDE_TASK_READY);
    end_the_scene();
}

static void a_long_wait(void)
{
    memset(tasks, 0, sizeof tasks);
    cede_task_options options = CEDE_TASK_OPTIONS(dump_test_parks, &tasks);
    assert_int_equal(cede_task_create(&tasks[PARKED], &options), 0);
    (void)cede_sched_tick(60000 * CEDE_SECOND);
    (void)cede_sched_tick(600000 * CEDE_SECOND);
    assert_true(info_of(PARKED).waited == 540000 * CEDE_SECOND);
    cede_sched_reset();
}

static void info_errors(void)
{
    cede_task_info info = {.size = sizeof info, .waited = 7};
    assert_int_equal(cede_task_info_get(0, &info), CEDE_ESTALE);
    assert_int_equal(cede_task_info_get(1, NULL), CEDE_EINVAL);
    info.size--;
    assert_int_equal(cede_task_info_get(1, &info), CEDE_EINVAL);
    assert_int_equal(info.waited, 7);
    assert_int_equal(cede_task_visit(NULL, NULL), CEDE_EINVAL);
    assert_int_equal(cede_dump(NULL), CEDE_EINVAL);
    assert_int_equal(cede_dump_waits(NULL), CEDE_EINVAL);
    assert_int_equal(cede_dump_all(NULL), CEDE_EINVAL);
    assert_int_equal(cede_dump_on_signal(0), CEDE_EINVAL);
    assert_int_equal(cede_dump_on_signal(9), CEDE_EINVAL);
    assert_int_equal(cede_dump_on_signal(11), CEDE_EINVAL);
    assert_int_equal(cede_dump_on_signal(100000), CEDE_EINVAL);
}

struct seen {
    unsigned bits, count, stop_at;
};

static int see(const cede_task_info *info, void *arg)
{
    struct seen *seen = arg;
    for (unsigned i = 0; i < TASKS; i++)
        if (info->id == tasks[i])
            seen->bits |= 1u << i;
    if (info->status < CEDE_TASK_DONE)
        (void)cede_task_kill(info->id); /* it may do what it likes */
    return ++seen->count == seen->stop_at ? 77 : 0;
}

static void visits(void)
{
    struct seen seen = {.stop_at = 4}, rest = {.stop_at = 0};
    set_the_scene();
    assert_int_equal(cede_task_visit(see, &seen), 77);
    assert_int_equal(seen.count, 4);
    assert_int_equal(cede_task_visit(see, &rest), 0);
    assert_int_equal(rest.bits, (1u << TASKS) - 1);
    assert_int_equal(rest.count, TASKS);
    end_the_scene();
    assert_int_equal(cede_task_visit(see, &rest), 0);
    assert_int_equal(rest.count, TASKS);
}

/* --- The dump ------------------------------------------------------------------------------------------------------------ */

static void check_part(const char *text, int which, const char *const *words)
{
    char *part = part_of(text, tasks[which]);
    for (; *words; words++)
        assert_has(part, *words);
    bool shared = strstr(part, "shared stack") != NULL;
    if (task_stack != CEDE_AUTO)
        assert_true(shared == (task_stack == CEDE_SHARED));
    free(part);
}

static void check_text(const char *text)
{
    char join[100], all[100], wait[100];
    snprintf(join, sizeof join, "waiting for the end of task %" PRIu64 " 'parked', 1500 ms\n", tasks[PARKED]);
    snprintf(all, sizeof all, "waiting for the ends of tasks such as task %" PRIu64 " 'sleeper', 1500 ms",
             tasks[SLEEPS]);
    snprintf(wait, sizeof wait, "waiting for group %p with task %" PRIu64 " 'member'", (void *)group, tasks[MEMBER]);
    check_part(text, PARKED,
               (const char *[]){"'parked' (dump_test_parks): waiting for a permit, 1500 ms, ",
                                "its time is up in 6500 ms\n", "stack, ", " bytes in use\n", NULL});
    check_part(text, SLEEPS,
               (const char *[]){"waiting for the time, ", " ms, at most 2500 ms more", "in use; urgent\n", NULL});
    check_part(text, JOINS, (const char *[]){join, NULL});
    check_part(text, WAITS_FOR_ALL, (const char *[]){all, "in use; detached\n", NULL});
    check_part(text, WAITS_FOR_GROUP, (const char *[]){wait, NULL});
    check_part(text, HELD, (const char *[]){": created\n", " stack; not started\n", NULL});
    check_part(text, READY, (const char *[]){": ready\n", NULL});
    check_part(text, ENDED, (const char *[]){": done\n", NULL});
    assert_has(text, "1 to be joined\n");
    assert_has(text, "since the start: ");
    assert_has_not(text, "no backtrace:");
    if (has_backtraces()) {
        check_part(text, PARKED, (const char *[]){"    at dump_test_parks+0x", NULL});
        check_part(text, MEMBER, (const char *[]){"    at dump_test_parks+0x", NULL});
    } else {
        assert_has(text, "no backtraces: not in this build");
    }
}

static void outside_of_tasks(void)
{
    struct text text;
    set_the_scene();
    FILE *stream = text_open(&text);
    assert_int_equal(cede_dump(stream), 0);
    fclose(stream);
    check_text(text.all);
    assert_has(text.all, "8 tasks that have not ended, 1 ready, 3 timers; 1 to be joined\n");
    free(text.all);
    for (int i = 0; i < 3; i++)
        assert_int_equal(cede_sched_tick(2500 * MS), 2500 * MS); /* they go on as if nothing had been */
    end_the_scene();
}

static FILE *dump_to;
static cede_task dumper;
static bool dumped;

void *dump_test_dumps(void *arg);
void *dump_test_dumps(void *arg)
{
    char local[300];
    memset(local, 3, sizeof local);
    dumper = cede_task_self();
    assert_int_equal(cede_dump(dump_to), 0);
    for (size_t i = 0; i < sizeof local; i++)
        assert_int_equal(local[i], 3);
    assert_true(cede_task_self() == dumper);
    dumped = true;
    return arg;
}

static void by_a_task(void)
{
    struct text text;
    set_the_scene();
    dump_to = text_open(&text);
    dumped = false;
    cede_task_options options = CEDE_TASK_OPTIONS(dump_test_dumps, NULL);
    options.stack = task_stack;
    options.name = "dumper";
    assert_int_equal(cede_task_create(NULL, &options), 0);
    assert_int_equal(cede_sched_tick(2500 * MS), 2500 * MS);
    assert_false(dumped); /* it has given way */
    assert_int_equal(cede_sched_tick(2500 * MS), 2500 * MS);
    assert_true(dumped);
    fclose(dump_to);
    check_text(text.all);
    tasks[HELD] = dumper;
    check_part(text.all, HELD,
               (const char *[]){"'dumper' (dump_test_dumps): running\n", " bytes in use; detached\n", NULL});
    if (has_backtraces())
        check_part(text.all, HELD, (const char *[]){"    at dump_test_dumps+0x", NULL});
    free(text.all);
    end_the_scene();
}

static void *dumps_and_is_canceled(void *arg)
{
    assert_int_equal(cede_task_cancel(cede_task_self()), 0);
    assert_int_equal(cede_dump(dump_to), 0); /* it does its work all the same */
    assert_int_equal(cede_task_yield(), CEDE_ECANCELED);
    return arg;
}

static void by_a_canceled_task(void)
{
    struct text text;
    dump_to = text_open(&text);
    assert_int_equal(cede_task_spawn(&dumper, task_stack, dumps_and_is_canceled, &dumper), 0);
    for (int i = 0; i < 4; i++)
        (void)cede_sched_tick(3000 * MS);
    fclose(dump_to);
    assert_int_equal(cede_task_status_get(dumper), CEDE_TASK_CANCELED);
    assert_has(text.all, "in use; canceled\n");
    free(text.all);
    assert_int_equal(cede_sched_reset(), 0);
}

/* --- Where nobody can wait ------------------------------------------------------------------------------------------------ */

static void *dumps_in_a_coroutine(void *arg, void *in)
{
    (void)arg;
    assert_int_equal(cede_dump(dump_to), 0);
    return in;
}

static void *resumes_a_dumper(void *arg)
{
    cede_coro *coro;
    dumper = cede_task_self();
    assert_int_equal(cede_coro_new(&coro, CEDE_PRIVATE, dumps_in_a_coroutine, NULL), 0);
    assert_int_equal(cede_coro_resume(coro, NULL, NULL), 0);
    assert_int_equal(cede_coro_destroy(coro), 0);
    return arg;
}

static void where_it_cannot_wait(void)
{
    struct text text;
    set_the_scene();
    dump_to = text_open(&text);
    assert_int_equal(cede_task_spawn(NULL, task_stack, resumes_a_dumper, NULL), 0);
    assert_int_equal(cede_sched_tick(2500 * MS), 2500 * MS);
    fclose(dump_to);
    check_part(text.all, PARKED, (const char *[]){"waiting for a permit, 1500 ms, ", NULL});
    tasks[HELD] = dumper;
    check_part(text.all, HELD, (const char *[]){": running\n", NULL});
    if (has_backtraces()) {
        check_part(text.all, HELD, (const char *[]){"    runs\n", NULL});
        if (task_stack == CEDE_SHARED && task_shared_stacks == 1)
            check_part(text.all, PARKED, (const char *[]){"    no backtrace: its stack is the caller's now\n", NULL});
    }
    free(text.all);
    end_the_scene();
}

static void no_tasks(void)
{
    struct text text;
    FILE *stream = text_open(&text);
    assert_int_equal(cede_dump(stream), 0);
    assert_int_equal(cede_dump_waits(stream), 0);
    fclose(stream);
    assert_has(text.all, "0 tasks that have not ended, 0 ready, 0 timers; 0 to be joined\n");
    assert_has(text.all, "no task waits\n");
    free(text.all);
}

/* --- Who waits for whom --------------------------------------------------------------------------------------------------- */

static void waits(void)
{
    struct text text;
    char line[200];
    set_the_scene();
    FILE *stream = text_open(&text);
    assert_int_equal(cede_dump_waits(stream), 0);
    fclose(stream);
    snprintf(line, sizeof line, "    task %" PRIu64 " 'joiner' waits for the end of task %" PRIu64 " 'parked'\n",
             tasks[JOINS], tasks[PARKED]);
    assert_has(text.all, line);
    assert_has(text.all, "'leader' waits for group ");
    assert_has(text.all, "'parked' waits for a permit\n");
    assert_has_not(text.all, "circle");
    assert_has_not(text.all, "busy");
    free(text.all);
    end_the_scene();
}

static void *awaits(void *arg)
{
    return CEDE_AS_RESULT(cede_task_await(*(cede_task *)arg, CEDE_NEVER));
}

static void circles(void)
{
    struct text text;
    char circle[200];
    cede_task a, b, c, d;
    assert_int_equal(cede_task_spawn(&a, task_stack, awaits, &b), 0);
    assert_int_equal(cede_task_spawn(&b, task_stack, awaits, &c), 0);
    assert_int_equal(cede_task_spawn(&c, task_stack, awaits, &b), 0);
    assert_int_equal(cede_task_spawn(&d, task_stack, awaits, &a), 0);
    cede_task_set_name(b, "bee");
    (void)cede_sched_tick(1);
    FILE *stream = text_open(&text);
    assert_int_equal(cede_dump_waits(stream), 0);
    fclose(stream);
    snprintf(circle, sizeof circle,
             "    circle: task %" PRIu64 " 'bee' waits for the end of task %" PRIu64
             ", which waits for the end of task %" PRIu64 " 'bee'\n",
             b, c, b);
    assert_has(text.all, circle);
    assert_null(strstr(strstr(text.all, "circle") + 1, "circle")); /* just once */
    free(text.all);
    assert_int_equal(cede_sched_reset(), 0);
}

int main(void)
{
    static const struct task_test tests[] = {
        TASK_TEST_ONCE(info_errors),
        TASK_TEST_ONCE(no_tasks),
        TASK_TEST(infos),
        TASK_TEST(visits),
        TASK_TEST(outside_of_tasks),
        TASK_TEST(by_a_task),
        TASK_TEST(by_a_canceled_task),
        TASK_TEST(where_it_cannot_wait),
        TASK_TEST(waits),
        TASK_TEST(circles),
        TASK_TEST_ONCE(a_long_wait),
    };
    return TASK_RUN("task_dump", tests);
}
