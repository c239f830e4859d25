// A mailbox for one value, the latest: one thread writes, any number read. A sequence lock.
//
// Why: a reader of a book wants its current state, not its history. The writer must never wait for readers,
// however slow or many, and no atomic instruction stores a few hundred bytes.
//
// The writer makes the sequence odd, stores the value and makes the sequence even; a reader copies the value
// between two loads of the sequence and keeps the copy if both give the same even number. The value is stored
// and loaded as relaxed atomic words: the race between writer and reader is intended, so it must not be a
// data race.
//
// Invariants
// * sequence = 2 × (values published), plus 1 while one is being stored.
// * A reader's variable only ever holds a whole published value.
// * The writer finishes in a number of steps that depends only on the value's length.
//
// Worst case: a reader overtaken during each copy gives up after `attemptsMax` and keeps what it had. A
// writer preempted in the middle makes readers give up until it runs again.
//
// SAFETY: `storage` holds the sequence and `wordCount` words, lives as long as the object that owns it, and
// is accessed only by atomic operations. A value's bytes are copied in words within `wordCount × 8` bytes,
// the last word byte by byte.

import CLobKernels
import Glibc
import Synchronization

/// A new mailbox: the writing end, to be moved to the writer's thread, and the reading end, to be copied to
/// any reader.
@frozen
public struct LatestValue<Value: BitwiseCopyable>: ~Copyable {
    /// The end that writes.
    public let writer: LatestValueWriter<Value>
    /// The end that reads.
    public let reader: LatestValueReader<Value>

    /// A mailbox that holds `initial`, which counts as version 0.
    public init(_ initial: Value) {
        let storage = SequenceLockedWords(byteCount: MemoryLayout<Value>.size)
        writer = LatestValueWriter(storage)
        reader = LatestValueReader(storage)
        unsafe withUnsafeBytes(of: initial) { unsafe storage.store($0) }
    }

    /// Size of a mailbox in memory: a 64-bit sequence, then the value in whole words.
    public static var byteCount: Int { (1 + (MemoryLayout<Value>.size + 7) / 8) * 8 }

    /// A mailbox in memory owned by the caller, such as memory mapped by several processes.
    ///
    /// - Parameters:
    ///   - initial: its value, as version 0.
    ///   - region: `byteCount` bytes, aligned to 8; better to 128, on cache lines that nothing else writes.
    ///   - owner: kept as long as either end lives.
    @unsafe
    public init(_ initial: Value, in region: UnsafeMutableRawPointer, owner: AnyObject) {
        let storage = unsafe SequenceLockedWords(
            in: region, byteCount: MemoryLayout<Value>.size, owner: owner, isFresh: true)
        writer = LatestValueWriter(storage)
        reader = LatestValueReader(storage)
        unsafe withUnsafeBytes(of: initial) { unsafe storage.store($0) }
    }
}

/// Result of reading a mailbox.
public enum LatestValueReading: Hashable, Sendable {
    /// A value newer than the one seen before, the `version`-th published.
    case new(version: UInt64)
    /// Nothing newer than the version seen before.
    case unchanged
    /// The writer interfered with every attempt.
    case contended
}

/// The writing end of a mailbox. Not copyable; may be moved to another thread; one thread uses it at a time.
public struct LatestValueWriter<Value: BitwiseCopyable>: ~Copyable, @unchecked Sendable {
    @usableFromInline let storage: SequenceLockedWords

    init(_ storage: SequenceLockedWords) { self.storage = storage }

    /// Where the value lies, and what says so, for `CacheLines`.
    package var addresses: (value: UInt, owner: UInt) {
        unsafe (UInt(bitPattern: storage.sequence), UInt(bitPattern: ObjectIdentifier(storage)))
    }

    /// Replaces the value. Wait-free; O(bytes of the value).
    @inlinable
    public mutating func publish(_ value: Value) {
        let sequence = unsafe storage.sequence.pointee.load(ordering: .relaxed)
        unsafe storage.sequence.pointee.store(sequence &+ 1, ordering: .relaxed)
        // A reader that sees one of the words below also sees the odd number above.
        atomicMemoryFence(ordering: .releasing)
        unsafe withUnsafeBytes(of: value) { unsafe storage.store($0) }
        unsafe storage.sequence.pointee.store(sequence &+ 2, ordering: .releasing)
    }
}

/// The reading end of a mailbox. May be copied, and used by any thread.
public struct LatestValueReader<Value: BitwiseCopyable>: @unchecked Sendable {
    @usableFromInline let storage: SequenceLockedWords

    init(_ storage: SequenceLockedWords) { self.storage = storage }

    /// Reads a mailbox that already exists in this memory.
    ///
    /// - Parameters:
    ///   - region: `LatestValue<Value>.byteCount` bytes, aligned to 8, that hold a mailbox of such values.
    ///   - owner: kept as long as this reader lives.
    @unsafe
    public init(of region: UnsafeMutableRawPointer, owner: AnyObject) {
        self.storage = unsafe SequenceLockedWords(
            in: region, byteCount: MemoryLayout<Value>.size, owner: owner, isFresh: false)
    }

