// Shared by the files of this target. Everything except `ct_remote` belongs to the loop's thread.
#pragma once
#include "CLobTransport.h"
#include <libwebsockets.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <string.h>

/// Outgoing bytes as records `length, frame, LWS_PRE bytes of room, payload`; the room takes the library's
/// frame header.
typedef struct ct_queue {
    uint8_t *memory;
    size_t capacity, head, tail;
} ct_queue;

/// Who a connection comes from.
typedef enum ct_family { CT_NOBODY, CT_HERE, CT_FOUR, CT_SIX } ct_family;

/// An IPv4 address in the first half, or an IPv6 network; zeros for families that need no address.
typedef struct ct_owner_key {
    uint8_t network[8];
    ct_family family;
} ct_owner_key;

/// What the connections of one owner hold together; exists as long as one of them does.
typedef struct ct_owner {
    ct_owner_key key;
    uint32_t connections;
    /// Bytes that wait for their sockets.
    size_t queued;
    struct ct_owner *next;
} ct_owner;

/// One of the library's connections: its owner, whether it has sent the head of a request, and whether the
/// library is closing it.
typedef struct ct_guest {
    const struct lws *wsi;
    ct_owner *owner;
    bool has_asked, is_leaving;
    struct ct_guest *next;
} ct_guest;

/// Frames for many connections, each stored once; see batch.c.
typedef struct ct_batch {
    uint8_t *memory;
    size_t length, capacity;
    /// Connections with a share of it, NULL where one has gone.
    ct_connection **connections;
    size_t count, connections_capacity;
    /// Tells the places of this batch from those of earlier ones.
    uint32_t number;
} ct_batch;

typedef struct ct_piece ct_piece;
typedef struct ct_waiting ct_waiting;

typedef enum ct_stage { CT_CONNECTING, CT_CONNECTED, CT_ASKED, CT_OPEN } ct_stage;

struct ct_connection {
    ct_loop *loop;
    struct lws *wsi;
    void *user;
    /// Who a server's connection comes from, if that is known.
    ct_owner *owner;
    ct_kind kind;
    ct_stage stage;
    bool tls;
    /// Inside `ct_connect`: its result reports a failure, not a callback.
    bool connecting;
    bool ended;
    /// In the loop's list of connections to kill at the next turn.
    bool doomed;
    /// In the loop's list of connections with records read ahead; never while doomed.
    bool unread;
    /// The last read brought bytes.
    bool progress;
    /// The library reports the body as complete. For a chunked body this is reliable only if the peer did not
    /// hang up first.
    bool completed;
    bool chunked;
    /// Something could not be sent at once; `drained` is called when all has been sent.
    bool congested;
    /// A response is queued; when the queue is empty the transaction is over.
    bool responding;
    /// The response goes on until the connection ends; `drained` is called as for a peer.
    bool streaming;
    /// The request has a body; the library then loses count of what follows on its connection.
    bool has_body;
    /// Whether permessage-deflate may be agreed on, whether it was, whether the message at hand is packed.
    bool may_deflate, deflates, packed;
    /// The last piece of data ended its frame; and that frame was marked as packed.
    bool frame_over, frame_marked;
    /// Number of times the end of that body was reported.
    int body_ends;
    /// A callback of the library was out of bounds; the end says so.
    bool out_of_bounds;
    /// What was wrong with the answer, if this side found it.
    const char *fault;
    ct_reason reason;
    char text[CT_TEXT_BYTES];
    char *head;
    size_t head_length;
    ct_queue queue;
    /// Upper bound of the bytes the library holds of a record of which the socket took only a part.
    size_t lent;
    /// Queued bytes that are included in the loop's sum.
    size_t counted;
    /// Its pieces of the loop's batch, their bytes, and its index there plus one; 0 for none.
    ct_piece *pieces;
    int piece_count, piece_capacity;
    size_t batched, batch_index;
    /// Its index in the loop's table of accepted connections plus one; 0 for none. The library closes the
    /// descriptor, and forgets it, before it reports the end.
    size_t place;
    /// The loop's epoll watches for room in the socket.
    bool wants_room;
    /// The socket is no longer read; or not by the library on its own, see `ct_pace_reading`.
    bool deaf, paused;
    /// A close frame is queued, sent or received: no data may follow it.
    bool closing;
    /// Next in the list that holds it.
    ct_connection *next;
    /// Next in the list of streaming responses.
    ct_connection *next_stream;
};

