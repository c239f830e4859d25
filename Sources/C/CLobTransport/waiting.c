// How a loop with servers waits: by its own epoll instead of the library's poll, which asks the kernel about
// every socket each time it waits (with 5,000 clients 3 ms of CPU a wait here, against 7 µs).
//
//     what is ready            | what happens
//     -------------------------|----------------------------------------------------------
//     the bell                 | read; somebody woke the loop
//     a connection in plain    | the library serves this one, to read and then to write; the same
//                              | for one of TLS whose reading is paused
//     anything else            | the library asks about all its sockets: `pass`
//     nothing, for `PASS_MS`   | the same: its own timers are looked at there
//     bytes read ahead         | the same, but once in `AHEAD_MS` while answers are being sent: the bytes may
//                              | lie behind one that is not read, and only trying tells
//
// In doubt the loop uses the library's own wait: while it has outgoing connections, whose sockets are not
// known here; while a request is unanswered or a connection is not read; and when descriptors keep becoming
// ready without effect.
//
// Invariants
// * If a connection has something to write and its socket has no room, the socket is watched for room.
// * What the library wants to write on its own is written directly after the event that caused it, or in the
//   next pass.
#include "internal.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { PASS_MS = 500, AHEAD_MS = 20, WRITES_MAX = 4, READY_MAX = 256, IDLE_WAITS_MAX = 8 };
enum { DESCRIPTORS_SCANNED_MAX = 1 << 20 };

static const uint64_t ns_a_ms = 1000000;

/// Kinds of watched descriptors.
enum { UNKNOWN, PLAIN, OTHER };

struct ct_waiting {
    int epoll, bell;
    /// Indexed by descriptor.
    uint8_t *kinds;
    ct_connection **connections;
    size_t capacity;
    /// When the library last asked about all its sockets.
    uint64_t passed_ns;
    /// It must do so before the loop waits again.
    bool must_pass;
    /// Consecutive waits that ended with something ready but had no effect.
    int idle_waits;
    /// The kernel or a sandbox lacks the fine-grained wait.
    bool waits_coarsely;
};

static bool add(ct_waiting *waiting, int descriptor) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    return !epoll_ctl(waiting->epoll, EPOLL_CTL_ADD, descriptor, &event);
}

void ct_waiting_free(ct_loop *loop) {
    ct_waiting *waiting = loop->waiting;
    if (!waiting) return;
    loop->waiting = NULL;
    pthread_mutex_lock(&loop->remote->lock);
    loop->remote->bell = -1;
    // Keep a wake-up that only a wait for the bell would have seen.
    if (loop->remote->pending) loop->woken = true;
    loop->remote->pending = false;
    loop->remote->sleep = CT_AWAKE;
    pthread_mutex_unlock(&loop->remote->lock);
    close(waiting->epoll);
    close(waiting->bell);
    free(waiting->kinds);
    free(waiting->connections);
    free(waiting);
}

// If something cannot be watched, the library waits for everything.
static void give_up(ct_loop *loop) {
    ct_waiting_free(loop);
    loop->waits_by_library = true;
}

static bool make(ct_loop *loop) {
    ct_waiting *waiting = ct_allocate(sizeof *waiting);
    if (!waiting) return false;
    waiting->epoll = epoll_create1(EPOLL_CLOEXEC);
    waiting->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop->waiting = waiting;
    if (waiting->epoll < 0 || waiting->bell < 0 || !add(waiting, waiting->bell)) return false;
    pthread_mutex_lock(&loop->remote->lock);
    loop->remote->bell = waiting->bell;
    pthread_mutex_unlock(&loop->remote->lock);
    return true;
}

static bool listens(int descriptor, int port) {
    int accepts = 0;
    socklen_t length = sizeof accepts;
    if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &length) || !accepts) return false;
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } address = {0};
    length = sizeof address;
    if (getsockname(descriptor, &address.any, &length)) return false;
    in_port_t used = address.any.sa_family == AF_INET ? address.four.sin_port : address.six.sin6_port;
    return ntohs(used) == port;
}

// The library does not tell its listening socket. Another owner's socket on the same port may be watched too;
// it then becomes ready without effect, which is noticed.
void ct_watch_port(ct_loop *loop, int port) {
    if (loop->waits_by_library) return;
    if (!loop->waiting && !make(loop)) return give_up(loop);
    struct rlimit limit = {.rlim_cur = 0};
    getrlimit(RLIMIT_NOFILE, &limit);
    bool found = false;
    for (int descriptor = 0; descriptor < DESCRIPTORS_SCANNED_MAX && (rlim_t)descriptor < limit.rlim_cur;
         descriptor += 1) {
        if (listens(descriptor, port) && add(loop->waiting, descriptor)) found = true;
    }
    if (!found) give_up(loop);
}

