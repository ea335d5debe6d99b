/* SPDX-License-Identifier: MIT */
/*
 * base/message.c - building and writing one line.
 */
#include "base/compiler.h"

#include "base/message.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static void append(struct cede__message *message, char c)
{
    if (message->length < sizeof message->text - 1) /* keeps room for the line feed */
        message->text[message->length++] = c;
}

void cede__message_begin(struct cede__message *message)
{
    message->length = 0;
    cede__message_text(message, "cede: ");
}

void cede__message_text(struct cede__message *message, const char *text)
{
    while (*text)
        append(message, *text++);
}

static void append_number(struct cede__message *message, uint64_t number, unsigned base)
{
    char digits[20];
    size_t count = 0;
    do
        digits[count++] = "0123456789abcdef"[number % base];
    while ((number /= base) != 0);
    while (count > 0)
        append(message, digits[--count]);
}

void cede__message_decimal(struct cede__message *message, uint64_t number)
{
    append_number(message, number, 10);
}

void cede__message_address(struct cede__message *message, const void *address)
{
    cede__message_text(message, "0x");
    append_number(message, (uintptr_t)address, 16);
}

void cede__message_end(struct cede__message *message)
{
    int saved_errno = errno;
    message->text[message->length++] = '\n';
    for (size_t done = 0; done < message->length;) {
        ssize_t written = write(STDERR_FILENO, message->text + done, message->length - done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            break; /* nobody can be told */
        done += (size_t)written;
    }
    errno = saved_errno;
}

_Noreturn void cede__die(const char *text)
{
    struct cede__message message;
    cede__message_begin(&message);
    cede__message_text(&message, text);
    cede__message_end(&message);
    abort();
}
