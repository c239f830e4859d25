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

/// Runs `body` and returns the bytes that this thread allocated meanwhile and has not freed since; nil where
/// jemalloc is switched off.
public func keptBytes(_ body: () throws -> Void) rethrows -> Int64? {
    guard let freed = lob_thread_deallocated_bytes() else {
        try body()
        return nil
    }
    let before = freed.pointee
    guard let allocated = try allocatedBytes(body) else { return nil }
    return Int64(bitPattern: allocated &- (freed.pointee &- before))
}
