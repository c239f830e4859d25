// The server: HTTP requests with answers, and WebSocket clients that are pushed to.
#include "internal.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    HEADER_SECONDS_MAX = 10, KEEP_ALIVE_SECONDS = 60, UNANSWERED_SECONDS_MAX = 60, BODY_ENDS_MAX = 8
};
enum { DESCRIPTORS_LEFT = 128 };
// The layer above limits the close of a WebSocket, and knows why it ends; so it comes first.
enum { LEAVE_LATER_MS = 500 };

static ct_server *server_of(struct lws *wsi) { return lws_get_vhost_user(lws_get_vhost(wsi)); }

// NULL if memory ran out, now or for its owner: without one it would not be limited.
static ct_connection *make(struct lws *wsi, ct_kind kind) {
    ct_server *server = server_of(wsi);
    ct_owner *owner = ct_owner_of(server, wsi);
    ct_connection *connection = owner ? ct_connection_make(server->loop, kind) : NULL;
    if (!connection) return NULL;
    connection->owner = owner;
    connection->wsi = wsi;
    connection->tls = server->identity;
    lws_set_opaque_user_data(wsi, connection);
    ct_watch_owner(connection, true);
    return connection;
}

static bool has_body(struct lws *wsi, int method) {
    char text[4];
    if (method == LWSHUMETH_POST || lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING)) return true;
    if (!lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH)) return false;
    return lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP_CONTENT_LENGTH) != 1 || text[0] != '0';
}

static int request(struct lws *wsi, const char *path) {
    if (!path || strnlen(path, CT_HEAD_BYTES_MAX * 2) == CT_HEAD_BYTES_MAX * 2) return -1;
    char *uri = NULL;
    int length = 0, method = lws_http_get_uri_and_method(wsi, &uri, &length);
    ct_server *server = server_of(wsi);
    ct_connection *connection = make(wsi, CT_REQUEST);
    if (!connection) return -1;
    connection->stage = CT_OPEN;
    connection->has_body = has_body(wsi, method);
    // The answer may come later. Without flow control the library would neither read on nor wait until then:
    // every poll would report the same bytes, or the end, again.
    server->loop->unanswered += 1;
    lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, UNANSWERED_SECONDS_MAX);
    lws_rx_flow_control(wsi, 0);
    connection->user = server->loop->events.requested(server->user, connection, method, path);
    return connection->user ? 0 : -1;
}

// Above 0: answered with a refusal; below 0: hang up.
static int upgrade(struct lws *wsi, const char *protocol) {
    char path[CT_HEAD_BYTES_MAX];
    ct_server *server = server_of(wsi);
    // After its own refusal of an upgrade that it does not know, the library has freed the head.
    if (!lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE)) return -1;
    if (!protocol || strcasecmp(protocol, "websocket")) return -1;
    if (lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI) <= 0) return -1;
    ct_connection *connection = make(wsi, CT_PEER);
    if (!connection) return -1;
    connection->user = server->loop->events.upgrading(server->user, connection, path);
    if (connection->user) return 0;
    bool refused = connection->responding;
    // The library neither limits the time for the rest of a refusal, nor reads meanwhile, nor waits.
    if (refused && lws_partial_buffered(wsi)) {
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
        ct_must_pass(server->loop);
    }
    ct_end(connection, CT_COMPLETED, "");
    return refused ? 1 : -1;
}

static int response_writable(ct_connection *connection) {
    struct lws *wsi = connection->wsi;
    if (ct_flush(connection)) return -1;
    if (!connection->responding || connection->streaming) return 0;
    if (ct_queued_bytes(connection) || lws_partial_buffered(wsi)) return 0;
    bool is_last = connection->has_body;
    ct_end(connection, CT_COMPLETED, "");
    return is_last || lws_http_transaction_completed(wsi) ? -1 : 0;
}

// If a body had already arrived together with a pipelined request, the library reports its end repeatedly
// within one call. A few reports are tolerated, so that the answer can be sent between two calls.
static int body_over(ct_connection *connection) {
    if (!connection || connection->body_ends == BODY_ENDS_MAX) return -1;
    connection->body_ends += 1;
    return 0;
}

