// libwebsockets behind opaque pointers and one table of callbacks. This is the target's only public header,
// and no type of libwebsockets or OpenSSL appears in it, so Swift never imports either.
//
// Threads: a loop, its connections and its servers belong to the thread that turns the loop. Only
// `ct_remote_…` may be called from other threads.
//
// Lifetime: a connection's memory belongs to this target. It lives from the call or callback that hands it
// out until its `closed` callback returns; that callback comes exactly once, and no pointer of the library
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
    /// Client: HTTP/1.1 request; every byte after the response head is passed on raw.
    CT_TUNNEL,
    /// Client: HTTP/1.1 request; the body is passed on without its transfer encoding.
    CT_HTTP,
    /// Client: WebSocket by the library's own role.
    CT_STANDARD,
    /// Server: one HTTP request and its response.
    CT_REQUEST,
    /// Server: WebSocket by the library's own role.
    CT_PEER,
} ct_kind;

/// Why a connection has ended.
typedef enum ct_reason {
    /// It was open and has ended, by either side.
    CT_ENDED,
    /// It has completed: a whole body received, or a whole response sent.
    CT_COMPLETED,
    /// HTTP client: it ended before the whole body had arrived.
    CT_TRUNCATED,
    /// The port is closed, or something on the way rejects the connection.
    CT_REFUSED,
    /// No route, a network error, or no socket could be made ready.
    CT_UNREACHABLE,
    /// The process has no file descriptor left.
    CT_DESCRIPTORS,
    /// The peer's certificate was not accepted; the text says why.
    CT_CERTIFICATE,
    /// TLS failed for another reason.
    CT_TLS,
    /// The peer does not speak TLS.
    CT_NO_TLS,
    /// The peer hung up before a whole response head had arrived.
    CT_UNANSWERED,
    /// The response head could not be read, or (standard role) was not a valid upgrade.
    CT_BAD_ANSWER,
    /// The library reported an impossible length or pointer, which was not used.
    CT_OUT_OF_BOUNDS,
} ct_reason;

/// Maximum bytes of a control frame's payload, and of one piece of a message.
enum { CT_CONTROL_BYTES_MAX = 125, CT_PIECE_BYTES_MAX = 65536 };
/// Whether bytes may be read: no more than can have been received, and not at NULL unless there are none. A
/// negative length becomes, by its cast, larger than any allowed.
bool ct_in_bounds(const void *_Nullable bytes, size_t length, size_t length_max);

/// Kinds of outgoing frames.
typedef enum ct_frame { CT_RAW, CT_TEXT, CT_BINARY, CT_PING, CT_CLOSE } ct_frame;

/// Counters; `TransportCounters` documents their meaning.
enum ct_counter {
    CT_COUNT_ATTEMPTS, CT_COUNT_OPENED, CT_COUNT_ENDED, CT_COUNT_BYTES_IN, CT_COUNT_BYTES_OUT,
    CT_COUNT_FRAMES_IN, CT_COUNT_MESSAGES_IN, CT_COUNT_PINGS_IN, CT_COUNT_FRAMES_OUT, CT_COUNT_VIOLATIONS,
    CT_COUNT_SEND_REFUSED, CT_COUNT_OUT_OF_BOUNDS, CT_COUNT_TURNED_AWAY,
    CT_COUNT_FAILURES, CT_COUNTERS
};

/// Called on the loop's thread. `user` is the value the connection was created with; a nonzero result closes
/// the connection.
typedef struct ct_events {
    /// Client: the response head has arrived; headers can be read.
    int (*answered)(void *user, int status);
    /// Standard role and peers: frames may flow.
    int (*opened)(void *user);
    /// Tunnel and HTTP: bytes after the response head.
    int (*received)(void *user, const uint8_t *bytes, size_t length);
    /// Standard role and peers: a piece of a message.
    int (*fragment)(void *user, const uint8_t *bytes, size_t length, bool is_final);
    /// Standard role and peers: a pong.
    int (*pong)(void *user, const uint8_t *bytes, size_t length);
    /// Standard role and peers: the other side sent a close frame; 1005 if it carried no code. Nonzero if its
    /// reason is not UTF-8.
    int (*closing)(void *user, uint16_t code, const uint8_t *reason, size_t length);
    /// Everything that waited for the socket has been sent.
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
    /// Maximum bytes one read passes on; also the room for parsing a response head.
    uint32_t read_bytes_max;
    /// Capacity of a connection's send queue in bytes.
    uint32_t queue_bytes_max;
    /// PEM file of the authorities to trust; NULL: those of the system.
    const char *_Nullable authority_path;
} ct_loop_options;

