// What the files of this target share. Everything here belongs to the loop's thread, but for `ct_remote`.
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

/// An IPv4 address in the first half, or a network of IPv6; zeros where the family says all.
typedef struct ct_owner_key {
    uint8_t network[8];
    ct_family family;
} ct_owner_key;

/// What the connections of one owner hold together; there as long as there is one.
typedef struct ct_owner {
    ct_owner_key key;
    uint32_t connections;
    /// Bytes that wait for their sockets.
    size_t queued;
    struct ct_owner *next;
} ct_owner;

/// Whose a connection of the library is.
typedef struct ct_guest {
    const struct lws *wsi;
    ct_owner *owner;
    struct ct_guest *next;
} ct_guest;

/// Frames that many connections get, kept once; see batch.c.
typedef struct ct_batch {
    uint8_t *memory;
    size_t length, capacity;
    /// Those that get something of it, NULL where one has gone.
    ct_connection **connections;
    size_t count, connections_capacity;
    /// A place of another batch is not of this one.
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
    /// Inside `ct_connect`: an end is reported by its result, not by a callback.
    bool connecting;
    bool ended;
    /// In the loop's list of those to be killed at the next turn.
    bool doomed;
    /// In the loop's list of those that hold records read ahead; never while doomed.
    bool unread;
    /// The last read brought bytes.
    bool progress;
    /// The library says that the body is whole; true of a chunked body only if the peer did not hang up
    /// first.
    bool completed;
    bool chunked;
    /// Something could not be sent at once; when all is gone, `drained` is called.
    bool congested;
    /// A response is queued; when the queue is empty the transaction is over.
    bool responding;
    /// The response goes on until the connection ends; `drained` is called as for a peer.
    bool streaming;
    /// A request that brings a body; of what follows on its connection the library loses count.
    bool has_body;
    /// Whether permessage-deflate may be agreed on, whether it was, whether the message at hand is packed.
    bool may_deflate, deflates, packed;
    /// The last piece of data ended its frame; and that frame was marked as packed.
    bool frame_over, frame_marked;
    /// How often the end of that body was reported.
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
    /// Bytes of the record that the library holds because the socket took a part of it, at most.
    size_t lent;
    /// Bytes that wait that are part of the loop's sum.
    size_t counted;
    /// Pieces of the loop's batch that it gets, their bytes, and one more than its index there; 0 for none.
    ct_piece *pieces;
    int piece_count, piece_capacity;
    size_t batched, batch_index;
    /// The loop's epoll tells when the socket has room.
    bool wants_room;
    /// Nothing is read from the socket any more.
    bool deaf;
    /// In the list it is in.
    ct_connection *next;
    /// In the list of responses that go on.
    ct_connection *next_stream;
};

/// Whether the loop's thread waits, and for what.
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
    /// Connections accepted and not yet gone, and most of them.
    uint32_t connections, connections_max;
    /// What one address may have of them, and what this machine may.
    uint32_t address_percent, loopback_percent;
    /// Hashed.
    ct_owner *owners[256];
    ct_guest *guests[1024];
    /// PEM files; NULL where there is no TLS, or no client is asked for a certificate.
    char *certificate_path, *key_path, *client_authority_path;
    /// What the files held when they were last read; NULL where there is no TLS.
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
    /// The library has called back in this turn, so that it did not return for nothing.
    bool stirred;
    /// Requests that wait for their answer, connections of its own making, and those no longer read.
    int unanswered, clients, deaf;
    /// Bytes in all send queues.
    size_t queued;
    /// The library is at work, or waits.
    bool turning;
    lws_sorted_usec_list_t alarm;
    ct_connection *doomed, *unread, *streams;
    /// When the clients of those were last listened to.
    uint64_t heard_ns;
    ct_server *servers;
    ct_batch batch;
    /// How a loop with servers waits; NULL where the library's wait is the only one.
    ct_waiting *waiting;
    bool waits_by_library;
    /// The descriptor that the library serves just now, or -1.
    int served;
};

/// Pings of the library's own are off: liveness is the business of the layers above.
extern const lws_retry_bo_t ct_no_validity;
extern const struct lws_protocols ct_client_protocols[], ct_server_protocols[];