static int frame_event(ct_connection *connection, enum lws_callback_reasons reason, const uint8_t *in,
                       size_t length) {
    struct lws *wsi = connection->wsi;
    bool is_data = reason == LWS_CALLBACK_RECEIVE, is_write = reason == LWS_CALLBACK_SERVER_WRITEABLE;
    bool may_be = is_write && connection->frame_marked;
    bool wrong = !may_be && ct_is_marked_wrongly(connection, !is_data && !is_write);
    if (wrong) return ct_violated(connection, 1002);
    if (is_write) return ct_flush(connection);
    if (reason == LWS_CALLBACK_RECEIVE_PONG) return ct_pong(connection, in, length);
    if (!is_data) return ct_peer_closing(connection, in, length);
    if (lws_is_first_fragment(wsi)) {
        connection->packed = connection->deflates && lws_get_reserved_bits(wsi) & 0x40;
    }
    connection->frame_over = !lws_remaining_packet_payload(wsi);
    connection->frame_marked = lws_get_reserved_bits(wsi);
    return ct_fragment(connection, in, length);
}

static int peer_event(ct_connection *connection, enum lws_callback_reasons reason, const uint8_t *in,
                      size_t length) {
    const ct_events *events = &connection->loop->events;
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        connection->stage = CT_OPEN;
        connection->frame_over = true;
        ct_bound_unsent(connection);
        // The answer itself may have found too little room.
        ct_pace_reading(connection);
        return events->opened(connection->user);
    // The library does not report pings; it answers them and then asks what to send.
    case LWS_CALLBACK_RECEIVE: case LWS_CALLBACK_RECEIVE_PONG:
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: case LWS_CALLBACK_SERVER_WRITEABLE:
        return frame_event(connection, reason, in, length);
    case LWS_CALLBACK_HTTP_WRITEABLE: return response_writable(connection);
    case LWS_CALLBACK_CLOSED: case LWS_CALLBACK_CLOSED_HTTP: case LWS_CALLBACK_WSI_DESTROY:
        ct_end(connection, CT_ENDED, "");
        return 0;
    default: return 0;
    }
}

// The library drops the protocol of a connection that it closes, and of one to which it then binds another.
// It closes a socket with TLS only once the client has agreed; for that it would give it two minutes.
static int leaving(struct lws *wsi, bool is_leaving) {
    ct_server *server = server_of(wsi);
    ct_guest *guest = server->identity ? ct_find_guest(server, wsi) : NULL;
    if (!guest || !guest->has_asked) return 0;
    guest->is_leaving = is_leaving;
    if (is_leaving) lws_set_timer_usecs(wsi, server->leave_us_max);
    return 0;
}

// Not by the result of the callback: with TLS the library would wait for the client to agree.
static int timer_rang(struct lws *wsi) {
    const ct_guest *guest = ct_find_guest(server_of(wsi), wsi);
    if (guest && guest->has_asked && !guest->is_leaving) return 0;
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
    ct_must_pass(server_of(wsi)->loop);
    return 0;
}

static int server_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                        size_t length) {
    if (reason != LWS_CALLBACK_GET_THREAD_ID && reason != LWS_CALLBACK_PROTOCOL_INIT
        && reason != LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS) {
        ((ct_loop *)lws_context_user(lws_get_context(wsi)))->stirred = true;
    }
    switch (reason) {
    // Raw bytes are not served: a CONNECT would leave them unread, and the connection without a time limit.
    case LWS_CALLBACK_RAW_ADOPT: case LWS_CALLBACK_RAW_RX: return -1;
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED: case LWS_CALLBACK_GET_THREAD_ID: case LWS_CALLBACK_PROTOCOL_INIT:
    case LWS_CALLBACK_PROTOCOL_DESTROY: return 0;
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION:
        return ct_has_room(server_of(wsi), (int)(intptr_t)in) ? 0 : 1;
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
        ct_arrived(server_of(wsi), wsi);
        // The library's own limit for the head begins anew, at two minutes, when a TLS handshake ends.
        lws_set_timer_usecs(wsi, server_of(wsi)->head_us_max);
        ct_watch(server_of(wsi)->loop, wsi, !server_of(wsi)->identity);
        return 0;
    case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
        ct_identity_install(server_of(wsi), user);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY: {
        ct_connection *connection = lws_get_opaque_user_data(wsi);
        int result = connection ? peer_event(connection, reason, in, length) : 0;
        ct_left(server_of(wsi), wsi);
        return result;
    }
    case LWS_CALLBACK_TIMER: return timer_rang(wsi);
    case LWS_CALLBACK_HTTP_DROP_PROTOCOL: case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
        return leaving(wsi, true);
    case LWS_CALLBACK_HTTP_BIND_PROTOCOL: case LWS_CALLBACK_WS_SERVER_BIND_PROTOCOL:
        return leaving(wsi, false);
    case LWS_CALLBACK_HTTP: return request(wsi, in);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION: return body_over(lws_get_opaque_user_data(wsi));
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE: return upgrade(wsi, in);
    case LWS_CALLBACK_CONFIRM_EXTENSION_OKAY: return ct_confirm_deflate(lws_get_opaque_user_data(wsi));
    case LWS_CALLBACK_ADD_HEADERS: return ct_add_terms(lws_get_opaque_user_data(wsi), in);
    default: {
        ct_connection *connection = lws_get_opaque_user_data(wsi);
        return connection ? peer_event(connection, reason, in, length) : 0;
    }
    }
}

