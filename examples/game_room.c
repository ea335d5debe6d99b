/* SPDX-License-Identifier: MIT */
/*
 * game_room.c - a room of a game server with 100,000 players.
 *
 * Each player's session is a task on a shared stack, written as if it were alone: it asks the store for something, waits
 * for the reply with that id, and goes on. Most replies come in time, some come late, some never. Sessions of players who
 * have fallen asleep are ended by a manager.
 *
 * The server has a loop and a clock of its own, which here is simulated: a millisecond passes when all that was to be done
 * in it has been done.
 *
 * Usage: game_room [PLAYERS]
 */
#include <cede/cede.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PLAYERS = 100000,
    ROUNDS = 3,       /* questions a player asks */
    PATIENCE_MS = 50, /* for a reply */
    ROOM_MS = 500,    /* that a player may stay, */
    SLEEPY = 100,     /* and every so manieth one would for ever */
    LATEST_MS = 128   /* of a reply */
};

static struct {
    long asked, replied, timed_out, late, lost, wrong, sent_home;
} seen;

/* --- The store, which is far away ---------------------------------------------------------------------------------- */

/* A question on its way, with the id of the call. It comes back when its time has come. */
struct question {
    struct question *next;
    uint64_t id;
    long player;
};

static struct question *due[LATEST_MS]; /* by the millisecond of the reply */
static struct question *unused;
static int64_t now_ms = 1;

static unsigned dice(void)
{
    static uint32_t state = 12345;
    state = state * 1664525u + 1013904223u;
    return state >> 16;
}

static void send_question(uint64_t id, long player)
{
    unsigned luck = dice() % 100;
    seen.asked++;
    if (luck < 5) { /* lost on the way */
        seen.lost++;
        return;
    }
    struct question *question = unused;
    unused = question->next;
    question->id = id;
    question->player = player;
    unsigned ms = luck < 15 ? PATIENCE_MS + 1 + dice() % 70 : 1 + dice() % (PATIENCE_MS - 1);
    struct question **place = &due[(now_ms + ms) % LATEST_MS];
    question->next = *place;
    *place = question;
}

/* What arrives from the network in this millisecond. */
static void receive_replies(void)
{
    struct question **place = &due[now_ms % LATEST_MS];
    while (*place) {
        struct question *question = *place;
        long score = question->player * 7;
        *place = question->next;
        if (cede_rpc_complete(question->id, &score, sizeof score) == CEDE_ESTALE)
            seen.late++; /* nobody waits for it any more */
        question->next = unused;
        unused = question;
    }
}

/* --- The sessions --------------------------------------------------------------------------------------------------- */

static int ask_for_score(long player, long *score)
{
    uint64_t id;
    void *bytes;
    size_t length;
    int error = cede_rpc_begin(&id);
    if (error)
        return error;
    send_question(id, player);
    error = cede_rpc_wait(id, cede_after(PATIENCE_MS * CEDE_MILLISECOND), &bytes, &length);
    if (!error && length == sizeof *score)
        memcpy(score, bytes, sizeof *score);
    cede_rpc_free(bytes);
    return error;
}

static void *session(void *arg)
{
    long player = (long)(intptr_t)arg;
    for (int round = 0; round < ROUNDS; round++) {
        long score = 0;
        int error = ask_for_score(player, &score);
        if (error == CEDE_ETIMEDOUT)
            seen.timed_out++;
        else if (error || score != player * 7)
            seen.wrong++;
        else
            seen.replied++;
    }
    if (player % SLEEPY == 0 && cede_task_park(CEDE_NEVER) == CEDE_ECANCELED)
        seen.sent_home++;
    return NULL;
}

static int open_sessions(cede_manager *room, cede_stack_choice stack, long players)
{
    for (long player = 1; player <= players; player++) {
        cede_task task;
        int error = cede_task_spawn(&task, stack, session, (void *)(intptr_t)player);
        if (!error)
            error = cede_manager_add(room, task, ROOM_MS * CEDE_MILLISECOND);
        if (error)
            return error;
        cede_task_detach(task);
    }
    return CEDE_OK;
}

/* --- The server's loop ---------------------------------------------------------------------------------------------- */

static long resident_bytes(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%*d %ld", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return pages * 4096;
}

static void run_room(cede_manager *room)
{
    for (; cede_manager_size(room) > 0; now_ms++) {
        int64_t now = now_ms * CEDE_MILLISECOND;
        receive_replies();
        cede_manager_tick(room, now);
        cede_sched_tick(now);
    }
}

static int play(cede_stack_choice stack, long players)
{
    cede_manager *room;
    long before = resident_bytes();
    int error = cede_manager_create(&room);
    if (error)
        return error;
    error = open_sessions(room, stack, players);
    if (error) {
        cede_manager_destroy(room);
        return error;
    }
    cede_sched_tick(now_ms * CEDE_MILLISECOND); /* everybody asks, and waits */
    printf("%ld sessions await a reply, with %ld bytes each\n", players, (resident_bytes() - before) / players);
    run_room(room);
    return cede_manager_destroy(room);
}

static int make_questions(long count)
{
    struct question *questions = malloc((size_t)count * sizeof *questions);
    for (long i = 0; questions && i < count; i++) {
        questions[i].next = unused;
        unused = &questions[i];
    }
    return questions ? CEDE_OK : CEDE_ENOMEM; /* for as long as the program runs */
}

int main(int argc, char **argv)
{
    long players = argc > 1 ? strtol(argv[1], NULL, 10) : PLAYERS;
    if (players < 1)
        return 2;
    int error = make_questions(ROUNDS * players);
    if (!error)
        error = play(CEDE_SHARED, players);
    if (error == CEDE_ENOTSUP) /* a split-stack build */
        error = play(CEDE_PRIVATE, players / 100 + 1);
    if (error) {
        fprintf(stderr, "game_room: %s\n", cede_strerror(error));
        return 1;
    }
    printf("%ld questions: %ld replies, %ld timeouts: %ld replies were late, %ld were lost\n", seen.asked, seen.replied,
           seen.timed_out, seen.late, seen.lost);
    printf("%ld players were asleep, and were sent home after %d ms\n", seen.sent_home, ROOM_MS);
    return seen.wrong || seen.replied + seen.timed_out != seen.asked || seen.late + seen.lost < seen.timed_out;
}
