// The owners of a server's connections and what each holds, so that no single owner can take everything. An
// owner is an IPv4 address, an IPv6 network of 64 bits (its hosts can take as many addresses as they like),
// or this machine under any address.
//
// Bounds: one entry per connection and one per owner.
#include "internal.h"
#include <arpa/inet.h>
#include <stdlib.h>

static const char loopback[] = "localhost";

// The key of an IPv6 address; IPv4 addresses arrive mapped into one.
static ct_owner_key key_of(const struct in6_addr *address) {
    ct_owner_key key = {.family = IN6_IS_ADDR_V4MAPPED(address) ? CT_FOUR : CT_SIX};
    const uint8_t *bytes = address->s6_addr;
    const uint8_t *first = key.family == CT_FOUR ? bytes + 12 : bytes;
    memcpy(key.network, first, key.family == CT_FOUR ? 4 : 8);
    bool here = key.family == CT_FOUR ? bytes[12] == 127 : IN6_IS_ADDR_LOOPBACK(address);
    return here ? (ct_owner_key){.family = CT_HERE} : key;
}

static bool read_address(const char *text, struct in6_addr *address) {
    char plain[INET6_ADDRSTRLEN];
    size_t length = strcspn(text, "%");
    if (length >= sizeof plain) return false;
    memcpy(plain, text, length);
    plain[length] = 0;
    memset(address, 0, sizeof *address);
    address->s6_addr[10] = address->s6_addr[11] = 0xff;
    if (inet_pton(AF_INET, plain, address->s6_addr + 12) == 1) return true;
    return inet_pton(AF_INET6, plain, address) == 1;
}

static ct_owner_key key_of_socket(int descriptor) {
    struct sockaddr_storage storage = {0};
    socklen_t length = sizeof storage;
    struct in6_addr address = {.s6_addr = {[10] = 0xff, [11] = 0xff}};
    if (descriptor < 0 || getpeername(descriptor, (struct sockaddr *)&storage, &length)) {
        return (ct_owner_key){.family = CT_NOBODY};
    }
    if (storage.ss_family == AF_INET6) return key_of(&((struct sockaddr_in6 *)&storage)->sin6_addr);
    if (storage.ss_family != AF_INET) return (ct_owner_key){.family = CT_NOBODY};
    memcpy(address.s6_addr + 12, &((struct sockaddr_in *)&storage)->sin_addr, 4);
    return key_of(&address);
}

static void print_key(const ct_owner_key *key, char *value, size_t capacity) {
    char text[INET6_ADDRSTRLEN] = "";
    struct in6_addr address = {0};
    memcpy(address.s6_addr, key->network, sizeof key->network);
    if (key->family == CT_FOUR) inet_ntop(AF_INET, key->network, text, sizeof text);
    if (key->family == CT_SIX) inet_ntop(AF_INET6, &address, text, sizeof text);
    const char *end = key->family == CT_SIX ? "/64" : "";
    snprintf(value, capacity, "%s%s", key->family == CT_HERE ? loopback : text, end);
}

int ct_owner_name(const char *text, char *value, int capacity) {
    struct in6_addr address;
    if (capacity < 1) return -1;
    if (read_address(text, &address)) {
        ct_owner_key key = key_of(&address);
        print_key(&key, value, (size_t)capacity);
    } else {
        snprintf(value, (size_t)capacity, "%s", text);
    }
    return (int)strnlen(value, (size_t)capacity - 1);
}

int ct_peer_owner(const ct_connection *connection, char *value, int capacity) {
    if (capacity < 1) return -1;
    value[0] = 0;
    if (connection->owner) print_key(&connection->owner->key, value, (size_t)capacity);
    return (int)strnlen(value, (size_t)capacity - 1);
}

size_t ct_owner_queued_bytes(const ct_connection *connection) {
    return connection->owner ? connection->owner->queued : ct_queued_bytes(connection);
}

static ct_owner **owner_bucket(ct_server *server, const ct_owner_key *key) {
    uint64_t network;
    memcpy(&network, key->network, sizeof network);
    return &server->owners[(network * 0x9e3779b97f4a7c15u) >> 56];
}

static ct_owner *find_owner(ct_server *server, const ct_owner_key *key) {
    ct_owner *owner = *owner_bucket(server, key);
    while (owner && (owner->key.family != key->family || memcmp(owner->key.network, key->network, 8))) {
        owner = owner->next;
    }
    return owner;
}

static ct_guest **guest_bucket(ct_server *server, const struct lws *wsi) {
    return &server->guests[((uint64_t)(uintptr_t)wsi * 0x9e3779b97f4a7c15u) >> 54];
}

static uint32_t share(uint32_t most, uint32_t percent) {
    if (!most || percent >= 100) return most;
    uint32_t part = (uint32_t)((uint64_t)most * percent / 100);
    return part ? part : 1;
}

bool ct_has_room(ct_server *server, int descriptor) {
    ct_owner_key key = key_of_socket(descriptor);
    const ct_owner *owner = find_owner(server, &key);
    uint32_t most = server->connections_max;
    uint32_t part = share(most, key.family == CT_HERE ? server->loopback_percent : server->address_percent);
    if (!most || (server->connections < most && (owner ? owner->connections : 0) < part)) return true;
    ct_count(server->loop, CT_COUNT_TURNED_AWAY, 1);
    return false;
}

static ct_owner *make_owner(ct_server *server, const ct_owner_key *key) {
    ct_owner **bucket = owner_bucket(server, key), *owner = ct_allocate(sizeof *owner);
    if (!owner) return NULL;
    owner->key = *key;
    owner->next = *bucket;
    *bucket = owner;
    return owner;
}

void ct_arrived(ct_server *server, struct lws *wsi) {
    ct_owner_key key = key_of_socket(lws_get_socket_fd(wsi));
    ct_guest **bucket = guest_bucket(server, wsi), *guest = ct_allocate(sizeof *guest);
    ct_owner *owner = guest ? find_owner(server, &key) ?: make_owner(server, &key) : NULL;
    // It stays without an owner, and is closed at its first request.
    if (!owner) return free(guest);
    *guest = (ct_guest){.wsi = wsi, .owner = owner, .next = *bucket};
    *bucket = guest;
    owner->connections += 1;
    server->connections += 1;
}

ct_guest *ct_find_guest(ct_server *server, const struct lws *wsi) {
    ct_guest *guest = *guest_bucket(server, wsi);
    while (guest && guest->wsi != wsi) guest = guest->next;
    return guest;
}

ct_owner *ct_owner_of(ct_server *server, const struct lws *wsi) {
    ct_guest *guest = ct_find_guest(server, wsi);
    if (!guest) return NULL;
    guest->has_asked = true;
    return guest->owner;
}

void ct_left(ct_server *server, const struct lws *wsi) {
    ct_guest **place = guest_bucket(server, wsi);
    while (*place && (*place)->wsi != wsi) place = &(*place)->next;
    ct_guest *guest = *place;
    // The listening socket ends like a connection, and is the last to do so.
    if (!guest) return;
    *place = guest->next;
    ct_owner *owner = guest->owner;
    free(guest);
    server->connections -= 1;
    if (owner->connections -= 1) return;
    ct_owner **link = owner_bucket(server, &owner->key);
    while (*link != owner) link = &(*link)->next;
    *link = owner->next;
    free(owner);
}
