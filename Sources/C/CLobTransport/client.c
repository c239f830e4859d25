// Client connections: the two backends of a WebSocket, and HTTP requests with streamed bodies.
#include "internal.h"
#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <unistd.h>

// The library has written its own request into its service buffer and lets us append; our request overwrites
// it from the first byte. The buffer's start is computed from the room it reports, and checked before use.
static int put_head(ct_connection *connection, char **cursor, size_t room) {
    size_t capacity = (size_t)connection->loop->service_bytes;
    if (room > capacity - 17 || connection->head_length > capacity - 16) return -1;
    char *start = *cursor - (capacity - 12 - room);
    if (memcmp(start, "GET /", 5)) return -1;
    memcpy(start, connection->head, connection->head_length);
    *cursor = start + connection->head_length;
    return 0;
}

static int append_head(ct_connection *connection, char **cursor, size_t room) {
    if (connection->head_length > room) return -1;
    memcpy(*cursor, connection->head, connection->head_length);
    *cursor += connection->head_length;
    return 0;
}

static int ask(ct_connection *connection, char **cursor, size_t room) {
    connection->stage = CT_ASKED;
    if (connection->kind == CT_STANDARD) return append_head(connection, cursor, room);
    return put_head(connection, cursor, room);
}

static int bad_answer(ct_connection *connection, const char *fault) {
    connection->fault = fault;
    return -1;
}

// The library parses a length with `atoll`, which accepts a sign and stops at the first other character.
static bool is_length(ct_connection *connection) {
    char text[24];
    if (!lws_hdr_total_length(connection->wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH)) return true;
    int length = ct_header(connection, "content-length", text, sizeof text);
    return length > 0 && length <= 18 && strspn(text, "0123456789") == (size_t)length;
}

static int answered(ct_connection *connection) {
    char encoding[16];
    unsigned status = lws_http_client_http_response(connection->wsi);
    if (status < 100 || status > 999) return bad_answer(connection, "a status that is none");
    if (!is_length(connection)) return bad_answer(connection, "a Content-Length that is none");
    // In the standard role the library validates the upgrade itself.
    if (connection->kind == CT_STANDARD) {
        return connection->loop->events.answered(connection->user, (int)status);
    }
    int length = ct_header(connection, "transfer-encoding", encoding, sizeof encoding);
    connection->chunked = lws_hdr_total_length(connection->wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0;
    if (connection->chunked && (length < 0 || strcmp(encoding, "chunked"))) {
        return bad_answer(connection, "a transfer encoding that is not known");
    }
    connection->stage = CT_OPEN;
    // One system call per record rather than one for its header and one for its body.
    if (connection->tls && connection->kind == CT_TUNNEL) SSL_set_read_ahead(lws_get_ssl(connection->wsi), 1);
    return connection->loop->events.answered(connection->user, (int)status);
}

// The library keeps a chunk's size in a signed 32-bit number: with bit 31 set it reports a length below 0.
static int body(ct_connection *connection, const uint8_t *bytes, size_t length) {
    if (!ct_admit(connection, bytes, length, ct_read_max(connection->loop))) return -1;
    ct_count(connection->loop, CT_COUNT_BYTES_IN, length);
    connection->progress = true;
    if (connection->doomed) return -1;
    return length ? connection->loop->events.received(connection->user, bytes, length) : 0;
}

// Reads once. What remains is noticed later: in a plain socket by poll, of a record by the library, and
// records that OpenSSL has read ahead are listed in `unread`. Nonzero: the connection is over.
static int receive(ct_connection *connection) {
    char *bytes = (char *)connection->loop->read_buffer;
    int length = connection->loop->read_bytes;
    connection->progress = false;
    int failed = lws_http_client_read(connection->wsi, &bytes, &length);
    if (failed && connection->chunked) connection->completed = false;
    if (failed || connection->doomed) return ct_give_up(connection);
    bool ahead = connection->tls && connection->kind == CT_TUNNEL && connection->progress
        && SSL_has_pending(lws_get_ssl(connection->wsi));
    if (ahead != connection->unread) (ahead ? ct_append : ct_remove)(&connection->loop->unread, connection);
    connection->unread = ahead;
    return 0;
}

void ct_read_on(ct_loop *loop) {
    ct_connection *connection = loop->unread;
    // A limited number of records; then other connections have their turn.
    for (int records = 0; connection && connection->unread && records < 64; records += 1) {
        if (!receive(connection)) continue;
        ct_kill(connection);
        return;
    }
    if (!connection || !connection->unread) return;
    ct_remove(&loop->unread, connection);
    ct_append(&loop->unread, connection);
}

// The system's error, if it is still available: the library may have consumed it from the socket without
// reporting it, in which case a refused connection is the most likely cause.
static ct_reason connect_failure(int error, char *text, size_t capacity) {
    snprintf(text, capacity, "%s", error ? strerror(error) : "");
    switch (error) {
    case 0: case ECONNREFUSED: return CT_REFUSED;
    case EMFILE: case ENFILE: return CT_DESCRIPTORS;
    default: return CT_UNREACHABLE;
    }
}

static int socket_error(ct_connection *connection) {
    int error = 0;
    socklen_t length = sizeof error;
    int descriptor = lws_get_socket_fd(connection->wsi);
    int failed = descriptor < 0 || getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length);
    if (!failed && error) return error;
    return connection->connecting ? errno : 0;
}

