// Name look-ups off the loop's thread: getaddrinfo blocks, for seconds if a name server is unreachable. Each
// look-up has a short-lived thread, at most eight at once; it uses only the reference-counted `ct_remote`, so
// the loop may end before the answer arrives.
#include "internal.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>

enum { LOOKUPS_MAX = 8 };

struct ct_lookup {
    ct_remote *remote;
    struct ct_lookup *next;
    ct_resolution result;
    char host[256];
};

int ct_address_family(const char *text) {
    struct in6_addr address;
    if (inet_pton(AF_INET, text, &address) == 1) return 4;
    return inet_pton(AF_INET6, text, &address) == 1 ? 6 : 0;
}

// Takes the first few addresses of each family in the resolver's order, so that neither crowds out the other.
static void look_up(const char *host, ct_resolution *result) {
    int counts[2] = {0, 0};
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *list = NULL;
    int error = getaddrinfo(host, NULL, &hints, &list);
    if (error) {
        snprintf(result->text, sizeof result->text, "%s", gai_strerror(error));
        return;
    }
    for (struct addrinfo *one = list; one && result->address_count < CT_ADDRESSES_MAX; one = one->ai_next) {
        int *count = &counts[one->ai_family == AF_INET6];
        if (*count == CT_ADDRESSES_OF_FAMILY_MAX) continue;
        char *address = result->addresses + result->address_count * CT_ADDRESS_BYTES;
        error = getnameinfo(one->ai_addr, one->ai_addrlen, address, CT_ADDRESS_BYTES, NULL, 0,
                            NI_NUMERICHOST);
        if (error) continue;
        result->address_count += 1;
        *count += 1;
    }
    freeaddrinfo(list);
    if (!result->address_count) snprintf(result->text, sizeof result->text, "the name has no address");
}

static void *run(void *argument) {
    struct ct_lookup *lookup = argument;
    ct_remote *remote = lookup->remote;
    prctl(PR_SET_NAME, "look-up");
    look_up(lookup->host, &lookup->result);
    pthread_mutex_lock(&remote->lock);
    lookup->next = remote->done;
    remote->done = lookup;
    remote->lookups -= 1;
    pthread_mutex_unlock(&remote->lock);
    ct_remote_wake(remote);
    ct_remote_release(remote);
    return NULL;
}

// A thread would inherit the loop's core and scheduling policy; on the core of a spinning real-time loop, a
// look-up would never run.
static bool start(struct ct_lookup *lookup) {
    pthread_attr_t attributes;
    pthread_t thread;
    cpu_set_t everywhere;
    CPU_ZERO(&everywhere);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu += 1) CPU_SET(cpu, &everywhere);
    struct sched_param priority = {.sched_priority = 0};
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setaffinity_np(&attributes, sizeof everywhere, &everywhere);
    pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
    pthread_attr_setschedpolicy(&attributes, SCHED_OTHER);
    pthread_attr_setschedparam(&attributes, &priority);
    bool started = !pthread_create(&thread, &attributes, run, lookup);
    pthread_attr_destroy(&attributes);
    return started;
}

bool ct_resolve(ct_loop *loop, const char *host, uint64_t token) {
    ct_remote *remote = loop->remote;
    pthread_mutex_lock(&remote->lock);
    bool room = remote->lookups < LOOKUPS_MAX;
    if (room) remote->lookups += 1;
    pthread_mutex_unlock(&remote->lock);
    if (!room) return false;
    struct ct_lookup *lookup = ct_allocate(sizeof *lookup);
    if (lookup) {
        lookup->remote = ct_remote_retain(remote);
        lookup->result.token = token;
        snprintf(lookup->host, sizeof lookup->host, "%s", host);
        if (start(lookup)) return true;
        ct_remote_release(remote);
        free(lookup);
    }
    pthread_mutex_lock(&remote->lock);
    remote->lookups -= 1;
    pthread_mutex_unlock(&remote->lock);
    return false;
}

bool ct_take_resolution(ct_loop *loop, ct_resolution *resolution) {
    ct_remote *remote = loop->remote;
    pthread_mutex_lock(&remote->lock);
    struct ct_lookup *lookup = remote->done;
    if (lookup) remote->done = lookup->next;
    pthread_mutex_unlock(&remote->lock);
    if (!lookup) return false;
    *resolution = lookup->result;
    free(lookup);
    return true;
}

void ct_remote_forget_lookups(ct_remote *remote) {
    while (remote->done) {
        struct ct_lookup *next = remote->done->next;
        free(remote->done);
        remote->done = next;
    }
}