/// NULL if the loop cannot be created; `text` then says why.
ct_loop *_Nullable ct_loop_create(const ct_loop_options *options, const ct_events *events, char *text,
                                  size_t capacity);
/// Ends every connection (with its `closed` callback) and frees the loop. Must not be called in a callback.
void ct_loop_destroy(ct_loop *loop);
/// One turn: `wait_us` 0 does not wait, negative waits without limit. True if the loop was woken.
bool ct_loop_turn(ct_loop *loop, int64_t wait_us);
ct_remote *ct_loop_remote(ct_loop *loop);

/// The part of a loop that any thread may hold; it may outlive the loop. Reference-counted.
ct_remote *ct_remote_retain(ct_remote *remote);
void ct_remote_release(ct_remote *remote);
void ct_remote_wake(ct_remote *remote);
void ct_remote_count(ct_remote *remote, int counter, uint64_t increment);
uint64_t ct_remote_counter(const ct_remote *remote, int counter);

/// Looks a name up on a separate thread; take the answer with `ct_take_resolution` once the loop is woken.
/// False if too many look-ups are in progress.
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
    /// Numeric address to connect to; the name if through a proxy.
    const char *address;
    uint16_t port;
    bool tls;
    /// Name for SNI, the certificate check and (standard role) the Host header.
    const char *host;
    /// `address:port` of the HTTP proxy, or NULL.
    const char *_Nullable proxy;
    /// Tunnel and HTTP: the whole request head without its empty line. Standard role: extra header lines.
    const char *head;
    size_t head_length;
    /// Standard role only.
    const char *path;
} ct_target;

/// NULL if it failed at once; `reason` and `text` then say why and no callback comes.
ct_connection *_Nullable ct_connect(ct_loop *loop, const ct_target *target, void *user, ct_reason *reason,
                                    char *text, size_t capacity);
/// Maximum bytes of a request head (the library sends it with one write and drops what does not fit).
enum { CT_HEAD_BYTES_MAX = 8192, CT_STANDARD_PATH_BYTES_MAX = 1900, CT_HOST_BYTES_MAX = 120 };

/// Sends what the socket takes and queues the rest. False: the queue has no room, and nothing was taken.
bool ct_send(ct_connection *connection, ct_frame frame, const uint8_t *bytes, size_t length);
/// The place of a frame for many connections.
typedef struct ct_place {
    uint32_t batch, start, length;
} ct_place;
/// Keeps a text message, or a whole frame, until the loop's next turn at the latest, or until too much is
/// kept. If memory runs out, the place holds nothing.
ct_place ct_batch_add(ct_loop *loop, const uint8_t *bytes, size_t length, bool is_text);
/// Whether the frame is still kept.
bool ct_batch_holds(const ct_loop *loop, ct_place place);
/// Peers: sends a kept frame together with the connection's others of the batch. False: as `ct_send`, or it
/// is no longer kept.
bool ct_send_batched(ct_connection *connection, ct_place place);
/// Sends the batch: to each connection its whole share at once.
void ct_batch_send(ct_loop *loop);
/// The same for one connection.
void ct_batch_send_to(ct_connection *connection);
/// Peers: forgets what is queued, except for the frame of which the socket has taken a part.
void ct_forget_queue(ct_connection *connection);
/// Standard role and peers: starts the close handshake after what is queued.
bool ct_send_close(ct_connection *connection, uint16_t code, const uint8_t *reason, size_t length);
/// Answers a request. Sent at the socket's pace; the caller bounds its length.
bool ct_respond(ct_connection *connection, const uint8_t *head, size_t head_length, const uint8_t *body,
                size_t body_length);
/// Answers a request with a head and a streamed body: send further bytes by `ct_send` as CT_RAW, end it by
/// `ct_kill`.
bool ct_respond_open(ct_connection *connection, const uint8_t *head, size_t length);
/// Inside `upgrading`: answers with this instead of upgrading.
void ct_refuse(ct_connection *connection, const uint8_t *bytes, size_t length);
/// Stops reading the socket: messages, pings and its end go unnoticed.
void ct_stop_reading(ct_connection *connection);
/// Ends the connection without a handshake at the next turn.
void ct_kill(ct_connection *connection);
/// Whether a client's request has been sent; the server may already be processing it.
bool ct_asked(const ct_connection *connection);
/// Bytes waiting for the socket: in the queue, in the library, and in the batch.
size_t ct_queued_bytes(const ct_connection *connection);
/// Whether bytes wait for the socket; `drained` is called once none do.
bool ct_congested(const ct_connection *connection);
/// Milliseconds since the last byte arrived, as the kernel knows it; -1 if unknown.
int64_t ct_silent_ms(const ct_connection *connection);
/// Copies a header's value (name in lower case, without colon); its length, or -1 if absent or longer than
/// `capacity`.
int ct_header(const ct_connection *connection, const char *name, char *value, int capacity);
/// Copies the `index`-th part of a request's query string, decoded; its length or -1.
int ct_query(const ct_connection *connection, int index, char *value, int capacity);
/// Copies the name of the peer's owner: `localhost`, an IPv4 address, or an IPv6 network as `2001:db8::/64`;
/// "" if it is not known.
int ct_peer_owner(const ct_connection *connection, char *value, int capacity);
/// The same for a numeric address; any other text is returned unchanged.
int ct_owner_name(const char *address, char *value, int capacity);
/// Bytes waiting for the sockets of all connections of the peer's owner.
size_t ct_owner_queued_bytes(const ct_connection *connection);
/// Inside `fragment`: whether the message of this piece is binary.
bool ct_is_binary(const ct_connection *connection);
/// Copies the peer's numeric address.
int ct_peer_address(const ct_connection *connection, char *value, int capacity);