// The library reports a failed handshake only as a number; OpenSSL's text has been kept.
static void fail_secure(ct_connection *connection, const char *text) {
    if (!connection->tls) {
        ct_end(connection, CT_UNANSWERED, text);
        return;
    }
    ct_loop *loop = connection->loop;
    unsigned long error = lws_get_ssl(connection->wsi) == loop->tls_failed ? loop->tls_error : 0;
    loop->tls_failed = NULL;
    int reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
    const char *words = reason ? ERR_reason_error_string(error) : NULL;
    switch (reason) {
    case SSL_R_WRONG_VERSION_NUMBER: case SSL_R_PACKET_LENGTH_TOO_LONG: case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_HTTP_REQUEST: case SSL_R_BAD_RECORD_TYPE: case SSL_R_UNEXPECTED_MESSAGE:
        ct_end(connection, CT_NO_TLS, words ?: text);
        return;
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
        ct_end(connection, CT_TLS, "the server hung up during the handshake");
        return;
    default: ct_end(connection, CT_TLS, words ?: text);
    }
}

// The library's error text ends at the stated length or earlier.
static void fail(ct_connection *connection, const char *words, size_t length) {
    char detail[CT_TEXT_BYTES], text[CT_TEXT_BYTES];
    int count = length < sizeof text ? (int)length : (int)sizeof text - 1;
    snprintf(text, sizeof text, "%.*s", count, connection->fault ?: words);
    switch (connection->stage) {
    case CT_CONNECTING: {
        ct_reason reason = connect_failure(socket_error(connection), detail, sizeof detail);
        ct_end(connection, reason, detail);
        return;
    }
    case CT_CONNECTED: {
        SSL *ssl = connection->tls ? lws_get_ssl(connection->wsi) : NULL;
        long verdict = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
        if (verdict != X509_V_OK) {
            ct_end(connection, CT_CERTIFICATE, X509_verify_cert_error_string(verdict));
        } else {
            fail_secure(connection, text);
        }
        return;
    }
    case CT_ASKED: {
        bool silent = !strcmp(text, "read failed") || !strncasecmp(text, "closed", 6)
            || !strcmp(text, "Peer hung up");
        ct_end(connection, silent ? CT_UNANSWERED : CT_BAD_ANSWER, text);
        return;
    }
    case CT_OPEN:
        ct_end(connection, CT_BAD_ANSWER, text);
        return;
    }
}

static void close_client(ct_connection *connection) {
    if (connection->stage != CT_OPEN) {
        fail(connection, "closed", SIZE_MAX);
    } else if (connection->kind == CT_HTTP) {
        ct_end(connection, connection->completed ? CT_COMPLETED : CT_TRUNCATED, "");
    } else {
        ct_end(connection, CT_ENDED, "");
    }
}

static int standard_event(ct_connection *connection, enum lws_callback_reasons reason, void *in,
                          size_t length) {
    const ct_events *events = &connection->loop->events;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        connection->stage = CT_OPEN;
        return events->opened(connection->user);
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return ct_fragment(connection, in, length);
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG: return ct_pong(connection, in, length);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: return ct_peer_closing(connection, in, length);
    case LWS_CALLBACK_CLIENT_WRITEABLE: return ct_flush(connection);
    default: return 0;
    }
}

static int client_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                        size_t length) {
    (void)user;
    if (reason == LWS_CALLBACK_EVENT_WAIT_CANCELLED) {
        ct_loop *loop = lws_context_user(lws_get_context(wsi));
        loop->woken = loop->stirred = true;
        return 0;
    }
    if (reason == LWS_CALLBACK_GET_THREAD_ID || reason == LWS_CALLBACK_PROTOCOL_INIT
        || reason == LWS_CALLBACK_PROTOCOL_DESTROY) return 0;
    ((ct_loop *)lws_context_user(lws_get_context(wsi)))->stirred = true;
    ct_connection *connection = lws_get_opaque_user_data(wsi);
    if (!connection) return 0;
    connection->wsi = wsi;
    switch (reason) {
    case LWS_CALLBACK_WSI_CREATE: connection->stage = CT_CONNECTED; return 0;
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER: return ask(connection, in, length);
    case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP: return answered(connection);
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP: return receive(connection);
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ:
        return body(connection, in, length);
    case LWS_CALLBACK_COMPLETED_CLIENT_HTTP:
        connection->completed = true;
        ct_kill(connection);
        return 0;
    case LWS_CALLBACK_CLIENT_HTTP_WRITEABLE: return ct_flush(connection);
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR: 
        fail(connection, in ?: "closed", in && !connection->fault ? length : SIZE_MAX);
        return 0;
    case LWS_CALLBACK_CLOSED_CLIENT_HTTP: case LWS_CALLBACK_CLIENT_CLOSED: case LWS_CALLBACK_WSI_DESTROY:
        close_client(connection);
        return 0;
    default: return standard_event(connection, reason, in, length);
    }
}

