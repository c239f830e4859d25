// Frames for many connections: each is stored once, and a connection's share of a batch leaves with one
// system call. The call costs ten times as much as copying its kilobytes.
//
// Order: bytes passed to `ct_send` follow the batched frames added before them and precede those added after.
// If a socket takes only part of its share, the library sends the rest before anything else, so that not even
// one of the library's own pongs comes between two halves of a frame.
//
// Bounds: a batch is sent when it holds `BATCH_BYTES_MAX`, and a connection's share when it holds
// `SHARE_BYTES_MAX` or `PIECES_MAX` pieces. That much, plus one message, can wait beyond the send queue; it
// counts as queued.
#include "internal.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { BATCH_BYTES_MAX = 512 << 10, SHARE_BYTES_MAX = 64 << 10, PIECES_FIRST = 4, PIECES_MAX = 64 };
enum { HEADER_BYTES_MAX = 10 };

/// Part of a batch.
struct ct_piece {
    uint32_t start, length;
};

static bool has_room(ct_batch *batch, size_t length) {
    size_t capacity = batch->capacity ? batch->capacity : 65536;
    while (capacity < batch->length + length) capacity *= 2;
    if (capacity <= batch->capacity) return true;
    uint8_t *memory = ct_grow(batch->memory, capacity);
    if (!memory) return false;
    batch->memory = memory;
    batch->capacity = capacity;
    return true;
}

// Writes the header of a server's unfragmented text message and returns its length.
static size_t put_header(uint8_t *to, size_t length) {
    to[0] = 0x81;
    int bytes = length < 126 ? 0 : length < 65536 ? 2 : 8;
    to[1] = bytes == 0 ? (uint8_t)length : bytes == 2 ? 126 : 127;
    for (int index = 0; index < bytes; index += 1) {
        to[2 + index] = (uint8_t)(length >> 8 * (bytes - 1 - index));
    }
    return 2 + (size_t)bytes;
}

ct_place ct_batch_add(ct_loop *loop, const uint8_t *bytes, size_t length, bool is_text) {
    ct_batch *batch = &loop->batch;
    if (batch->length && batch->length + length + HEADER_BYTES_MAX > BATCH_BYTES_MAX) ct_batch_send(loop);
    if (length > UINT32_MAX / 4 || !has_room(batch, length + HEADER_BYTES_MAX)) return (ct_place){0};
    ct_place place = {.batch = batch->number, .start = (uint32_t)batch->length};
    if (is_text) batch->length += put_header(batch->memory + batch->length, length);
    memcpy(batch->memory + batch->length, bytes, length);
    batch->length += length;
    place.length = (uint32_t)batch->length - place.start;
    return place;
}

bool ct_batch_holds(const ct_loop *loop, ct_place place) {
    return place.length && place.batch == loop->batch.number;
}

static bool may_write_directly(ct_connection *connection) {
    return !connection->tls && !lws_partial_buffered(connection->wsi);
}