static bool has_place(ct_waiting *waiting, int descriptor) {
    size_t capacity = waiting->capacity ? waiting->capacity : 64;
    if ((size_t)descriptor < waiting->capacity) return true;
    while (capacity <= (size_t)descriptor) capacity *= 2;
    uint8_t *kinds = ct_grow(waiting->kinds, capacity);
    if (kinds) waiting->kinds = kinds;
    ct_connection **connections = ct_grow(waiting->connections, capacity * sizeof *connections);
    if (connections) waiting->connections = connections;
    if (!kinds || !connections) return false;
    memset(kinds + waiting->capacity, 0, capacity - waiting->capacity);
    memset(connections + waiting->capacity, 0, (capacity - waiting->capacity) * sizeof *connections);
    waiting->capacity = capacity;
    return true;
}

void ct_watch(ct_loop *loop, struct lws *wsi, bool is_plain) {
    ct_waiting *waiting = loop->waiting;
    int descriptor = waiting ? lws_get_socket_fd(wsi) : -1;
    if (descriptor < 0) return;
    if (!has_place(waiting, descriptor) || !add(waiting, descriptor)) return give_up(loop);
    waiting->kinds[descriptor] = is_plain ? PLAIN : OTHER;
    waiting->connections[descriptor] = NULL;
    if (!is_plain) waiting->must_pass = true;
}

void ct_watch_owner(ct_connection *connection, bool is_there) {
    ct_waiting *waiting = connection->loop->waiting;
    if (!waiting) return;
    size_t place = connection->place;
    if (place && waiting->connections[place - 1] == connection) waiting->connections[place - 1] = NULL;
    connection->place = 0;
    int descriptor = is_there && connection->wsi ? lws_get_socket_fd(connection->wsi) : -1;
    if (descriptor < 0 || (size_t)descriptor >= waiting->capacity) return;
    waiting->connections[descriptor] = connection;
    connection->place = (size_t)descriptor + 1;
}

static void watch(ct_waiting *waiting, int descriptor, uint32_t what) {
    struct epoll_event event = {.events = what, .data.fd = descriptor};
    // Fails if the descriptor is gone; the library then has a look.
    if (epoll_ctl(waiting->epoll, EPOLL_CTL_MOD, descriptor, &event)) waiting->must_pass = true;
}

void ct_want_room(ct_connection *connection) {
    lws_callback_on_writable(connection->wsi);
    ct_waiting *waiting = connection->loop->waiting;
    if (!waiting || connection->wants_room || connection->kind < CT_REQUEST) return;
    int descriptor = lws_get_socket_fd(connection->wsi);
    // `serve` decides this at its end for the connection being served.
    if (descriptor == connection->loop->served) return;
    connection->wants_room = true;
    // Further requests stay unread until this one is answered.
    watch(waiting, descriptor, ct_is_answering(connection) ? EPOLLOUT : EPOLLIN | EPOLLOUT);
}

void ct_want_no_room(ct_connection *connection) {
    if (!connection->wants_room || !connection->loop->waiting || !connection->wsi) return;
    connection->wants_room = false;
    watch(connection->loop->waiting, lws_get_socket_fd(connection->wsi), EPOLLIN);
}

// Whether bytes wait for its socket, here or in the library.
static bool is_waiting(const ct_connection *connection) {
    return ct_is_answering(connection) || connection->congested
        || connection->queue.head != connection->queue.tail || lws_partial_buffered(connection->wsi);
}

// Lets the library check everything it has: sockets, timers, bytes read ahead. True if anything was due.
static bool pass(ct_loop *loop) {
    loop->waiting->must_pass = false;
    loop->waiting->passed_ns = ct_now_ns();
    loop->stirred = false;
    lws_service(loop->context, -1);
    // It may want to write as a result, which only its next pass shows.
    if (loop->stirred && loop->waiting) loop->waiting->must_pass = true;
    return loop->stirred;
}

static int serve_once(ct_loop *loop, int descriptor, short what) {
    struct lws_pollfd ready = {.fd = descriptor, .events = LWS_POLLIN | LWS_POLLOUT, .revents = what};
    return lws_service_fd(loop->context, &ready);
}

static ct_connection *connection_at(ct_loop *loop, int descriptor) {
    ct_waiting *waiting = loop->waiting;
    return waiting && (size_t)descriptor < waiting->capacity ? waiting->connections[descriptor] : NULL;
}

// Serves a connection, also one whose reading is paused. Whatever the library wants to write as a result (a
// pong, the end of a handshake, an answer) is written at once.
static void serve(ct_loop *loop, int descriptor, uint32_t what) {
    ct_connection *connection = connection_at(loop, descriptor);
    if (connection && connection->paused) {
        connection->paused = false;
        lws_rx_flow_control(connection->wsi, 1);
    }
    loop->served = descriptor;
    bool is_over = what & EPOLLIN && serve_once(loop, descriptor, LWS_POLLIN);
    for (int looks = 0; !is_over && looks < WRITES_MAX; looks += 1) {
        is_over = serve_once(loop, descriptor, LWS_POLLOUT);
        // The connection may be gone.
        if (is_over) break;
        connection = connection_at(loop, descriptor);
        if (!connection || !is_waiting(connection) || lws_partial_buffered(connection->wsi)) break;
    }
    loop->served = -1;
    connection = connection_at(loop, descriptor);
    if (connection) ct_pace_reading(connection);
    // Ending may involve more to write than the library has reported. For the rest of a frame it would wait,
    // though nobody is there to take it.
    if (connection && is_over && connection->paused) ct_kill(connection);
    if (is_over) return ct_must_pass(loop);
    if (!connection) return;
    if (is_waiting(connection)) ct_want_room(connection);
    else ct_want_no_room(connection);
}