// One read takes a whole record of TLS: of a rest, the library would read on and on while reading is paused.
enum { RECORD_BYTES_MAX = 16384 };
// Of no use, but without it the library does not say that it drops the protocol of what it closes.
enum { SESSION_BYTES = 1 };

const struct lws_protocols ct_server_protocols[] = {
    {.name = "server", .callback = server_event, .per_session_data_size = SESSION_BYTES,
     .rx_buffer_size = RECORD_BYTES_MAX, .tx_packet_size = 1 << 30},
    {0}};

// The library only reports that it cannot listen; taking the same steps first shows why.
static int why_not(const ct_listen_options *options) {
    struct sockaddr_storage storage = {0};
    struct sockaddr_in *four = (struct sockaddr_in *)&storage;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&storage;
    bool is_four = options->address && ct_address_family(options->address) == 4;
    storage.ss_family = is_four ? AF_INET : AF_INET6;
    *(is_four ? &four->sin_port : &six->sin6_port) = htons(options->port);
    void *address = is_four ? (void *)&four->sin_addr : (void *)&six->sin6_addr;
    bool readable = !options->address || inet_pton(storage.ss_family, options->address, address) == 1;
    if (!readable) return EADDRNOTAVAIL;
    int one = 1, error = 0, descriptor = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return errno;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(descriptor, (struct sockaddr *)&storage, is_four ? sizeof *four : sizeof *six)
        || (options->port && listen(descriptor, 1))) error = errno;
    close(descriptor);
    return error;
}

// Leaves descriptors for the rest of the process.
static uint32_t connections_max(const ct_listen_options *options) {
    struct rlimit limit = {.rlim_cur = 0};
    getrlimit(RLIMIT_NOFILE, &limit);
    rlim_t usable = limit.rlim_cur > 2 * DESCRIPTORS_LEFT ? limit.rlim_cur - DESCRIPTORS_LEFT
                                                           : limit.rlim_cur / 2 + 1;
    return options->connection_count_max && options->connection_count_max > usable
        ? (uint32_t)usable : options->connection_count_max;
}

int ct_listen(ct_loop *loop, const ct_listen_options *options, void *user, char *text, size_t capacity) {
    int error = why_not(options);
    if (error) snprintf(text, capacity, "%s", strerror(error));
    if (error) return -1;
    ct_server *server = ct_allocate(sizeof *server);
    if (!server) snprintf(text, capacity, "%s", strerror(ENOMEM));
    if (!server) return -1;
    if (!ct_identity_read(server, options, text, capacity)) {
        ct_server_free(server);
        return -1;
    }
    server->loop = loop;
    server->user = user;
    server->connections_max = connections_max(options);
    server->address_percent = options->address_percent_max;
    server->loopback_percent = options->loopback_percent_max;
    server->head_us_max = (lws_usec_t)options->head_ms_max * 1000;
    server->leave_us_max = ((lws_usec_t)options->close_ms_max + LEAVE_LATER_MS) * 1000;
    snprintf(server->address, sizeof server->address, "%s", options->address ?: "");
    bool four = options->address && ct_address_family(options->address) == 4;
    struct lws_context_creation_info info = {
        .port = options->port, .iface = options->address ? server->address : NULL, .vhost_name = "server",
        .protocols = ct_server_protocols, .extensions = ct_extensions, .user = server,
        .alpn = "http/1.1", .http_proxy_address = "",
        .ssl_cert_filepath = options->certificate_path, .ssl_private_key_filepath = options->key_path,
        .timeout_secs_ah_idle = HEADER_SECONDS_MAX, .keepalive_timeout = KEEP_ALIVE_SECONDS,
        .retry_and_idle_policy = &ct_no_validity,
        .options = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND | (four ? LWS_SERVER_OPTION_DISABLE_IPV6 : 0)
            | (options->certificate_path ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0),
    };
    struct lws_vhost *vhost = lws_create_vhost(loop->context, &info);
    if (!vhost) {
        snprintf(text, capacity, "cannot listen on port %d", options->port);
        ct_server_free(server);
        return -1;
    }
    server->next = loop->servers;
    loop->servers = server;
    int port = lws_get_vhost_listen_port(vhost);
    ct_watch_port(loop, port);
    return port;
}
