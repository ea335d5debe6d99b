/* SPDX-License-Identifier: MIT */
/*
 * base/message.h - one line on standard error, also from a signal handler: no malloc, no stdio, no locale.
 */
#ifndef CEDE_BASE_MESSAGE_H
#define CEDE_BASE_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

struct cede__message {
    size_t length;
    char text[512]; /* what does not fit is cut */
};

/* Begins a line with "cede: ". */
void cede__message_begin(struct cede__message *message);
void cede__message_text(struct cede__message *message, const char *text);
void cede__message_decimal(struct cede__message *message, uint64_t number);
void cede__message_address(struct cede__message *message, const void *address);
/* Ends the line and writes it. */
void cede__message_end(struct cede__message *message);

/* Writes "cede: " and the text, and aborts: for damage that cannot be returned as an error. */
_Noreturn void cede__die(const char *text);

#endif