    /// Number of values published.
    @inlinable
    public var version: UInt64 { unsafe storage.sequence.pointee.load(ordering: .acquiring) &>> 1 }

    /// Copies the latest value if it is newer than the one seen before.
    ///
    /// - Parameters:
    ///   - value: set to the latest value on `.new`, otherwise unchanged.
    ///   - seen: version of the value already known; nil accepts any version.
    ///   - attemptsMax: tries before giving up as `.contended`; at least 1.
    /// - Complexity: O(bytes of the value) for each attempt.
    @inlinable
    public func read(
        into value: inout Value, ifNewerThan seen: UInt64? = nil, attemptsMax: Int = 1000
    ) -> LatestValueReading {
        if let seen, version <= seen { return .unchanged }
        let kept = value
        for attempt in 0..<attemptsMax {
            if attempt > 0 { lob_pause() }
            let sequence = unsafe storage.sequence.pointee.load(ordering: .acquiring)
            if sequence & 1 != 0 { continue }
            unsafe withUnsafeMutableBytes(of: &value) { unsafe storage.load(into: $0) }
            // The words above were loaded before the load below.
            atomicMemoryFence(ordering: .acquiring)
            if unsafe storage.sequence.pointee.load(ordering: .relaxed) == sequence {
                return .new(version: sequence &>> 1)
            }
        }
        value = kept
        return .contended
    }

    /// The latest value. If the writer was preempted in the middle of storing one, this sleeps until it is
    /// done; for readers that may wait and otherwise would have nothing to show.
    ///
    /// - Parameter room: any value; not read.
    public func latest(_ room: Value) -> Value {
        var value = room
        while read(into: &value) == .contended { usleep(50) }
        return value
    }
}

/// A sequence and the words of one value, on cache lines of their own. A small value shares its line with the
/// sequence, so that a reader fetches one line.
@usableFromInline
@safe
final class SequenceLockedWords: @unchecked Sendable {
    /// The memory, if this object frees it.
    private let block: UnsafeMutableRawPointer?
    /// The object that frees it otherwise.
    private let owner: AnyObject?
    @usableFromInline let sequence: UnsafeMutablePointer<Atomic<UInt64>>
    @usableFromInline let words: UnsafeMutablePointer<Atomic<UInt64>>

    init(byteCount: Int) {
        let wordCount = (byteCount + 7) / 8
        let pair = 128
        let length = ((1 + wordCount) * 8 + pair - 1) / pair * pair
        let memory = UnsafeMutableRawPointer.allocate(byteCount: length, alignment: pair)
        unsafe block = unsafe memory
        owner = nil
        unsafe sequence = unsafe memory.bindMemory(to: Atomic<UInt64>.self, capacity: 1 + wordCount)
        unsafe words = unsafe sequence + 1
        for index in 0...wordCount { unsafe (sequence + index).initialize(to: Atomic(0)) }
    }

    /// Words in memory that `owner` frees; zeroed if `isFresh`.
    @unsafe
    init(in region: UnsafeMutableRawPointer, byteCount: Int, owner: AnyObject, isFresh: Bool) {
        let wordCount = (byteCount + 7) / 8
        unsafe block = nil
        self.owner = owner
        unsafe sequence = unsafe region.bindMemory(to: Atomic<UInt64>.self, capacity: 1 + wordCount)
        unsafe words = unsafe sequence + 1
        if isFresh { for index in 0...wordCount { unsafe (sequence + index).initialize(to: Atomic(0)) } }
    }

    // An atomic integer needs no deinitialisation.
    deinit { unsafe block?.deallocate() }

    @inlinable
    func store(_ value: UnsafeRawBufferPointer) {
        guard let bytes = value.baseAddress else { return }
        let wholeCount = value.count / 8
        for index in 0..<wholeCount {
            let word = unsafe bytes.loadUnaligned(fromByteOffset: index &* 8, as: UInt64.self)
            unsafe words[index].store(word, ordering: .relaxed)
        }
        let restCount = value.count % 8
        if restCount == 0 { return }
        var word: UInt64 = 0
        unsafe withUnsafeMutableBytes(of: &word) {
            unsafe $0.baseAddress!.copyMemory(from: bytes + wholeCount * 8, byteCount: restCount)
        }
        unsafe words[wholeCount].store(word, ordering: .relaxed)
    }

    @inlinable
    func load(into value: UnsafeMutableRawBufferPointer) {
        guard let bytes = value.baseAddress else { return }
        let wholeCount = value.count / 8
        for index in 0..<wholeCount {
            let word = unsafe words[index].load(ordering: .relaxed)
            unsafe bytes.storeBytes(of: word, toByteOffset: index &* 8, as: UInt64.self)
        }
        let restCount = value.count % 8
        if restCount == 0 { return }
        let word = unsafe words[wholeCount].load(ordering: .relaxed)
        unsafe withUnsafeBytes(of: word) {
            unsafe (bytes + wholeCount * 8).copyMemory(from: $0.baseAddress!, byteCount: restCount)
        }
    }
}