size_t ct_write_directly(ct_connection *connection, const uint8_t *head, size_t head_length,
                         const uint8_t *body, size_t body_length) {
    if (!may_write_directly(connection) || connection->queue.head != connection->queue.tail) return 0;
    struct iovec parts[] = {
        {(void *)(uintptr_t)head, head_length}, {(void *)(uintptr_t)body, body_length}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t sent = sendmsg(lws_get_socket_fd(connection->wsi), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    // The library meets the same error when it writes the rest, and handles it.
    if (sent < 0) return 0;
    ct_count(connection->loop, CT_COUNT_BYTES_OUT, (uint64_t)sent);
    return (size_t)sent;
}

// Sends what a plain socket takes at once; nothing if TLS is in use or the library has bytes to write first.
static ssize_t send_directly(ct_connection *connection, int count) {
    struct iovec parts[PIECES_MAX];
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
    if (!may_write_directly(connection)) return 0;
    for (int index = 0; index < count; index += 1) {
        ct_piece piece = connection->pieces[index];
        parts[index] = (struct iovec){connection->loop->batch.memory + piece.start, piece.length};
    }
    ssize_t sent = sendmsg(lws_get_socket_fd(connection->wsi), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : sent;
}

// Passes the rest to the library in one write.
static void hand_over(ct_connection *connection, int count, size_t sent, size_t rest) {
    ct_loop *loop = connection->loop;
    uint8_t *room = ct_allocate(LWS_PRE + rest);
    if (!room) return ct_kill(connection);
    uint8_t *to = room + LWS_PRE;
    for (int index = 0; index < count; index += 1) {
        ct_piece piece = connection->pieces[index];
        size_t skipped = sent < piece.length ? sent : piece.length;
        memcpy(to, loop->batch.memory + piece.start + skipped, piece.length - skipped);
        to += piece.length - skipped;
        sent -= skipped;
    }
    ct_write_now(connection, room + LWS_PRE, rest);
    free(room);
}

void ct_batch_send_to(ct_connection *connection) {
    int count = connection->piece_count;
    size_t length = connection->batched;
    if (!count) return;
    connection->piece_count = 0;
    connection->batched = 0;
    ct_count_queue(connection);
    if (connection->ended || connection->doomed || connection->closing) return;
    ssize_t sent = send_directly(connection, count);
    if (sent < 0) return ct_kill(connection);
    ct_count(connection->loop, CT_COUNT_BYTES_OUT, (uint64_t)sent);
    if ((size_t)sent < length) hand_over(connection, count, (size_t)sent, length - (size_t)sent);
}

void ct_batch_send(ct_loop *loop) {
    ct_batch *batch = &loop->batch;
    if (!batch->length) return;
    for (size_t index = 0; index < batch->count; index += 1) {
        ct_connection *connection = batch->connections[index];
        if (!connection) continue;
        connection->batch_index = 0;
        ct_batch_send_to(connection);
    }
    batch->count = 0;
    batch->length = 0;
    batch->number += 1;
    if (batch->capacity <= 2 * BATCH_BYTES_MAX) return;
    free(batch->memory);
    batch->memory = NULL;
    batch->capacity = 0;
}

void ct_batch_free(ct_loop *loop) {
    free(loop->batch.memory);
    free(loop->batch.connections);
}

static bool join(ct_connection *connection) {
    ct_batch *batch = &connection->loop->batch;
    if (connection->batch_index) return true;
    if (batch->count == batch->connections_capacity) {
        size_t capacity = batch->connections_capacity ? 2 * batch->connections_capacity : 64;
        ct_connection **connections = ct_grow(batch->connections, capacity * sizeof *connections);
        if (!connections) return false;
        batch->connections = connections;
        batch->connections_capacity = capacity;
    }
    batch->connections[batch->count] = connection;
    batch->count += 1;
    connection->batch_index = batch->count;
    return true;
}

void ct_batch_leave(ct_connection *connection) {
    if (connection->batch_index) connection->loop->batch.connections[connection->batch_index - 1] = NULL;
    connection->batch_index = 0;
    connection->piece_count = 0;
    connection->batched = 0;
    free(connection->pieces);
    connection->pieces = NULL;
}

static bool add_piece(ct_connection *connection, ct_place place) {
    int count = connection->piece_count;
    ct_piece *last = count ? connection->pieces + count - 1 : NULL;
    if (last && last->start + last->length == place.start) {
        last->length += place.length;
        return true;
    }
    if (!connection->pieces || count == connection->piece_capacity) {
        int capacity = connection->pieces ? 2 * connection->piece_capacity : PIECES_FIRST;
        ct_piece *pieces = ct_grow(connection->pieces, (size_t)capacity * sizeof *pieces);
        if (!pieces) return false;
        connection->pieces = pieces;
        connection->piece_capacity = capacity;
    }
    connection->pieces[count] = (ct_piece){place.start, place.length};
    connection->piece_count = count + 1;
    return true;
}

bool ct_send_batched(ct_connection *connection, ct_place place) {
    ct_loop *loop = connection->loop;
    bool is_open = connection->stage == CT_OPEN && !connection->ended && !connection->doomed
        && !connection->closing;
    if (!is_open || !ct_batch_holds(loop, place)) {
        ct_count(loop, CT_COUNT_SEND_REFUSED, 1);
        return false;
    }
    if (connection->piece_count == PIECES_MAX || connection->batched + place.length > SHARE_BYTES_MAX) {
        ct_batch_send_to(connection);
    }
    // Keep the order: after what is queued.
    if (connection->congested || connection->queue.head != connection->queue.tail) {
        return ct_send(connection, CT_RAW, loop->batch.memory + place.start, place.length);
    }
    if (!join(connection) || !add_piece(connection, place)) {
        // Out of memory: a client that misses a frame must not stay connected.
        ct_kill(connection);
        return false;
    }
    connection->batched += place.length;
    ct_count_queue(connection);
    ct_count(loop, CT_COUNT_FRAMES_OUT, 1);
    return true;
}
