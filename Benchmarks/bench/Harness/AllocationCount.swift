// Allocations of a pass, from jemalloc's counters: requests of the process, bytes of this thread.

import CLobAllocator

/// A reading of the allocator's counters, or the difference of two.
struct AllocationCount {
    var requests: UInt64
    var bytes: UInt64

    /// The counters now; nil without jemalloc. Reading allocates nothing.
    static func now() -> AllocationCount? {
        guard let bytes = lob_thread_allocated_bytes() else { return nil }
        let requests = lob_allocation_requests()
        if requests == Int.max { return nil }
        return AllocationCount(requests: UInt64(requests), bytes: bytes.pointee)
    }

    static func - (after: AllocationCount, before: AllocationCount) -> AllocationCount {
        AllocationCount(
            requests: after.requests &- before.requests, bytes: after.bytes &- before.bytes)
    }
}
