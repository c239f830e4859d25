// Many WebSocket clients in one process, as cheap as they can be, to see what a server does with them.
//
// Usage: load PORT CLIENTS STREAMS SECONDS PATH NAME[,NAME…]: CLIENTS connections to 127.0.0.1, client i with STREAMS of the
// names from the i-th on, as PATH with the names joined by '/'. Counts frames, and measures from the event time "E" of
// every frame (ms, the venue's clock is this machine's) to its being read. One thread and one epoll; frames are stepped
// over, not parsed, and what the tool itself costs is printed: where that is near a whole CPU, it is the tool that is
// measured. Prints one line of JSON.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD = 160, BUFFER = 1 << 20, BUCKETS = 200000 };

typedef struct {
    int fd;
    uint64_t left;   // bytes of a frame's payload still to come
    uint32_t held;   // bytes in head
    int opcode;
    unsigned char head[HEAD]; // header and beginning of a frame, for as long as it is not whole
} Client;

static uint32_t histogram[BUCKETS]; // of 0.1 ms
static uint64_t frames, bytes, late, closes, measured;
static int isMeasuring;

static double now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void count(const unsigned char *payload, size_t length, double time) {
    const unsigned char *at = memmem(payload, length, "\"E\":", 4);
    if (!isMeasuring) return;
    frames++;
    if (!at || at + 17 > payload + length) return;
    double sent = strtoull((const char *)at + 4, 0, 10) / 1e3;
    double tenths = (time - sent) * 1e4;
    if (tenths < 0) tenths = 0;
    if (tenths >= BUCKETS) { late++; tenths = BUCKETS - 1; }
    histogram[(int)tenths]++;
    measured++;
}

static void pong(Client *c, const unsigned char *payload, size_t length) {
    unsigned char frame[140] = {0x8a, 0x80 | (unsigned char)length, 0, 0, 0, 0};
    memcpy(frame + 6, payload, length);
    if (send(c->fd, frame, 6 + length, MSG_NOSIGNAL) < 0) closes++;
}

// Steps over what was read: frames that lie whole in the buffer are looked at there.
static void take(Client *c, const unsigned char *at, size_t length, double time) {
    while (length) {
        if (c->left) {
            size_t step = c->left < length ? c->left : length;
            c->left -= step; at += step; length -= step;
            continue;
        }
        // A frame begins, here or in head. Enough of it is gathered to see its event time.
        size_t room = HEAD - c->held, step = length < room ? length : room;
        memcpy(c->head + c->held, at, step);
        size_t have = c->held + step, header = 2;
        if (have < 2) { c->held = have; return; }
        uint64_t size = c->head[1] & 127;
        if (size == 126) header = 4; else if (size == 127) header = 10;
        if (have < header) { c->held = have; return; }
        if (header == 4) size = c->head[2] << 8 | c->head[3];
        if (header == 10) for (int i = size = 0; i < 8; i++) size = size << 8 | c->head[2 + i];
        size_t wanted = header + (size < HEAD - header ? size : HEAD - header);
        if (have < wanted) { c->held = have; return; }
        size_t used = wanted - c->held;
        c->held = 0;
        at += used; length -= used;
        c->left = size - (wanted - header);
        int opcode = c->head[0] & 15;
        if (opcode == 9) pong(c, c->head + header, wanted - header);
        else if (opcode == 8) closes++;
        else if (opcode == 1) count(c->head + header, wanted - header, time);
    }
}

