// The event loop: one service thread, timers, wake-up from other threads, the context of the library.
#include "internal.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

// A context created with the global-init option registers OpenSSL ex-data indices in process-wide variables;
// a handshake in progress on another thread would then no longer find its connection and would refuse a good
// certificate. So one throw-away context does this, once per process.
static pthread_once_t initialised = PTHREAD_ONCE_INIT;

static void initialise(void) {
    lws_set_log_level(0, NULL);
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN, .uid = (uid_t)-1, .gid = (gid_t)-1, .fd_limit_per_thread = 1,
        .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
    };
    struct lws_context *context = lws_create_context(&info);
    if (context) lws_context_destroy(context);
}

const lws_retry_bo_t ct_no_validity = {0};

// The library serves due alarms before it waits. An alarm that rings then (because the thread was off its
// core for a while) must not leave the wait unlimited, so it is set again, for less than the millisecond the
// library would wait.
static void alarm_rang(lws_sorted_usec_list_t *alarm) {
    ct_loop *loop = lws_container_of(alarm, ct_loop, alarm);
    loop->stirred = true;
    lws_sul_schedule(loop->context, 0, alarm, alarm_rang, 500);
}

// When a client pipelines requests, the library asks for its socket to be writable, learns that it is, and
// does nothing, because a connection that must not read does not write either. Until the answer is sent, its
// wait therefore returns at once. While the answer is being sent, the connection may read but does not, so
// the wait returns at once for the bytes that lie there. A turn that did nothing sleeps briefly instead,
// which delays all other connections by as much. That bounds whatever else is ready without effect, so a loop
// with servers does it always; a loop without has nobody's input but that of its own connections.
enum { REST_US = 1000 };

static void rest(ct_loop *loop, int64_t wait_us) {
    if (loop->stirred || !loop->servers || !wait_us) return;
    struct timespec time = {.tv_nsec = 1000 * (wait_us > 0 && wait_us < REST_US ? wait_us : REST_US)};
    nanosleep(&time, NULL);
}

// The end of a connection that the library closes before it waits (killed or timed out) must be reported
// without waiting for the network: its owner may have nothing else to wait for.
void ct_hurry(ct_loop *loop) {
    if (loop->turning) lws_sul_schedule(loop->context, 0, &loop->alarm, alarm_rang, 1);
}

struct lws_vhost *ct_client_vhost(ct_loop *loop, const char *name, const char *proxy) {
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN, .vhost_name = name, .protocols = ct_client_protocols,
        // The empty string keeps the library from reading `http_proxy`: the layers above decide on proxies,
        // including `no_proxy`.
        .http_proxy_address = proxy, .timeout_secs_ah_idle = 30 * 86400, .connect_timeout_secs = 120,
        .retry_and_idle_policy = &ct_no_validity,
    };
    return lws_create_vhost(loop->context, &info);
}

static void free_loop(ct_loop *loop) {
    free(loop->remote);
    free(loop->read_buffer);
    free(loop->authority_path);
    free(loop);
}

// NULL if memory runs out.
static ct_loop *make_loop(const ct_loop_options *options) {
    ct_loop *loop = ct_allocate(sizeof *loop);
    if (!loop) return NULL;
    loop->read_bytes = (int)options->read_bytes_max;
    loop->service_bytes = loop->read_bytes + LWS_PRE;
    loop->read_buffer = ct_allocate((size_t)loop->read_bytes);
    loop->remote = ct_allocate(sizeof *loop->remote);
    loop->authority_path = options->authority_path ? ct_copy(options->authority_path) : NULL;
    if (loop->read_buffer && loop->remote && (loop->authority_path || !options->authority_path)) return loop;
    free_loop(loop);
    return NULL;
}

ct_loop *ct_loop_create(const ct_loop_options *options, const ct_events *events, char *text,
                        size_t capacity) {
    pthread_once(&initialised, initialise);
    ct_loop *loop = make_loop(options);
    if (!loop) {
        snprintf(text, capacity, "event loop: %s", strerror(ENOMEM));
        return NULL;
    }
    loop->events = *events;
    loop->served = -1;
    loop->batch.number = 1;
    loop->queue_bytes_max = options->queue_bytes_max;
    struct rlimit limit = {.rlim_cur = 0};
    getrlimit(RLIMIT_NOFILE, &limit);
    // `timeout_secs` is the library's limit for each step of an outgoing connection, for which the layers
    // above have their own, and for what a client does before and after its requests, for which `server.c`
    // has.
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN, .uid = (uid_t)-1, .gid = (gid_t)-1, .user = loop,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS, .timeout_secs = 120,
        .pt_serv_buf_size = (unsigned)loop->service_bytes, .max_http_header_data = 16384,
        // Tables of `ulimit -n` entries make the look-up by descriptor a single load. If that limit is
        // absurdly high, the tables are kept small and the library searches them.
        .fd_limit_per_thread = limit.rlim_cur > 65536 ? 4096 : 0,
    };
    loop->context = lws_create_context(&info);
    if (loop->context) loop->direct = ct_client_vhost(loop, "direct", "");
    if (!loop->direct) {
        snprintf(text, capacity, "event loop: %s", errno ? strerror(errno) : "no context");
        if (loop->context) lws_context_destroy(loop->context);
        free_loop(loop);
        return NULL;
    }
    pthread_mutex_init(&loop->remote->lock, NULL);
    loop->remote->references = 1;
    loop->remote->context = loop->context;
    loop->remote->bell = -1;
    return loop;
}

