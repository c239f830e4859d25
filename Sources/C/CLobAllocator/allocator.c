// jemalloc's configuration and counters, or "not available" without it; see the header for the contract.
#include "CLobAllocator.h"

#ifdef LOB_JEMALLOC
#include <jemalloc/jemalloc.h>

// Freed pages stay with the process for ten seconds, so that a resync does not fault them in again. Not for
// ever: measured with connections that come and go, resident memory then grew by 13 MB per 10,000 of them
// although the live heap did not; with ten seconds it is flat. Thread caches hold blocks up to 64 KB, so that
// a growing book takes no lock. Huge pages, because thousands of books occupy more pages than the TLB covers
// (perf/tried.md). The environment variable MALLOC_CONF overrides all this.
const char *malloc_conf =
    "background_thread:false,thp:always,metadata_thp:auto,dirty_decay_ms:10000,muzzy_decay_ms:0,"
    "tcache_max:65536";

const uint64_t *lob_thread_allocated_bytes(void) {
    uint64_t *address = NULL;
    size_t length = sizeof address;
    return mallctl("thread.allocatedp", &address, &length, NULL, 0) ? NULL : address;
}

const uint64_t *lob_thread_deallocated_bytes(void) {
    uint64_t *address = NULL;
    size_t length = sizeof address;
    return mallctl("thread.deallocatedp", &address, &length, NULL, 0) ? NULL : address;
}

size_t lob_allocator_statistic(const char *name) {
    uint64_t epoch = 1;
    size_t length = sizeof epoch;
    if (mallctl("epoch", &epoch, &length, &epoch, length)) return SIZE_MAX;
    size_t value = 0;
    length = sizeof value;
    return mallctl(name, &value, &length, NULL, 0) ? SIZE_MAX : value;
}

size_t lob_allocation_requests(void) {
    // A thread's cached counts reach the arena statistics when its cache is flushed.
    mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
    uint64_t epoch = 1;
    size_t length = sizeof epoch;
    if (mallctl("epoch", &epoch, &length, &epoch, length)) return SIZE_MAX;
    uint64_t small = 0, large = 0;
    length = sizeof small;
    if (mallctl("stats.arenas.4096.small.nrequests", &small, &length, NULL, 0)) return SIZE_MAX;
    length = sizeof large;
    if (mallctl("stats.arenas.4096.large.nrequests", &large, &length, NULL, 0)) return SIZE_MAX;
    return (size_t)(small + large);
}
#else
const uint64_t *lob_thread_allocated_bytes(void) { return NULL; }
const uint64_t *lob_thread_deallocated_bytes(void) { return NULL; }
size_t lob_allocator_statistic(const char *name) { (void)name; return SIZE_MAX; }
size_t lob_allocation_requests(void) { return SIZE_MAX; }
#endif
