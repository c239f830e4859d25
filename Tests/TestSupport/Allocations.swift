// Bytes the calling thread has allocated, by jemalloc's own counter.

import CLobAllocator

/// Runs `body` and returns the bytes this thread allocated meanwhile; nil where jemalloc is switched off.
public func allocatedBytes(_ body: () throws -> Void) rethrows -> UInt64? {
    guard let counter = lob_thread_allocated_bytes() else {
        try body()
        return nil
    }
    let before = counter.pointee
    try body()
    return counter.pointee &- before
}