static int await(ct_waiting *waiting, struct epoll_event *ready, int64_t wait_us) {
    struct timespec limit = {.tv_sec = wait_us / 1000000, .tv_nsec = wait_us % 1000000 * 1000};
    if (!waiting->waits_coarsely && !ct_fails(CT_NO_FINE_WAIT)) {
        int count = epoll_pwait2(waiting->epoll, ready, READY_MAX, &limit, NULL);
        if (count >= 0 || errno == EINTR) return count;
    }
    // Kernels and sandboxes without the call report that with different errors.
    waiting->waits_coarsely = true;
    return epoll_wait(waiting->epoll, ready, READY_MAX, (int)((wait_us + 999) / 1000));
}

// Microseconds until the library's last pass is so long ago.
static int64_t until_pass(const ct_waiting *waiting, uint64_t after_ms) {
    uint64_t due = waiting->passed_ns + after_ms * ns_a_ms, now = ct_now_ns();
    return due > now ? (int64_t)((due - now) / 1000) + 1 : 0;
}

void ct_must_pass(ct_loop *loop) {
    if (loop->waiting) loop->waiting->must_pass = true;
}

void ct_trust_again(ct_loop *loop) { loop->waiting->idle_waits = 0; }

bool ct_waits_itself(const ct_loop *loop) {
    return loop->waiting && !loop->clients && !loop->unanswered && !loop->deaf && !loop->unread
        && loop->waiting->idle_waits < IDLE_WAITS_MAX;
}

void ct_wait(ct_loop *loop, int64_t wait_us) {
    ct_waiting *waiting = loop->waiting;
    struct epoll_event ready[READY_MAX];
    bool is_ahead = !lws_service_adjust_timeout(loop->context, 1, 0);
    bool is_held = is_ahead && loop->answering && until_pass(waiting, AHEAD_MS) > 0;
    bool is_due = waiting->must_pass || (is_ahead && !is_held);
    if (is_due && pass(loop)) wait_us = 0;
    if (!loop->waiting) return;
    uint64_t after_ms = is_ahead && loop->answering ? AHEAD_MS : PASS_MS;
    int64_t due_us = waiting->must_pass ? 0 : until_pass(waiting, after_ms);
    if (wait_us < 0 || wait_us > due_us) wait_us = due_us;
    if (!ct_fall_asleep(loop, CT_BY_EPOLL)) wait_us = 0;
    int count = await(waiting, ready, wait_us);
    ct_wake_up(loop);
    loop->stirred = false;
    for (int index = 0; index < count && loop->waiting; index += 1) {
        int descriptor = ready[index].data.fd;
        uint32_t what = ready[index].events;
        if (descriptor == waiting->bell) {
            eventfd_t rings;
            loop->stirred |= !eventfd_read(waiting->bell, &rings);
            continue;
        }
        if (what & EPOLLOUT && !connection_at(loop, descriptor)) watch(waiting, descriptor, EPOLLIN);
        bool is_plain = (size_t)descriptor < waiting->capacity && waiting->kinds[descriptor] == PLAIN;
        ct_connection *connection = connection_at(loop, descriptor);
        bool is_single = is_plain || (connection && connection->paused);
        if (is_single && !(what & (EPOLLHUP | EPOLLERR))) serve(loop, descriptor, what);
        else waiting->must_pass = true;
    }
    if (!loop->waiting) return;
    bool was_stirred = loop->stirred;
    // After the ready ones have been served, so that little is left to do.
    if (waiting->must_pass || until_pass(waiting, PASS_MS) == 0) was_stirred |= pass(loop);
    if (loop->waiting) waiting->idle_waits = count > 0 && !was_stirred ? waiting->idle_waits + 1 : 0;
}

// MARK: - Being woken

bool ct_fall_asleep(ct_loop *loop, ct_sleep sleep) {
    ct_remote *remote = loop->remote;
    pthread_mutex_lock(&remote->lock);
    bool may = !remote->pending;
    remote->sleep = may ? sleep : CT_AWAKE;
    pthread_mutex_unlock(&remote->lock);
    return may;
}

void ct_wake_up(ct_loop *loop) {
    ct_remote *remote = loop->remote;
    pthread_mutex_lock(&remote->lock);
    remote->sleep = CT_AWAKE;
    if (remote->pending) loop->woken = true;
    remote->pending = false;
    pthread_mutex_unlock(&remote->lock);
}
