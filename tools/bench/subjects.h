/* SPDX-License-Identifier: MIT */
/*
 * subjects.h - what is measured: the library in its forms, its rivals, and limits that no library can pass.
 */
#ifndef CEDE_BENCH_SUBJECTS_H
#define CEDE_BENCH_SUBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum subject_kind {
    SUBJECT_OURS,
    SUBJECT_RIVAL,
    SUBJECT_LIMIT /* hand-written, without an API */
};

struct subject {
    const char *name; /* its program is bench-NAME */
    enum subject_kind kind;
    uint32_t bytes_each; /* memory of one coroutine, about, to see beforehand what cannot fit; 0: little */
    const char *package; /* Debian package that the program needs; NULL: none */
    const char *what;
    const char *cases; /* those that its program knows, with spaces between; once it is built, it says so itself */
};

enum { SUBJECTS_MAX = 32 };

/* In the order in which a rival is chosen to be compared with. */
extern const struct subject subject_list[];
extern const size_t subject_count;

/* NULL if there is none of this name. */
const struct subject *subject_find(const char *name);

/* Whether a list of words with spaces between contains this one. */
bool words_contain(const char *words, const char *word);

#endif
