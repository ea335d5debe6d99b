/* SPDX-License-Identifier: MIT */
/*
 * crawl.c - a crawl of linked pages: a group of tasks, one for each page, with a deadline for all of them.
 *
 * Nobody knows beforehand how many tasks there will be: each page that is read spawns one for each link that nobody has
 * followed yet, in the same group. The group is a scope: when cede_group_close returns, all of them have ended, whether
 * all went well, the deadline has passed, or one has failed, after which the others are canceled. Nothing is left
 * running, and the first error is known.
 *
 * The web is made up here, and a server's answer is a sleep.
 */
#include <cede/cede.h>

#include <stdio.h>
#include <string.h>

enum { PAGES = 2000, LINKS = 5, ERROR_NOT_FOUND = 404 };

struct crawl {
    cede_group *group;
    int64_t answer_time; /* ns that a server takes; four times that, where it is slow */
    int broken;          /* a page that cannot be read; -1: none */
    int read, given_up;  /* pages */
    bool found[PAGES];   /* somebody reads it, or has read it */
};

/* The captures of a task: each one has its own. */
struct visit {
    struct crawl *crawl;
    int page;
};

static int link_of(int page, int number)
{
    return (int)((unsigned)page * (unsigned)(LINKS - 1) + (unsigned)number + 1) % PAGES;
}

static int read_page(const struct crawl *crawl, int page)
{
    int error = cede_sleep_until(cede_after(crawl->answer_time * (1 + page % 4)));
    if (error)
        return error;
    return page == crawl->broken ? ERROR_NOT_FOUND : 0;
}

static int follow(struct crawl *crawl, int page);

static void *visit(void *arg)
{
    const struct visit *my = arg;
    struct crawl *crawl = my->crawl;
    int error = read_page(crawl, my->page);
    if (error == CEDE_ECANCELED)
        crawl->given_up++;
    else
        crawl->read++;
    for (int i = 0; i < LINKS && !error; i++)
        error = follow(crawl, link_of(my->page, i));
    return CEDE_AS_RESULT(error);
}

/* Has a page read, if nobody else does. */
static int follow(struct crawl *crawl, int page)
{
    struct visit captures = {crawl, page};
    cede_task_options options = CEDE_TASK_OPTIONS(visit, &captures);
    options.arg_size = sizeof captures;
    options.stack = CEDE_AUTO; /* shallow and often asleep: on a shared stack, when that has been seen */
    if (crawl->found[page])
        return CEDE_OK;
    crawl->found[page] = true;
    return cede_group_spawn_task(crawl->group, NULL, &options);
}

/* Sets *first to the first error of a task. */
static int crawl_all(struct crawl *crawl, int64_t time, int *first)
{
    int error = cede_group_create(&crawl->group, CEDE_GROUP_CANCEL_ON_ERROR);
    if (error)
        return error;
    error = follow(crawl, 0);
    if (error)
        cede_group_cancel(crawl->group);
    int closed = cede_group_close(crawl->group, cede_after(time), first);
    return error ? error : closed;
}

static int failures;

static void check(bool ok, const char *what, const struct crawl *crawl)
{
    printf("%s: %d pages read, %d given up\n", what, crawl->read, crawl->given_up);
    failures += !ok;
}

static void *run(void *arg)
{
    static struct crawl whole = {.answer_time = CEDE_MILLISECOND, .broken = -1};
    static struct crawl torn = {.answer_time = CEDE_MILLISECOND, .broken = 3};
    static struct crawl slow = {.answer_time = 3600 * CEDE_SECOND, .broken = -1};
    int first = 0, error = crawl_all(&whole, 3600 * CEDE_SECOND, &first);
    check(!error && !first && whole.read == PAGES && whole.given_up == 0, "the whole web", &whole);
    error = crawl_all(&torn, 3600 * CEDE_SECOND, &first);
    check(!error && first == ERROR_NOT_FOUND && torn.read < PAGES, "until the first broken link", &torn);
    error = crawl_all(&slow, 20 * CEDE_MILLISECOND, &first);
    check(error == CEDE_ETIMEDOUT && slow.read == 0 && slow.given_up == 1, "until the deadline", &slow);
    return arg;
}

int main(void)
{
    int error = cede_run(run, NULL, NULL);
    if (error) {
        fprintf(stderr, "crawl: %s\n", cede_strerror(error));
        return 1;
    }
    return failures == 0 ? 0 : 1;
}
