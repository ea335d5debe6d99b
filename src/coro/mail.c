/* SPDX-License-Identifier: MIT */
/*
 * coro/mail.c - a coroutine's mailbox: a ring of bytes in the heap, made at the first message.
 *
 * Each message is its length in 4 bytes, then its bytes, padded to a multiple of 4; so a length never wraps around the
 * end of the ring, while the bytes may.
 */
#include "base/compiler.h"

#include "coro/coro.h"

#include <string.h>

#include <cede/error.h>

struct cede__mailbox {
    uint32_t first; /* offset of the oldest message */
    uint32_t used;  /* bytes of the ring in use */
    unsigned char ring[CEDE_MAILBOX_SIZE];
};

static uint32_t padded(size_t length)
{
    return (uint32_t)((length + 3) & ~(size_t)3);
}

static void copy_in(struct cede__mailbox *box, uint32_t offset, const void *bytes, size_t length)
{
    uint32_t at = offset % CEDE_MAILBOX_SIZE;
    size_t until_end = CEDE_MAILBOX_SIZE - at, first = length < until_end ? length : until_end;
    memcpy(box->ring + at, bytes, first);
    memcpy(box->ring, (const char *)bytes + first, length - first);
}

static void copy_out(const struct cede__mailbox *box, uint32_t offset, void *bytes, size_t length)
{
    uint32_t at = offset % CEDE_MAILBOX_SIZE;
    size_t until_end = CEDE_MAILBOX_SIZE - at, first = length < until_end ? length : until_end;
    memcpy(bytes, box->ring + at, first);
    memcpy((char *)bytes + first, box->ring, length - first);
}

void cede__mailbox_empty(struct cede__mailbox *mailbox)
{
    mailbox->first = 0;
    mailbox->used = 0;
}

void cede__mailbox_destroy(struct cede__mailbox *mailbox)
{
    if (mailbox)
        cede__cell_free(mailbox, sizeof *mailbox);
}

int cede__cold_make(cede_coro *coro)
{
    if (coro->cold)
        return CEDE_OK;
    void *cold;
    int error = cede__cell_alloc(&cold, CEDE__CELL_SAVE, sizeof *coro->cold);
    if (!error)
        coro->cold = memset(cold, 0, sizeof *coro->cold);
    return error;
}

static int need_mailbox(cede_coro *coro)
{
    int error = cede__cold_make(coro);
    if (error || coro->cold->mailbox)
        return error;
    void *mailbox;
    error = cede__cell_alloc(&mailbox, CEDE__CELL_SAVE, sizeof *coro->cold->mailbox);
    if (error)
        return error; /* the name's block, if it was made here, stays for the next try */
    cede__mailbox_empty(mailbox);
    coro->cold->mailbox = mailbox;
    return CEDE_OK;
}

static bool runs_here(const cede_coro *coro, const struct cede__thread *thread)
{
    for (const struct cede__hot *hot = cede__hot_actor(thread->tls.current); hot; hot = cede__hot_actor(hot->link))
        if (hot == &coro->hot)
            return true;
    return false;
}

static int find(cede_coro *handle, cede_coro **out)
{
    const struct cede__thread *thread = cede__thread_here();
    int error = cede__coro_find(handle, out);
    if (!error && cede__coro_gate(*out) == CEDE__GATE_RUNNING)
        return runs_here(*out, thread) ? CEDE_OK : CEDE_EPERM;
    return error ? error : cede__coro_check_thread(*out, thread);
}

int cede_coro_send(cede_coro *handle, const void *bytes, size_t length)
{
    cede_coro *coro;
    int error = find(handle, &coro);
    if (error)
        return error;
    if (!bytes && length)
        return CEDE_EINVAL;
    if (length > CEDE_MESSAGE_MAX)
        return CEDE_EMSGSIZE;
    error = need_mailbox(coro);
    if (error)
        return error;
    struct cede__mailbox *box = coro->cold->mailbox;
    uint32_t header = (uint32_t)length;
    if (box->used + sizeof header + padded(length) > CEDE_MAILBOX_SIZE)
        return CEDE_EFULL;
    copy_in(box, box->first + box->used, &header, sizeof header);
    if (length)
        copy_in(box, box->first + box->used + (uint32_t)sizeof header, bytes, length);
    box->used += (uint32_t)sizeof header + padded(length);
    return CEDE_OK;
}

int cede_coro_receive(cede_coro *handle, void *bytes, size_t room, size_t *length)
{
    cede_coro *coro;
    uint32_t header;
    int error = find(handle, &coro);
    if (error)
        return error;
    if (!length || (!bytes && room))
        return CEDE_EINVAL;
    struct cede__mailbox *box = coro->cold ? coro->cold->mailbox : NULL;
    if (!box || box->used == 0)
        return CEDE_EEMPTY;
    copy_out(box, box->first, &header, sizeof header);
    *length = header;
    if (header > room)
        return CEDE_EMSGSIZE;
    if (header)
        copy_out(box, box->first + (uint32_t)sizeof header, bytes, header);
    box->first = (box->first + (uint32_t)sizeof header + padded(header)) % CEDE_MAILBOX_SIZE;
    box->used -= (uint32_t)sizeof header + padded(header);
    return CEDE_OK;
}
