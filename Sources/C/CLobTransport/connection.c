// Common to all connections, outgoing and accepted: lifetime, counters, what is read of them.
#include "internal.h"
#include <errno.h>
#include <stdlib.h>

// Interval at which clients of streaming responses are checked for input.
enum { HEAR_EVERY_NS = 5000000 };

ct_connection *ct_connection_make(ct_loop *loop, ct_kind kind) {
    ct_connection *connection = ct_allocate(sizeof *connection);
    if (!connection) return NULL;
    connection->loop = loop;
    connection->kind = kind;
    if (kind < CT_REQUEST) loop->clients += 1;
    ct_count(loop, CT_COUNT_OPENED, 1);
    return connection;
}

void ct_append(ct_connection **list, ct_connection *connection) {
    while (*list) list = &(*list)->next;
    *list = connection;
    connection->next = NULL;
}

void ct_remove(ct_connection **list, ct_connection *connection) {
    while (*list && *list != connection) list = &(*list)->next;
    if (*list) *list = connection->next;
}

static void leave_streams(ct_connection *connection) {
    ct_connection **place = &connection->loop->streams;
    while (*place && *place != connection) place = &(*place)->next_stream;
    if (*place) *place = connection->next_stream;
}

// The library no longer reads from such a connection, but returns at once as long as there is something to
// read: bytes or the end of the stream.
void ct_hear_streams(ct_loop *loop) {
    if (!loop->streams) return;
    uint64_t now = ct_now_ns();
    if (now - loop->heard_ns < HEAR_EVERY_NS) return;
    loop->heard_ns = now;
    for (ct_connection *stream = loop->streams; stream; stream = stream->next_stream) {
        uint8_t byte;
        ssize_t count = recv(lws_get_socket_fd(stream->wsi), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        if (count >= 0 || (errno != EAGAIN && errno != EINTR)) ct_kill(stream);
    }
}

void ct_end(ct_connection *connection, ct_reason reason, const char *text) {
    if (connection->ended) return;
    if (connection->kind == CT_REQUEST && !connection->responding) connection->loop->unanswered -= 1;
    if (ct_is_answering(connection)) connection->loop->answering -= 1;
    if (connection->kind < CT_REQUEST) connection->loop->clients -= 1;
    if (connection->deaf) connection->loop->deaf -= 1;
    if (connection->out_of_bounds) reason = CT_OUT_OF_BOUNDS;
    connection->ended = true;
    connection->reason = reason;
    if (connection->doomed) ct_remove(&connection->loop->doomed, connection);
    if (connection->unread) ct_remove(&connection->loop->unread, connection);
    if (connection->streaming) leave_streams(connection);
    ct_batch_leave(connection);
    ct_want_no_room(connection);
    ct_watch_owner(connection, false);
    if (connection->wsi) lws_set_opaque_user_data(connection->wsi, NULL);
    connection->wsi = NULL;
    connection->queue.head = connection->queue.tail;
    connection->lent = 0;
    ct_count_queue(connection);
    snprintf(connection->text, sizeof connection->text, "%s", text);
    if (connection->connecting) return;
    ct_hurry(connection->loop);
    ct_count(connection->loop, CT_COUNT_ENDED, 1);
    if (reason != CT_ENDED && reason != CT_COMPLETED) ct_count(connection->loop, CT_COUNT_FAILURES, 1);
    if (connection->user) connection->loop->events.closed(connection->user, reason, connection->text);
    free(connection->queue.memory);
    free(connection->head);
    free(connection);
}

void ct_pace_reading(ct_connection *connection) {
    bool is_websocket = connection->kind == CT_STANDARD || connection->kind == CT_PEER;
    bool is_held = lws_partial_buffered(connection->wsi);
    if (!is_websocket || connection->deaf || is_held == connection->paused) return;
    connection->paused = is_held;
    lws_rx_flow_control(connection->wsi, !is_held);
}

void ct_stop_reading(ct_connection *connection) {
    if (!connection->wsi) return;
    if (!connection->deaf) connection->loop->deaf += 1;
    connection->deaf = true;
    lws_rx_flow_control(connection->wsi, 0);
}

void ct_kill(ct_connection *connection) {
    if (connection->ended || connection->doomed) return;
    if (connection->unread) ct_remove(&connection->loop->unread, connection);
    connection->unread = false;
    connection->doomed = true;
    connection->next = connection->loop->doomed;
    connection->loop->doomed = connection;
}

int ct_give_up(ct_connection *connection) {
    bool is_held = lws_partial_buffered(connection->wsi);
    if (is_held) ct_kill(connection);
    return is_held ? 0 : -1;
}

bool ct_is_answering(const ct_connection *connection) {
    return connection->kind == CT_REQUEST && connection->responding && !connection->streaming;
}

bool ct_asked(const ct_connection *connection) { return connection->stage >= CT_ASKED; }