static int dial(int port, const char *path) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0) return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct timeval limit = {.tv_sec = 20};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    static char text[20000];
    int length = snprintf(text, sizeof text,
        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", path, port);
    if (send(fd, text, length, MSG_NOSIGNAL) != length) return -1;
    // Byte by byte to the blank line: what comes behind it is frames.
    size_t have = 0;
    while (have < sizeof text - 1) {
        if (recv(fd, text + have, 1, 0) != 1) { close(fd); return -1; }
        have++;
        if (have >= 4 && !memcmp(text + have - 4, "\r\n\r\n", 4)) break;
    }
    if (strncmp(text, "HTTP/1.1 101", 12)) { close(fd); return -1; }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void turn(int poller, unsigned char *buffer, int waitMs) {
    struct epoll_event ready[256];
    int count = epoll_wait(poller, ready, 256, waitMs);
    for (int i = 0; i < count; i++) {
        Client *c = ready[i].data.ptr;
        ssize_t got = recv(c->fd, buffer, BUFFER, 0);
        if (got > 0) {
            if (isMeasuring) bytes += got;
            take(c, buffer, got, now(CLOCK_REALTIME));
        } else if (got == 0 || errno != EAGAIN) {
            closes += c->fd >= 0;
            epoll_ctl(poller, EPOLL_CTL_DEL, c->fd, 0);
            close(c->fd);
            c->fd = -1;
        }
    }
}

static double percentile(double share) {
    uint64_t wanted = share * measured, seen = 0;
    for (int i = 0; i < BUCKETS; i++) if ((seen += histogram[i]) > wanted) return i / 10.0;
    return BUCKETS / 10.0;
}

int main(int argc, char **argv) {
    if (argc != 7) return fprintf(stderr, "usage: load PORT CLIENTS STREAMS SECONDS PATH NAMES\n"), 64;
    int port = atoi(argv[1]), clientCount = atoi(argv[2]), streamCount = atoi(argv[3]), nameCount = 0, refused = 0;
    double seconds = atof(argv[4]);
    char *names[4000];
    for (char *name = strtok(argv[6], ","); name && nameCount < 4000; name = strtok(0, ",")) names[nameCount++] = name;
    Client *clients = calloc(clientCount, sizeof *clients);
    unsigned char *buffer = malloc(BUFFER);
    int poller = epoll_create1(0);
    double began = now(CLOCK_MONOTONIC);
    for (int i = 0; i < clientCount; i++) {
        static char path[16000];
        int length = snprintf(path, sizeof path, "%s", argv[5]);
        for (int k = 0; k < streamCount; k++)
            length += snprintf(path + length, sizeof path - length, "%s%s", k ? "/" : "", names[(i + k) % nameCount]);
        clients[i].fd = dial(port, path);
        if (clients[i].fd < 0) { refused++; continue; }
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &clients[i]};
        epoll_ctl(poller, EPOLL_CTL_ADD, clients[i].fd, &event);
        turn(poller, buffer, 0);
    }
    double connected = now(CLOCK_MONOTONIC) - began;
    // What has piled up while they connected is read before anything is measured.
    for (double until = now(CLOCK_MONOTONIC) + 3; now(CLOCK_MONOTONIC) < until;) turn(poller, buffer, 100);
    closes = 0;
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    isMeasuring = 1;
    fprintf(stderr, "measuring\n");
    double from = now(CLOCK_MONOTONIC);
    while (now(CLOCK_MONOTONIC) < from + seconds) turn(poller, buffer, 100);
    double took = now(CLOCK_MONOTONIC) - from;
    getrusage(RUSAGE_SELF, &after);
    double cpu = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) + (after.ru_utime.tv_usec - before.ru_utime.tv_usec) / 1e6
        + (after.ru_stime.tv_sec - before.ru_stime.tv_sec) + (after.ru_stime.tv_usec - before.ru_stime.tv_usec) / 1e6;
    double longest = 0;
    for (int i = 0; i < BUCKETS; i++) if (histogram[i]) longest = i / 10.0;
    printf("{\"clients\":%d,\"streams\":%d,\"refused\":%d,\"connectSeconds\":%.1f,\"closed\":%lu,\"framesPerSecond\":%.0f,"
        "\"megabytesPerSecond\":%.1f,\"p50Ms\":%.1f,\"p99Ms\":%.1f,\"maxMs\":%.1f,\"tooLate\":%lu,\"toolCpu\":%.2f}\n",
        clientCount, streamCount, refused, connected, closes, frames / took, bytes / took / 1e6, percentile(0.5),
        percentile(0.99), longest, late, cpu / took);
    return 0;
}
