// Checks every length and pointer that comes from outside before Swift sees it. The library counts in signed
// 32-bit numbers, which peers can drive below 0, and passes them on as `size_t`.
#include "internal.h"

bool ct_in_bounds(const void *bytes, size_t length, size_t length_max) {
    return length <= length_max && (bytes || !length);
}

bool ct_admit(ct_connection *connection, const void *bytes, size_t length, size_t length_max) {
    if (ct_in_bounds(bytes, length, length_max)) return true;
    if (!connection->out_of_bounds) ct_count(connection->loop, CT_COUNT_OUT_OF_BOUNDS, 1);
    connection->out_of_bounds = true;
    return false;
}

size_t ct_read_max(const ct_loop *loop) {
    size_t service = (size_t)loop->service_bytes;
    return service > CT_PIECE_BYTES_MAX ? service : CT_PIECE_BYTES_MAX;
}

// A client's frame without a mask goes unnoticed: the library unmasks before it calls back and does not tell
// whether there was a mask. Parsing the bytes a second time beside the library would not pay.
//
// Only the first frame of a message may be marked as compressed; once compression is agreed on, the library
// accepts the mark on every frame. It does not tell the kind of a frame: one that begins after a data frame
// has ended, and is not the first of a message, is a continuation or a control frame.
bool ct_is_marked_wrongly(const ct_connection *connection, bool is_control) {
    bool marked = lws_get_reserved_bits(connection->wsi);
    return marked && (is_control || (connection->frame_over && !lws_is_first_fragment(connection->wsi)));
}

int ct_violated(ct_connection *connection, uint16_t code) {
    connection->closing = true;
    ct_count(connection->loop, CT_COUNT_VIOLATIONS, 1);
    lws_close_reason(connection->wsi, (enum lws_close_status)code, NULL, 0);
    return -1;
}

int ct_peer_closing(ct_connection *connection, const uint8_t *payload, size_t length) {
    if (!ct_admit(connection, payload, length, CT_CONTROL_BYTES_MAX)) return -1;
    // Its share of the batch goes before the close frame with which the library answers.
    ct_batch_send_to(connection);
    connection->closing = true;
    if (length == 1) return ct_violated(connection, 1002);
    uint16_t code = length >= 2 ? (uint16_t)(payload[0] << 8 | payload[1]) : 1005;
    size_t reason = length >= 2 ? length - 2 : 0;
    const uint8_t *text = reason ? payload + 2 : (const uint8_t *)"";
    bool fails = connection->loop->events.closing(connection->user, code, text, reason);
    return fails ? ct_violated(connection, 1007) : 0;
}

int ct_fragment(ct_connection *connection, const uint8_t *bytes, size_t length) {
    if (!ct_admit(connection, bytes, length, ct_read_max(connection->loop))) return -1;
    ct_count(connection->loop, CT_COUNT_BYTES_IN, length);
    if (connection->doomed) return -1;
    bool is_final = lws_is_final_fragment(connection->wsi);
    const uint8_t *place = bytes ?: (const uint8_t *)"";
    return connection->loop->events.fragment(connection->user, place, length, is_final);
}

int ct_pong(ct_connection *connection, const uint8_t *payload, size_t length) {
    if (!ct_admit(connection, payload, length, CT_CONTROL_BYTES_MAX)) return -1;
    return connection->loop->events.pong(connection->user, payload ?: (const uint8_t *)"", length);
}