/// Whether and how the loop's thread waits.
typedef enum ct_sleep { CT_AWAKE, CT_BY_EPOLL, CT_BY_LIBRARY } ct_sleep;

struct ct_remote {
    pthread_mutex_t lock;
    int references;
    /// NULL once the loop is gone.
    struct lws_context *context;
    /// Rung to end a wait by epoll; -1 while the loop has none.
    int bell;
    ct_sleep sleep;
    /// Somebody has woken the loop since it last woke up.
    bool pending;
    int lookups;
    struct ct_lookup *done;
    uint64_t counters[CT_COUNTERS];
};

typedef struct ct_server {
    ct_loop *loop;
    void *user;
    char address[CT_ADDRESS_BYTES];
    /// Open accepted connections, and their maximum.
    uint32_t connections, connections_max;
    /// Percentages of them for one address and for this machine.
    uint32_t address_percent, loopback_percent;
    /// Longest time from a connection to its first request, and for a client to take leave.
    lws_usec_t head_us_max, leave_us_max;
    /// Hash tables.
    ct_owner *owners[256];
    ct_guest *guests[1024];
    /// PEM files; NULL where there is no TLS, or no client is asked for a certificate.
    char *certificate_path, *key_path, *client_authority_path;
    /// Contents of the files when last read; NULL without TLS.
    SSL_CTX *identity;
    struct ct_server *next;
} ct_server;

struct ct_loop {
    struct lws_context *context;
    struct lws_vhost *direct, *proxied;
    /// Proxy of `proxied`.
    char proxy[CT_TEXT_BYTES];
    SSL_CTX *tls;
    /// The last connection whose handshake failed, and OpenSSL's reason.
    const SSL *tls_failed;
    unsigned long tls_error;
    char *authority_path;
    ct_remote *remote;
    ct_events events;
    uint32_t queue_bytes_max;
    uint8_t *read_buffer;
    int read_bytes, service_bytes;
    bool woken;
    /// The library has called back in this turn: it did not return without a reason.
    bool stirred;
    /// Numbers of unanswered requests, of answers being sent, of outgoing connections, and of connections no
    /// longer read.
    int unanswered, answering, clients, deaf;
    /// Bytes in all send queues.
    size_t queued;
    /// The library is working or waiting.
    bool turning;
    lws_sorted_usec_list_t alarm;
    ct_connection *doomed, *unread, *streams;
    /// When the clients of `streams` were last checked for input.
    uint64_t heard_ns;
    ct_server *servers;
    ct_batch batch;
    /// How a loop with servers waits; NULL if only the library waits.
    ct_waiting *waiting;
    bool waits_by_library;
    /// The descriptor that the library is serving, or -1.
    int served;
};

/// The library's own pings are off: the layers above check liveness.
extern const lws_retry_bo_t ct_no_validity;
extern const struct lws_protocols ct_client_protocols[], ct_server_protocols[];

