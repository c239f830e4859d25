// All of libwebsockets behind opaque pointers and one table of callbacks. No other header of this target is
// public, and no type of libwebsockets or OpenSSL appears here, so Swift never imports either.
//
// Threads: a loop, its connections and its servers belong to the one thread that turns the loop. Only
// `ct_remote_…` may be called from elsewhere.
// Life: a connection's memory belongs to this target. It lives from the call or callback that hands it out
// until its `closed` callback returns; that callback comes exactly once, and no pointer of the library
// outlives it.
#ifndef CTRANSPORT_H
#define CTRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

typedef struct ct_loop ct_loop;
typedef struct ct_connection ct_connection;
typedef struct ct_remote ct_remote;

/// What a connection speaks.
typedef enum ct_kind {
    /// Client: HTTP/1.1 request, then every byte behind the response head is handed over raw.
    CT_TUNNEL,
    /// Client: HTTP/1.1 request, then the body without its transfer encoding.
    CT_HTTP,
    /// Client: WebSocket by the library's own role.
    CT_STANDARD,
    /// Server: one HTTP request and its response.
    CT_REQUEST,
    /// Server: WebSocket by the library's own role.
    CT_PEER,
} ct_kind;

/// Why a connection is over.
typedef enum ct_reason {
    /// It was open and has ended, by either side.
    CT_ENDED,
    /// It has done its work: a whole body received, or a whole response sent.
    CT_COMPLETED,
    /// HTTP client: it ended before the whole body had come.
    CT_TRUNCATED,
    /// Nobody listens there, or something on the way does not let the connection through.
    CT_REFUSED,
    /// No route, a network error, or no socket could be made ready.
    CT_UNREACHABLE,
    /// The process has no file descriptor left.
    CT_DESCRIPTORS,
    /// The peer's certificate was not accepted; the text says why.
    CT_CERTIFICATE,
    /// TLS failed for another reason.
    CT_TLS,
    /// What came instead of a handshake was no TLS.
    CT_NO_TLS,
    /// The peer hung up before a whole response head had come.
    CT_UNANSWERED,
    /// The response head could not be read, or (standard role) was not a valid upgrade.
    CT_BAD_ANSWER,
    /// The library reported a length or a place that cannot be; nothing of it was used.
    CT_OUT_OF_BOUNDS,
} ct_reason;

/// Most bytes of a control frame's payload, and of one piece of a message.
enum { CT_CONTROL_BYTES_MAX = 125, CT_PIECE_BYTES_MAX = 65536 };
/// Whether bytes may be touched: not more than can have been read, and at a place unless there are none. A
/// length below 0, cast, is more than can be.
bool ct_in_bounds(const void *_Nullable bytes, size_t length, size_t length_max);

/// What is sent.
typedef enum ct_frame { CT_RAW, CT_TEXT, CT_BINARY, CT_PING, CT_CLOSE } ct_frame;

/// What is counted; see `TransportCounters` for the meaning.
enum ct_counter {
    CT_COUNT_ATTEMPTS, CT_COUNT_OPENED, CT_COUNT_ENDED, CT_COUNT_BYTES_IN, CT_COUNT_BYTES_OUT,
    CT_COUNT_FRAMES_IN, CT_COUNT_MESSAGES_IN, CT_COUNT_PINGS_IN, CT_COUNT_FRAMES_OUT, CT_COUNT_VIOLATIONS,
    CT_COUNT_SEND_REFUSED, CT_COUNT_OUT_OF_BOUNDS, CT_COUNT_TURNED_AWAY,
    CT_COUNT_FAILURES, CT_COUNTERS
};

/// Called on the loop's thread. `user` is what the connection was made with; a nonzero result closes the
/// connection.
typedef struct ct_events {
    /// Client: the response head is there; headers can be read.
    int (*answered)(void *user, int status);
    /// Standard role and peers: frames may flow.
    int (*opened)(void *user);
    /// Tunnel and HTTP: bytes behind the response head.
    int (*received)(void *user, const uint8_t *bytes, size_t length);
    /// Standard role and peers: a piece of a message.
    int (*fragment)(void *user, const uint8_t *bytes, size_t length, bool is_final);
    /// Standard role and peers: a pong.
    int (*pong)(void *user, const uint8_t *bytes, size_t length);
    /// Standard role and peers: the other side sent a close frame; 1005 if it carried no code. Nonzero if its
    /// reason is not UTF-8.
    int (*closing)(void *user, uint16_t code, const uint8_t *reason, size_t length);
    /// What had to wait for the socket is gone.
    int (*drained)(void *user);
    /// The last callback of this connection.
    void (*closed)(void *user, ct_reason reason, const char *text);
    /// Server: an HTTP request; returns the `user` of its connection.
    void *_Nullable (*_Nonnull requested)(void *server, ct_connection *connection, int method,
                                          const char *path);
    /// Server: a WebSocket upgrade; returns the `user` of its connection, or NULL after `ct_refuse`.
    void *_Nullable (*_Nonnull upgrading)(void *server, ct_connection *connection, const char *path);
} ct_events;

