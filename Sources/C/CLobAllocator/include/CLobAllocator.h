// jemalloc as the process allocator, and the per-thread counters that prove "no allocation on the hot path".
// With the package trait `Jemalloc` off (sanitizers need that), every function answers "not available".
#pragma once
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// Address of this thread's running total of bytes allocated, or NULL without jemalloc.
const uint64_t *_Nullable lob_thread_allocated_bytes(void);
/// Address of this thread's running total of bytes freed, or NULL without jemalloc.
const uint64_t *_Nullable lob_thread_deallocated_bytes(void);
/// A size statistic of jemalloc by its documented name ("stats.allocated", "stats.resident", ...), refreshed
/// first; SIZE_MAX if it is not available.
size_t lob_allocator_statistic(const char *name);
/// Number of small and large allocation requests of all threads since the start; SIZE_MAX if not available.
size_t lob_allocation_requests(void);

#pragma clang assume_nonnull end