/// Allocates zeroed memory, resizes, copies a string; NULL if memory runs out.
void *ct_allocate(size_t size);
void *ct_grow(void *memory, size_t size);
char *ct_copy(const char *text);
/// Whether a test makes this call fail.
bool ct_fails(ct_fault kind);
/// NULL if memory runs out.
ct_connection *ct_connection_make(ct_loop *loop, ct_kind kind);
/// Whether an answer is being sent that has an end.
bool ct_is_answering(const ct_connection *connection);
/// Updates the sums of queued bytes after a change to this connection's.
void ct_count_queue(ct_connection *connection);
/// Whether another connection from this socket's peer is admitted. Counts refusals.
bool ct_has_room(ct_server *server, int descriptor);
/// The library has created a connection from a socket; `ct_left`: it has destroyed one.
void ct_arrived(ct_server *server, struct lws *wsi);
void ct_left(ct_server *server, const struct lws *wsi);
/// The owner of a connection that has just sent the head of a request; NULL if the connection was never seen,
/// or memory ran out.
ct_owner *ct_owner_of(ct_server *server, const struct lws *wsi);
/// NULL as for `ct_owner_of`.
ct_guest *ct_find_guest(ct_server *server, const struct lws *wsi);
void ct_append(ct_connection **list, ct_connection *connection);
void ct_remove(ct_connection **list, ct_connection *connection);
/// Continues with records that OpenSSL has read ahead; no socket event announces them.
void ct_read_on(ct_loop *loop);
/// Ends streaming responses whose client has gone or sends anything more.
void ct_hear_streams(ct_loop *loop);
/// Reports the end once and frees the connection; afterwards the library does not refer to it.
void ct_end(ct_connection *connection, ct_reason reason, const char *text);
/// Checks a length from outside before its use. False: the caller must end the connection.
bool ct_admit(ct_connection *connection, const void *bytes, size_t length, size_t length_max);
/// Maximum number of bytes that one read of the library can deliver.
size_t ct_read_max(const ct_loop *loop);
/// Reads the files of a server. False: they are unusable, and `text` says why.
bool ct_identity_read(ct_server *server, const ct_listen_options *options, char *text, size_t capacity);
/// Installs what the server has read in a context of the library, and the client certificates it demands.
void ct_identity_install(ct_server *server, SSL_CTX *tls);
void ct_server_free(ct_server *server);
/// Zero: the client's offer is accepted.
int ct_confirm_deflate(ct_connection *connection);
/// Completes the library's answer to the offer. Nonzero: the connection must be closed.
int ct_add_terms(ct_connection *connection, struct lws_process_html_args *args);
extern const struct lws_extension ct_extensions[];
/// Sends what the socket takes. Nonzero: the library must close the connection.
int ct_flush(ct_connection *connection);
/// Reports the peer's close frame.
int ct_peer_closing(ct_connection *connection, const uint8_t *payload, size_t length);
/// Report a piece of a message, and a pong.
int ct_fragment(ct_connection *connection, const uint8_t *bytes, size_t length);
int ct_pong(ct_connection *connection, const uint8_t *payload, size_t length);
/// Whether the current frame has a reserved bit set that must not be.
bool ct_is_marked_wrongly(const ct_connection *connection, bool is_control);
/// Ends the connection because the peer violated the protocol; the result is for the library.
int ct_violated(ct_connection *connection, uint16_t code);
void ct_count(ct_loop *loop, int counter, uint64_t increment);
bool ct_queue_append(ct_queue *queue, size_t capacity_max, ct_frame frame, const uint8_t *bytes,
                     size_t length);
/// While the library holds bytes for a socket, it puts off the end of that connection, and `lws_service` then
/// asks the same socket again and again without returning: one client that ended its direction under a full
/// socket stopped its server. So a WebSocket of the library's role is then read only by `serve`, once
/// at a time, or not at all. Call after each change of what the library holds.
void ct_pace_reading(ct_connection *connection);
/// The result of a callback that cannot go on: the library ends the connection at once, or the loop does.
int ct_give_up(ct_connection *connection);
/// Bounds what the kernel keeps of this connection's bytes before it has sent them. Otherwise that grows to
/// megabytes, which no limit counts, and a slow client looks like a fast one until they are full.
void ct_bound_unsent(ct_connection *connection);
/// Asks to be called back when the socket has room.
void ct_want_room(ct_connection *connection);
void ct_want_no_room(ct_connection *connection);
/// Writes bytes to the socket; the library buffers what it does not take.
void ct_write_now(ct_connection *connection, uint8_t *bytes, size_t length);
/// Writes as much of both parts as a plain socket takes at once; returns how much that was.
size_t ct_write_directly(ct_connection *connection, const uint8_t *head, size_t head_length,
                         const uint8_t *body, size_t body_length);
void ct_batch_leave(ct_connection *connection);
void ct_batch_free(ct_loop *loop);
/// Makes the loop wait by its own epoll from now on, if possible.
void ct_watch_port(ct_loop *loop, int port);
void ct_watch(ct_loop *loop, struct lws *wsi, bool is_plain);
void ct_watch_owner(ct_connection *connection, bool is_there);
void ct_waiting_free(ct_loop *loop);
/// Work is due that no socket event announces.
void ct_must_pass(ct_loop *loop);
bool ct_waits_itself(const ct_loop *loop);
/// The library's own wait has dealt with whatever was ready without effect.
void ct_trust_again(ct_loop *loop);
void ct_wait(ct_loop *loop, int64_t wait_us);
/// Call before and after a wait of a loop with a bell. False: it has been woken and must not wait.
bool ct_fall_asleep(ct_loop *loop, ct_sleep sleep);
void ct_wake_up(ct_loop *loop);
/// Makes the current turn end without waiting.
void ct_hurry(ct_loop *loop);
void ct_remote_forget_lookups(ct_remote *remote);
struct lws_vhost *ct_client_vhost(ct_loop *loop, const char *name, const char *proxy);