typedef struct ct_loop_options {
    /// Most bytes one read hands over; also the room for a response head being parsed.
    uint32_t read_bytes_max;
    /// Most bytes one connection's send queue holds.
    uint32_t queue_bytes_max;
    /// PEM file of the only authorities to trust; NULL trusts the system's.
    const char *_Nullable authority_path;
} ct_loop_options;

/// NULL if the loop cannot be made; `text` then says why.
ct_loop *_Nullable ct_loop_create(const ct_loop_options *options, const ct_events *events, char *text,
                                  size_t capacity);
/// Ends every connection (with its `closed` callback) and frees the loop. Not from inside a callback.
void ct_loop_destroy(ct_loop *loop);
/// One turn: `wait_us` 0 does not wait, negative waits without limit. True if somebody woke the loop.
bool ct_loop_turn(ct_loop *loop, int64_t wait_us);
ct_remote *ct_loop_remote(ct_loop *loop);

/// The part of a loop that any thread may hold, also longer than the loop lives. Counted references.
ct_remote *ct_remote_retain(ct_remote *remote);
void ct_remote_release(ct_remote *remote);
void ct_remote_wake(ct_remote *remote);
void ct_remote_count(ct_remote *remote, int counter, uint64_t increment);
uint64_t ct_remote_counter(const ct_remote *remote, int counter);

/// Looks a name up on a thread of its own; the answer is taken with `ct_take_resolution` after the loop was
/// woken. False if too many look-ups are under way.
bool ct_resolve(ct_loop *loop, const char *host, uint64_t token);
enum { CT_ADDRESSES_MAX = 16, CT_ADDRESSES_OF_FAMILY_MAX = 8, CT_ADDRESS_BYTES = 48, CT_TEXT_BYTES = 160 };
typedef struct ct_resolution {
    uint64_t token;
    int address_count;
    char addresses[CT_ADDRESSES_MAX * CT_ADDRESS_BYTES];
    char text[CT_TEXT_BYTES];
} ct_resolution;
bool ct_take_resolution(ct_loop *loop, ct_resolution *resolution);
/// 4 or 6 if the text is a numeric address, else 0.
int ct_address_family(const char *text);

typedef struct ct_target {
    ct_kind kind;
    /// Where to connect: numeric; behind a proxy the name.
    const char *address;
    uint16_t port;
    bool tls;
    /// Name for SNI, the certificate check and (standard role) the Host header.
    const char *host;
    /// `address:port` of the HTTP proxy, or NULL.
    const char *_Nullable proxy;
    /// Tunnel and HTTP: the whole request head without the empty line. Standard role: extra header lines.
    const char *head;
    size_t head_length;
    /// Standard role only.
    const char *path;
} ct_target;

/// NULL if it failed at once; `reason` and `text` then say why and no callback comes.
ct_connection *_Nullable ct_connect(ct_loop *loop, const ct_target *target, void *user, ct_reason *reason,
                                    char *text, size_t capacity);
/// Most bytes of a request head (the library sends it with one write and drops what does not fit).
enum { CT_HEAD_BYTES_MAX = 8192, CT_STANDARD_PATH_BYTES_MAX = 1900, CT_HOST_BYTES_MAX = 120 };

/// Queues and sends as far as the socket takes it. False: the queue has no room, and nothing of it was taken.
bool ct_send(ct_connection *connection, ct_frame frame, const uint8_t *bytes, size_t length);
/// Where a frame lies that many connections get.
typedef struct ct_place {
    uint32_t batch, start, length;
} ct_place;
/// Keeps a text message, or a whole frame, until the loop's next turn at the latest; earlier if too much is
/// kept. Without memory the place holds nothing.
ct_place ct_batch_add(ct_loop *loop, const uint8_t *bytes, size_t length, bool is_text);
/// Whether the frame is still kept.
bool ct_batch_holds(const ct_loop *loop, ct_place place);
/// Peers: sends a kept frame together with all others of the batch. False: as `ct_send`, or it is no longer
/// kept.
bool ct_send_batched(ct_connection *connection, ct_place place);
/// Sends what is kept, to each connection all of it at once.
void ct_batch_send(ct_loop *loop);
/// Standard role and peers: the close handshake, behind what is queued.
bool ct_send_close(ct_connection *connection, uint16_t code, const uint8_t *reason, size_t length);
/// Answers a request. Sent as the socket takes it, bounded by the caller.
bool ct_respond(ct_connection *connection, const uint8_t *head, size_t head_length, const uint8_t *body,
                size_t body_length);