ct_connection *ct_connection_make(ct_loop *loop, ct_kind kind);
/// Whether another connection may come in from where this socket leads. Counts those that may not.
bool ct_has_room(ct_server *server, int descriptor);
/// The library has made a connection of a socket, and has forgotten it.
void ct_arrived(ct_server *server, struct lws *wsi);
void ct_left(ct_server *server, const struct lws *wsi);
/// Whose it is; NULL if that was never seen.
ct_owner *ct_owner_of(ct_server *server, const struct lws *wsi);
void ct_append(ct_connection **list, ct_connection *connection);
void ct_remove(ct_connection **list, ct_connection *connection);
/// Goes on with records that OpenSSL holds: no socket tells of them.
void ct_read_on(ct_loop *loop);
/// Ends responses that go on and whose client has gone, or sends anything more.
void ct_hear_streams(ct_loop *loop);
/// Reports the end once and frees the connection; from here on the library does not know it any more.
void ct_end(ct_connection *connection, ct_reason reason, const char *text);
/// Every length from outside passes here before anybody uses it. False: the caller ends the connection.
bool ct_admit(ct_connection *connection, const void *bytes, size_t length, size_t length_max);
/// Most bytes that one read of the loop's library can bring.
size_t ct_read_max(const ct_loop *loop);
/// Reads the files of a server. False: they cannot be used, and `text` says why.
bool ct_identity_read(ct_server *server, const ct_listen_options *options, char *text, size_t capacity);
/// Lets a context of the library show what the server has read, and ask for what it demands.
void ct_identity_install(ct_server *server, SSL_CTX *tls);
void ct_server_free(ct_server *server);
/// Zero: the offer of this client is agreed to.
int ct_confirm_deflate(ct_connection *connection);
/// Completes what the library answers to the offer. Nonzero: the connection has to be closed.
int ct_add_terms(ct_connection *connection, struct lws_process_html_args *args);
extern const struct lws_extension ct_extensions[];
/// Sends what the socket takes. Nonzero: the library has to close the connection.
int ct_flush(ct_connection *connection);
/// The other side's close frame, told upwards.
int ct_peer_closing(ct_connection *connection, const uint8_t *payload, size_t length);
/// A piece of a message, and a pong, told upwards.
int ct_fragment(ct_connection *connection, const uint8_t *bytes, size_t length);
int ct_pong(ct_connection *connection, const uint8_t *payload, size_t length);
/// Whether the frame at hand has a reserved bit that it must not have.
bool ct_is_marked_wrongly(const ct_connection *connection, bool is_control);
/// Ends the connection because of what the peer did; the result is for the library.
int ct_violated(ct_connection *connection, uint16_t code);
void ct_count(ct_loop *loop, int counter, uint64_t increment);
bool ct_queue_append(ct_queue *queue, size_t capacity_max, ct_frame frame, const uint8_t *bytes,
                     size_t length);
/// Asks to be called back when the socket has room.
void ct_want_room(ct_connection *connection);
void ct_want_no_room(ct_connection *connection);
/// Gives bytes to the socket, and what it does not take to the library.
void ct_write_now(ct_connection *connection, uint8_t *bytes, size_t length);
/// Gives the socket of a plain connection as much of both as it takes at once; how much that was.
size_t ct_write_directly(ct_connection *connection, const uint8_t *head, size_t head_length,
                         const uint8_t *body, size_t body_length);
/// Sends what a connection gets of the batch, before something else.
void ct_batch_send_to(ct_connection *connection);
void ct_batch_leave(ct_connection *connection);
void ct_batch_free(ct_loop *loop);
/// From now on the loop waits by an epoll of its own, if that can be.
void ct_watch_port(ct_loop *loop, int port);
void ct_watch(ct_loop *loop, struct lws *wsi, bool is_plain);
void ct_watch_owner(ct_connection *connection, bool is_there);
void ct_waiting_free(ct_loop *loop);
/// Something is to be done that no socket tells of.
void ct_must_pass(ct_loop *loop);
bool ct_waits_itself(const ct_loop *loop);
/// The library's own wait has cleared up whatever was ready for nothing.
void ct_trust_again(ct_loop *loop);
void ct_wait(ct_loop *loop, int64_t wait_us);
/// Before and after a wait of a loop with a bell. False: it has been woken, and must not wait.
bool ct_fall_asleep(ct_loop *loop, ct_sleep sleep);
void ct_wake_up(ct_loop *loop);
/// Lets the present turn end without waiting.
void ct_hurry(ct_loop *loop);
void ct_remote_forget_lookups(ct_remote *remote);
struct lws_vhost *ct_client_vhost(ct_loop *loop, const char *name, const char *proxy);