void ct_loop_destroy(ct_loop *loop) {
    ct_remote *remote = loop->remote;
    pthread_mutex_lock(&remote->lock);
    remote->context = NULL;
    pthread_mutex_unlock(&remote->lock);
    lws_sul_cancel(&loop->alarm);
    lws_context_destroy(loop->context);
    ct_waiting_free(loop);
    ct_batch_free(loop);
    if (loop->tls) SSL_CTX_free(loop->tls);
    for (ct_server *server = loop->servers; server;) {
        ct_server *next = server->next;
        ct_server_free(server);
        server = next;
    }
    ct_remote_release(remote);
    loop->remote = NULL;
    free_loop(loop);
}

// The asynchronous kill closes without flushing; requested here, it takes effect within the same turn.
static void kill_doomed(ct_loop *loop) {
    if (loop->doomed) ct_must_pass(loop);
    while (loop->doomed) {
        ct_connection *connection = loop->doomed;
        loop->doomed = connection->next;
        lws_set_timeout(connection->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
    }
}

// Waits by the library's own poll, over all its sockets.
static void wait_by_library(ct_loop *loop, int64_t wait_us) {
    if (loop->waiting && !ct_fall_asleep(loop, CT_BY_LIBRARY)) wait_us = 0;
    if (wait_us > 0) lws_sul_schedule(loop->context, 0, &loop->alarm, alarm_rang, wait_us);
    loop->turning = true;
    loop->stirred = false;
    lws_service(loop->context, wait_us && !loop->unread ? 0 : -1);
    loop->turning = false;
    if (loop->unread) loop->stirred = true;
    ct_read_on(loop);
    rest(loop, wait_us);
    lws_sul_cancel(&loop->alarm);
    if (!loop->waiting) return;
    ct_trust_again(loop);
    ct_wake_up(loop);
}

bool ct_loop_turn(ct_loop *loop, int64_t wait_us) {
    ct_batch_send(loop);
    kill_doomed(loop);
    if (ct_waits_itself(loop)) ct_wait(loop, wait_us);
    else wait_by_library(loop, wait_us);
    ct_hear_streams(loop);
    bool woken = loop->woken;
    loop->woken = false;
    return woken;
}

ct_remote *ct_loop_remote(ct_loop *loop) { return loop->remote; }

ct_remote *ct_remote_retain(ct_remote *remote) {
    __atomic_fetch_add(&remote->references, 1, __ATOMIC_RELAXED);
    return remote;
}

void ct_remote_release(ct_remote *remote) {
    if (__atomic_fetch_sub(&remote->references, 1, __ATOMIC_ACQ_REL) != 1) return;
    ct_remote_forget_lookups(remote);
    pthread_mutex_destroy(&remote->lock);
    free(remote);
}

void ct_remote_wake(ct_remote *remote) {
    pthread_mutex_lock(&remote->lock);
    remote->pending = true;
    if (remote->bell >= 0 && remote->sleep == CT_BY_EPOLL) eventfd_write(remote->bell, 1);
    else if (remote->context && (remote->bell < 0 || remote->sleep == CT_BY_LIBRARY)) {
        lws_cancel_service(remote->context);
    }
    pthread_mutex_unlock(&remote->lock);
}

// Only the loop's thread writes: a plain addition, stored so that readers never see a torn value.
void ct_remote_count(ct_remote *remote, int counter, uint64_t increment) {
    uint64_t *address = &remote->counters[counter];
    __atomic_store_n(address, __atomic_load_n(address, __ATOMIC_RELAXED) + increment, __ATOMIC_RELAXED);
}

uint64_t ct_remote_counter(const ct_remote *remote, int counter) {
    return __atomic_load_n(&remote->counters[counter], __ATOMIC_RELAXED);
}

void ct_count(ct_loop *loop, int counter, uint64_t increment) {
    ct_remote_count(loop->remote, counter, increment);
}

uint64_t ct_now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

int64_t ct_realtime_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

const char *ct_environment(const char *name) { return getenv(name); }

// The library's encoder terminates its text only if more than one byte of room is left after it.
static void encode(const uint8_t *bytes, int length, char *text, size_t text_length) {
    char roomy[64];
    lws_b64_encode_string((const char *)bytes, length, roomy, sizeof roomy);
    memcpy(text, roomy, text_length);
    text[text_length] = 0;
}

void ct_websocket_key(char *key) {
    uint8_t random[16];
    if (getentropy(random, sizeof random)) abort();
    encode(random, sizeof random, key, CT_KEY_BYTES - 1);
}

void ct_websocket_accept(const char *key, char *accept) {
    char text[80];
    uint8_t digest[20];
    int length = lws_snprintf(text, sizeof text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    lws_SHA1((const uint8_t *)text, (size_t)length, digest);
    encode(digest, sizeof digest, accept, CT_ACCEPT_BYTES - 1);
}