/// Answers a request with a head and a body that goes on: further bytes by `ct_send` as CT_RAW, the end by
/// `ct_kill`.
bool ct_respond_open(ct_connection *connection, const uint8_t *head, size_t length);
/// Inside `upgrading`: answers with this instead of upgrading.
void ct_refuse(ct_connection *connection, const uint8_t *bytes, size_t length);
/// Reads nothing more from the socket: neither messages nor pings nor the end are noticed.
void ct_stop_reading(ct_connection *connection);
/// Ends the connection without ceremony at the next turn.
void ct_kill(ct_connection *connection);
/// Whether a client's request has left; the other side may be at work on it.
bool ct_asked(const ct_connection *connection);
/// Bytes that wait for the socket, in the queue and in the library.
size_t ct_queued_bytes(const ct_connection *connection);
/// Something waits for the socket; `drained` will be called when nothing does any more.
bool ct_congested(const ct_connection *connection);
/// Milliseconds since the last byte arrived, as the kernel knows it; -1 if unknown.
int64_t ct_silent_ms(const ct_connection *connection);
/// Copies a header's value (name in lower case, without colon); its length, or -1 if absent or longer than
/// `capacity`.
int ct_header(const ct_connection *connection, const char *name, char *value, int capacity);
/// Copies the `index`-th part of a request's query string, decoded; its length or -1.
int ct_query(const ct_connection *connection, int index, char *value, int capacity);
/// Copies the name of who the peer belongs to: `localhost`, an IPv4 address, or a network of IPv6 as
/// `2001:db8::/64`; "" if that is not known.
int ct_peer_owner(const ct_connection *connection, char *value, int capacity);
/// The same of a numeric address; what is none is returned as it is.
int ct_owner_name(const char *address, char *value, int capacity);
/// Bytes that wait for the sockets of all connections of that owner.
size_t ct_owner_queued_bytes(const ct_connection *connection);
/// Inside `fragment`: whether the message of this piece is binary.
bool ct_is_binary(const ct_connection *connection);
/// Copies the peer's numeric address.
int ct_peer_address(const ct_connection *connection, char *value, int capacity);

typedef struct ct_listen_options {
    /// Numeric address; NULL is every address.
    const char *_Nullable address;
    uint16_t port;
    const char *_Nullable certificate_path;
    const char *_Nullable key_path;
    /// PEM file of the authorities of which a client has to bring a certificate; NULL: nobody is asked.
    const char *_Nullable client_authority_path;
    /// Most connections at once, whatever they are used for; further ones are closed unread. 0: no limit.
    /// Never so many that no descriptors are left for anything else.
    uint32_t connection_count_max;
    /// Percent of them that one address may have, and that this machine may.
    uint32_t address_percent_max, loopback_percent_max;
} ct_listen_options;

/// The same of all connections.
size_t ct_loop_queued_bytes(const ct_loop *loop);
/// Inside `upgrading`: the client may agree with the library on permessage-deflate, without anything kept
/// from message to message. Packed messages arrive as they are, and are sent as whole frames, CT_RAW.
void ct_allow_deflate(ct_connection *connection);
/// Whether that was agreed on; from `opened` on.
bool ct_deflates(const ct_connection *connection);
/// Inside `fragment`: whether the message of this piece is packed.
bool ct_is_packed(const ct_connection *connection);
/// Packs and unpacks messages, each by itself. Thread: one at a time.
typedef struct ct_packer ct_packer;
enum { CT_UNPACK_TOO_LONG = -2 };
/// NULL without memory.
ct_packer *_Nullable ct_packer_create(void);
void ct_packer_destroy(ct_packer *packer);
/// Packs a message; its length, or 0 if it does not get shorter than `capacity`.
size_t ct_pack(ct_packer *packer, const uint8_t *bytes, size_t length, uint8_t *room, size_t capacity);
/// Unpacks a message with the four bytes that end a flush; its length, -1 if it is none, or
/// CT_UNPACK_TOO_LONG if it fills `capacity` or more.
int64_t ct_unpack(ct_packer *packer, const uint8_t *bytes, size_t length, uint8_t *room, size_t capacity);
/// Listens; the port in use, or -1 with `text` set. The server lives as long as the loop.
int ct_listen(ct_loop *loop, const ct_listen_options *options, void *server, char *text, size_t capacity);
/// Reads the certificates, keys and authorities of all servers of the loop again, for connections to come.
/// False, with `text` set: what cannot be used stays as it was.
bool ct_reload_identities(ct_loop *loop, char *text, size_t capacity);

/// A new Sec-WebSocket-Key, and the answer a key calls for, both terminated.
enum { CT_KEY_BYTES = 25, CT_ACCEPT_BYTES = 29 };
void ct_websocket_key(char *key);
void ct_websocket_accept(const char *key, char *accept);
uint64_t ct_now_ns(void);

// Nanoseconds since 1970, by the clock that people set.
int64_t ct_realtime_ns(void);
const char *_Nullable ct_environment(const char *name);

#pragma clang assume_nonnull end
#endif
