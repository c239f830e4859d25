// What goes out by one connection, in order: messages, pieces of an answer, the close frame. See batch.c for
// frames that many connections get.
//
// Bounds: `queue_bytes_max` of the loop, except for an answer, which its caller bounds; the kernel keeps some
// 64 KB unsent of a WebSocket or a streamed answer.
#include "internal.h"
#include <netinet/tcp.h>
#include <stdlib.h>

typedef struct record {
    uint32_t length;
    uint32_t frame;
    uint8_t room[LWS_PRE];
} record;

// Bytes of a response sent at a time: other connections are served in between, and the library buffers at
// most this much. An empty queue keeps no more memory than that.
enum { RESPONSE_PIECE_BYTES = 65536, RESPONSE_STALL_SECONDS = 20, KEPT_BYTES = 65536 };
void ct_count_queue(ct_connection *connection) {
    size_t now = ct_queued_bytes(connection);
    connection->loop->queued += now - connection->counted;
    if (connection->owner) connection->owner->queued += now - connection->counted;
    connection->counted = now;
}

size_t ct_loop_queued_bytes(const ct_loop *loop) { return loop->queued; }

size_t ct_queued_bytes(const ct_connection *connection) {
    return connection->queue.tail - connection->queue.head + connection->lent + connection->batched;
}

bool ct_congested(const ct_connection *connection) { return connection->congested; }

static size_t record_bytes(size_t length) { return (sizeof(record) + length + 7) & ~(size_t)7; }

bool ct_queue_append(ct_queue *queue, size_t capacity_max, ct_frame frame, const uint8_t *bytes,
                     size_t length) {
    size_t needed = record_bytes(length), held = queue->tail - queue->head;
    if (length > UINT32_MAX || needed > capacity_max || held > capacity_max - needed) return false;
    // Compact only when at least as much has been sent as has to be moved.
    if (queue->head >= held && queue->head && queue->tail + needed > queue->capacity) {
        memmove(queue->memory, queue->memory + queue->head, held);
        queue->head = 0;
        queue->tail = held;
    }
    if (queue->tail + needed > queue->capacity) {
        size_t capacity = queue->capacity ? queue->capacity : 4096;
        while (capacity < queue->tail + needed) capacity *= 2;
        uint8_t *memory = ct_grow(queue->memory, capacity);
        if (!memory) return false;
        queue->memory = memory;
        queue->capacity = capacity;
    }
    record *next = (record *)(void *)(queue->memory + queue->tail);
    next->length = (uint32_t)length;
    next->frame = frame;
    memcpy(next + 1, bytes, length);
    queue->tail += needed;
    return true;
}

void ct_bound_unsent(ct_connection *connection) {
    int bytes = 65536, descriptor = lws_get_socket_fd(connection->wsi);
    // Without it, all works as before.
    if (descriptor >= 0) setsockopt(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof bytes);
}

static int wait_for_room(ct_connection *connection) {
    connection->congested = true;
    ct_pace_reading(connection);
    ct_want_room(connection);
    return 0;
}

static int write_record(ct_connection *connection, record *record) {
    uint8_t *payload = (uint8_t *)(record + 1);
    enum lws_write_protocol protocol = LWS_WRITE_HTTP;
    switch ((ct_frame)record->frame) {
    case CT_RAW: break;
    case CT_TEXT: protocol = LWS_WRITE_TEXT; break;
    case CT_BINARY: protocol = LWS_WRITE_BINARY; break;
    case CT_PING: protocol = LWS_WRITE_PING; break;
    case CT_CLOSE:
        connection->closing = true;
        lws_close_reason(connection->wsi, (enum lws_close_status)(payload[0] << 8 | payload[1]), payload + 2,
                         record->length - 2);
        return -1;
    }
    ct_count(connection->loop, CT_COUNT_BYTES_OUT, record->length);
    if (lws_write(connection->wsi, payload, record->length, protocol) < 0) return -1;
    connection->lent = lws_partial_buffered(connection->wsi) ? record->length : 0;
    return 0;
}

// Restarts the time limit for what was just handed to the socket.
static void limit_piece(ct_connection *connection) {
    lws_set_timeout(connection->wsi, PENDING_TIMEOUT_HTTP_CONTENT, RESPONSE_STALL_SECONDS);
}

static int flush(ct_connection *connection) {
    ct_queue *queue = &connection->queue;
    if (!lws_partial_buffered(connection->wsi)) connection->lent = 0;
    while (queue->head < queue->tail && !lws_partial_buffered(connection->wsi)) {
        record *next = (record *)(void *)(queue->memory + queue->head);
        queue->head += record_bytes(next->length);
        if (write_record(connection, next)) return -1;
        if (connection->kind != CT_REQUEST) continue;
        limit_piece(connection);
        break;
    }
    if (queue->head < queue->tail || lws_partial_buffered(connection->wsi)) return wait_for_room(connection);
    ct_pace_reading(connection);
    ct_want_no_room(connection);
    queue->head = queue->tail = 0;
    if (queue->capacity > KEPT_BYTES) {
        free(queue->memory);
        *queue = (ct_queue){0};
    }
    if (connection->streaming) lws_set_timeout(connection->wsi, NO_PENDING_TIMEOUT, 0);
    if (!connection->congested) return 0;
    connection->congested = false;
    if (connection->responding && !connection->streaming) return 0;
    return connection->loop->events.drained(connection->user);
}

int ct_flush(ct_connection *connection) {
    int result = flush(connection);
    ct_count_queue(connection);
    return result;
}

