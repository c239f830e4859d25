// Facts about a peer: the head of its request, its address, and how long it has been silent.
#include "internal.h"
#include <netinet/tcp.h>
#include <string.h>

// The length that the library reports to have copied, accepted only if it fits.
static int copied(int length, int capacity) { return length < capacity ? length : -1; }

int ct_header(const ct_connection *connection, const char *name, char *value, int capacity) {
    char key[64];
    int length = lws_snprintf(key, sizeof key, "%s:", name);
    if (!connection->wsi || capacity < 1) return -1;
    memset(value, 0, (size_t)capacity);
    for (int token = 0; token < WSI_TOKEN_COUNT; token += 1) {
        const unsigned char *text = lws_token_to_string((enum lws_token_indexes)token);
        if (!text || strcmp((const char *)text, key)) continue;
        if (!lws_hdr_total_length(connection->wsi, (enum lws_token_indexes)token)) return -1;
        int copy = lws_hdr_copy(connection->wsi, value, capacity, (enum lws_token_indexes)token);
        return copied(copy, capacity);
    }
    return copied(lws_hdr_custom_copy(connection->wsi, value, capacity, key, length), capacity);
}

int ct_query(const ct_connection *connection, int index, char *value, int capacity) {
    if (!connection->wsi || capacity < 1 || index < 0) return -1;
    if (!lws_hdr_total_length(connection->wsi, WSI_TOKEN_HTTP_URI_ARGS)) return -1;
    int length = lws_hdr_copy_fragment(connection->wsi, value, capacity, WSI_TOKEN_HTTP_URI_ARGS, index);
    return copied(length, capacity);
}

bool ct_is_binary(const ct_connection *connection) {
    return connection->wsi && lws_frame_is_binary(connection->wsi);
}

int ct_peer_address(const ct_connection *connection, char *value, int capacity) {
    if (capacity < 1) return -1;
    value[0] = 0;
    if (connection->wsi) lws_get_peer_simple(connection->wsi, value, (size_t)capacity);
    return (int)strnlen(value, (size_t)capacity - 1);
}

int64_t ct_silent_ms(const ct_connection *connection) {
    struct tcp_info info;
    socklen_t length = sizeof info;
    int descriptor = connection->wsi ? lws_get_socket_fd(connection->wsi) : -1;
    if (descriptor < 0 || getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length)) return -1;
    return info.tcpi_last_data_recv;
}