// The send limit keeps a frame whole: by default the library cuts every write at the size of its service
// buffer.
const struct lws_protocols ct_client_protocols[] = {
    {.name = "client", .callback = client_event, .rx_buffer_size = CT_PIECE_BYTES_MAX,
     .tx_packet_size = 1 << 30},
    {0}};

// Keeps OpenSSL's reason for a failed handshake, which the library discards before it reports the failure.
static void note_failure(const SSL *ssl, int where, int result) {
    unsigned long error = ERR_peek_last_error();
    if (where != SSL_CB_CONNECT_EXIT || result > 0 || !error) return;
    ct_loop *loop = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    loop->tls_failed = ssl;
    loop->tls_error = error;
}

// One client TLS context per loop, created on first use: reading the system's roots takes tens of
// milliseconds. Buffers are kept between records: releasing them costs 20 KB of allocation a record.
static bool prepare_tls(ct_loop *loop, char *text, size_t capacity) {
    if (loop->tls) return true;
    SSL_CTX *tls = ct_fails(CT_NO_MEMORY) ? NULL : SSL_CTX_new(TLS_client_method());
    if (!tls) snprintf(text, capacity, "no memory");
    if (!tls) return false;
    int loaded = loop->authority_path ? SSL_CTX_load_verify_file(tls, loop->authority_path)
                                      : SSL_CTX_set_default_verify_paths(tls);
    if (loaded != 1) {
        const char *place = loop->authority_path ?: "the system's store";
        snprintf(text, capacity, "no certificate authority in %s", place);
        ERR_clear_error();
        SSL_CTX_free(tls);
        return false;
    }
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_mode(tls, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_app_data(tls, loop);
    SSL_CTX_set_info_callback(tls, note_failure);
    loop->tls = tls;
    return true;
}

static struct lws_vhost *vhost_for(ct_loop *loop, const ct_target *target, char *text, size_t capacity) {
    if (target->proxy && (!loop->proxied || strcmp(loop->proxy, target->proxy))) {
        snprintf(text, capacity, "a loop uses one proxy");
        if (loop->proxied) return NULL;
        snprintf(loop->proxy, sizeof loop->proxy, "%s", target->proxy);
        loop->proxied = ct_client_vhost(loop, "proxied", loop->proxy);
    }
    struct lws_vhost *vhost = target->proxy ? loop->proxied : loop->direct;
    if (!target->tls || !vhost) return vhost;
    if (!prepare_tls(loop, text, capacity)) return NULL;
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN, .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
        .provided_client_ssl_ctx = loop->tls,
    };
    return lws_init_vhost_client_ssl(&info, vhost) ? NULL : vhost;
}

ct_connection *ct_connect(ct_loop *loop, const ct_target *target, void *user, ct_reason *reason, char *text,
                          size_t capacity) {
    *reason = CT_TLS;
    struct lws_vhost *vhost = vhost_for(loop, target, text, capacity);
    if (!vhost) return NULL;
    char *head = ct_allocate(target->head_length + 1);
    ct_connection *connection = head ? ct_connection_make(loop, target->kind) : NULL;
    if (!connection) {
        free(head);
        *reason = CT_UNREACHABLE;
        snprintf(text, capacity, "%s", strerror(ENOMEM));
        return NULL;
    }
    connection->user = user;
    connection->tls = target->tls;
    connection->connecting = true;
    connection->head = head;
    memcpy(connection->head, target->head, target->head_length);
    connection->head_length = target->head_length;
    bool standard = target->kind == CT_STANDARD;
    struct lws_client_connect_info info = {
        .context = loop->context, .vhost = vhost, .address = target->address, .port = target->port,
        .path = standard ? target->path : "/", .host = target->host, .alpn = "http/1.1",
        .method = standard ? NULL : "GET", .local_protocol_name = "client", .opaque_user_data = connection,
        .ietf_version_or_minus_one = -1, .pwsi = &connection->wsi, .retry_and_idle_policy = &ct_no_validity,
        .ssl_connection = (target->tls ? LCCSCF_USE_SSL : 0) | LCCSCF_HTTP_NO_FOLLOW_REDIRECT,
    };
    ct_count(loop, CT_COUNT_ATTEMPTS, 1);
    errno = 0;
    struct lws *wsi = lws_client_connect_via_info(&info);
    connection->connecting = false;
    if (wsi && !connection->ended) return connection;
    if (connection->ended) {
        *reason = connection->reason;
        snprintf(text, capacity, "%s", connection->text);
    } else {
        *reason = connect_failure(errno, text, capacity);
        loop->clients -= 1;
    }
    ct_count(loop, CT_COUNT_ENDED, 1);
    ct_count(loop, CT_COUNT_FAILURES, 1);
    free(connection->head);
    free(connection->queue.memory);
    free(connection);
    return NULL;
}