typedef struct ct_listen_options {
    /// Numeric address; NULL: every address.
    const char *_Nullable address;
    uint16_t port;
    const char *_Nullable certificate_path;
    const char *_Nullable key_path;
    /// PEM file of the authorities whose client certificates are required; NULL: none is required.
    const char *_Nullable client_authority_path;
    /// Maximum number of connections of any kind; further ones are closed unread. 0: no limit. Reduced if it
    /// would leave no descriptors for anything else.
    uint32_t connection_count_max;
    /// Percentages of that maximum for one address and for this machine.
    uint32_t address_percent_max, loopback_percent_max;
    /// Longest time from a connection to the end of its first request's head, TLS handshake included.
    uint32_t head_ms_max;
    /// Longest wait, give or take a second, for a client to agree that its connection with TLS has ended.
    uint32_t close_ms_max;
} ct_listen_options;

/// Bytes in the send queues of all connections.
size_t ct_loop_queued_bytes(const ct_loop *loop);
/// Inside `upgrading`: allows permessage-deflate without context takeover. Compressed messages are passed on
/// as they arrive, and are sent as whole frames, CT_RAW.
void ct_allow_deflate(ct_connection *connection);
/// Whether that was agreed on; valid from `opened` on.
bool ct_deflates(const ct_connection *connection);
/// Inside `fragment`: whether the message of this piece is packed.
bool ct_is_packed(const ct_connection *connection);
/// Packs and unpacks messages, each by itself. Thread: one at a time.
typedef struct ct_packer ct_packer;
enum { CT_UNPACK_TOO_LONG = -2 };
/// NULL if memory runs out.
ct_packer *_Nullable ct_packer_create(void);
void ct_packer_destroy(ct_packer *packer);
/// Packs a message and returns its packed length, or 0 if that would not be below `capacity`.
size_t ct_pack(ct_packer *packer, const uint8_t *bytes, size_t length, uint8_t *room, size_t capacity);
/// Unpacks a message, including the four bytes that end a flush; returns its length, -1 if it is invalid, or
/// CT_UNPACK_TOO_LONG if it needs `capacity` bytes or more.
int64_t ct_unpack(ct_packer *packer, const uint8_t *bytes, size_t length, uint8_t *room, size_t capacity);
/// Listens; returns the port in use, or -1 with `text` set. The server lives as long as the loop.
int ct_listen(ct_loop *loop, const ct_listen_options *options, void *server, char *text, size_t capacity);
/// Reads the certificates, keys and authorities of all servers of the loop again, for future connections.
/// False, with `text` set: those that cannot be used stay as they were.
bool ct_reload_identities(ct_loop *loop, char *text, size_t capacity);

/// What tests can make fail on their thread: allocations, and the kernel's fine-grained wait.
typedef enum ct_fault { CT_NO_MEMORY, CT_NO_FINE_WAIT, CT_FAULTS } ct_fault;
/// Makes the calls numbered `first` to `last` from now on fail, counting from 1; none if `last` is 0. Returns
/// the number of calls since the previous setting.
uint64_t ct_let_fail(ct_fault fault, uint64_t first, uint64_t last);

/// A new Sec-WebSocket-Key, and the expected answer to a key, both NUL-terminated.
enum { CT_KEY_BYTES = 25, CT_ACCEPT_BYTES = 29 };
void ct_websocket_key(char *key);
void ct_websocket_accept(const char *key, char *accept);
uint64_t ct_now_ns(void);

// Nanoseconds since 1970 by the wall clock.
int64_t ct_realtime_ns(void);
const char *_Nullable ct_environment(const char *name);

#pragma clang assume_nonnull end
#endif