static bool enqueue(ct_connection *connection, ct_frame frame, const uint8_t *bytes, size_t length) {
    bool open = connection->stage == CT_OPEN && !connection->ended && !connection->doomed
        && !connection->closing;
    size_t capacity_max = connection->loop->queue_bytes_max;
    capacity_max = capacity_max > connection->lent ? capacity_max - connection->lent : 0;
    if (open && ct_queue_append(&connection->queue, capacity_max, frame, bytes, length)) {
        ct_count_queue(connection);
        return true;
    }
    ct_count(connection->loop, CT_COUNT_SEND_REFUSED, 1);
    return false;
}

void ct_write_now(ct_connection *connection, uint8_t *bytes, size_t length) {
    ct_count(connection->loop, CT_COUNT_BYTES_OUT, length);
    if (lws_write(connection->wsi, bytes, length, LWS_WRITE_HTTP) < 0) return ct_kill(connection);
    connection->lent = lws_partial_buffered(connection->wsi) ? length : 0;
    ct_count_queue(connection);
    if (connection->lent) wait_for_room(connection);
}

bool ct_send(ct_connection *connection, ct_frame frame, const uint8_t *bytes, size_t length) {
    ct_batch_send_to(connection);
    bool idle = connection->queue.head == connection->queue.tail;
    if (!enqueue(connection, frame, bytes, length)) return false;
    ct_count(connection->loop, CT_COUNT_FRAMES_OUT, 1);
    if (!idle || lws_partial_buffered(connection->wsi)) {
        wait_for_room(connection);
        return true;
    }
    // Nothing is queued: write to the socket directly, without waiting for the next turn of the loop.
    record *next = (record *)(void *)(connection->queue.memory + connection->queue.head);
    connection->queue.head = connection->queue.tail = 0;
    int failed = write_record(connection, next);
    ct_count_queue(connection);
    if (failed) {
        ct_kill(connection);
    } else if (lws_partial_buffered(connection->wsi)) {
        if (connection->streaming) limit_piece(connection);
        wait_for_room(connection);
    }
    return true;
}

bool ct_send_close(ct_connection *connection, uint16_t code, const uint8_t *reason, size_t length) {
    uint8_t payload[125] = {(uint8_t)(code >> 8), (uint8_t)code};
    if (length > sizeof payload - 2) length = sizeof payload - 2;
    memcpy(payload + 2, reason, length);
    // Closing already.
    if (connection->closing) return true;
    ct_batch_send_to(connection);
    if (!enqueue(connection, CT_CLOSE, payload, length + 2)) return false;
    connection->closing = true;
    ct_want_room(connection);
    return true;
}

// Sends the rest of a response, one piece at a time.
static bool queue_rest(ct_connection *connection, const uint8_t *bytes, size_t length, size_t sent) {
    size_t pieces = length / RESPONSE_PIECE_BYTES + 2;
    size_t room = connection->queue.tail + length + pieces * (sizeof(record) + 8);
    while (sent < length) {
        size_t piece = length - sent < RESPONSE_PIECE_BYTES ? length - sent : RESPONSE_PIECE_BYTES;
        if (!ct_queue_append(&connection->queue, room, CT_RAW, bytes + sent, piece)) return false;
        sent += piece;
    }
    return true;
}

bool ct_respond(ct_connection *connection, const uint8_t *head, size_t head_length, const uint8_t *body,
                size_t body_length) {
    if (connection->ended || connection->doomed || connection->responding) return false;
    size_t sent = ct_write_directly(connection, head, head_length, body, body_length);
    size_t sent_of_body = sent > head_length ? sent - head_length : 0;
    if (!queue_rest(connection, head, head_length, sent)
        || !queue_rest(connection, body, body_length, sent_of_body)) {
        ct_kill(connection);
        return false;
    }
    ct_count_queue(connection);
    connection->responding = true;
    connection->loop->unanswered -= 1;
    connection->loop->answering += 1;
    if (connection->queue.head != connection->queue.tail) limit_piece(connection);
    // The library does not write to a connection that it must not read.
    lws_rx_flow_control(connection->wsi, 1);
    ct_want_room(connection);
    return true;
}

bool ct_respond_open(ct_connection *connection, const uint8_t *head, size_t length) {
    if (connection->ended || connection->doomed || connection->responding) return false;
    // With every piece of a body the library would begin its own time limit instead of this one's.
    if (connection->has_body || !enqueue(connection, CT_RAW, head, length)) return false;
    connection->responding = connection->streaming = true;
    connection->next_stream = connection->loop->streams;
    connection->loop->streams = connection;
    connection->loop->unanswered -= 1;
    // Returns the header memory, which the library lends for a few minutes only.
    lws_http_mark_sse(connection->wsi);
    ct_bound_unsent(connection);
    limit_piece(connection);
    lws_rx_flow_control(connection->wsi, 1);
    wait_for_room(connection);
    return true;
}

void ct_refuse(ct_connection *connection, const uint8_t *bytes, size_t length) {
    // Small, and the first bytes of this response: a client that left no room for it is disconnected.
    if (!ct_queue_append(&connection->queue, length + sizeof(record) + 8, CT_RAW, bytes, length)) return;
    // Otherwise the socket is broken. The library would never find it writable, and never wait.
    connection->responding = !write_record(connection, (record *)(void *)connection->queue.memory);
}

void ct_forget_queue(ct_connection *connection) {
    ct_batch_leave(connection);
    connection->queue.head = connection->queue.tail = 0;
    ct_count_queue(connection);
}
