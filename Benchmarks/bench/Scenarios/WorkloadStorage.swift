// Wire bytes and parsed updates of a scenario in memory that every implementation reads and nobody writes
// again.
//
// * Messages lie behind each other in one allocation, each starting on a 64-byte line as in a ring, with
//   `readableAfterBytes` readable bytes behind the last one.
// * Parsed updates lie in one array of the engine's own reusable buffers.
//
// SAFETY: both owners are not copyable and free their memory; the views they hand out must not outlive them,
// which holds because a `Workload` owns both and every implementation under test holds its workload.

import MarketData

/// Messages as bytes. Owns its memory.
struct MessageArena: ~Copyable {
    /// Readable bytes behind every message.
    static let readableAfterBytes = 256

    private var base: UnsafeMutablePointer<UInt8>
    private var starts: UnsafeMutablePointer<Int>
    private var lengths: UnsafeMutablePointer<Int>
    private let count: Int
    /// Bytes of all messages, padding not counted.
    let byteCount: Int

    init(_ messages: [[UInt8]]) {
        count = messages.count
        byteCount = messages.reduce(0) { $0 + $1.count }
        starts = .allocate(capacity: max(count, 1))
        lengths = .allocate(capacity: max(count, 1))
        var length = 0
        for (index, message) in messages.enumerated() {
            starts[index] = length
            lengths[index] = message.count
            length += (message.count + 63) & ~63
        }
        let raw = UnsafeMutableRawPointer.allocate(
            byteCount: length + MessageArena.readableAfterBytes, alignment: 64)
        base = raw.initializeMemory(
            as: UInt8.self, repeating: 0, count: length + MessageArena.readableAfterBytes)
        for (index, message) in messages.enumerated() {
            (base + starts[index]).update(from: message, count: message.count)
        }
    }

    deinit {
        base.deallocate()
        starts.deallocate()
        lengths.deallocate()
    }

    /// What the measured loops hold.
    var view: MessageView {
        MessageView(base: UnsafePointer(base), starts: UnsafePointer(starts), lengths: UnsafePointer(lengths))
    }
}

/// Messages of a `MessageArena` that outlives this view.
struct MessageView {
    fileprivate let base: UnsafePointer<UInt8>
    fileprivate let starts: UnsafePointer<Int>
    fileprivate let lengths: UnsafePointer<Int>

    /// The bytes of one message.
    @inline(__always)
    subscript(index: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: base + starts[index], count: lengths[index])
    }
}

/// Parsed updates. Owns its memory.
struct UpdateArena: ~Copyable {
    private let base: UnsafeMutablePointer<DepthUpdate>
    private let count: Int

    /// `count` updates, each filled by `fill` with its index.
    init(count: Int, fill: (Int, inout DepthUpdate) throws -> Void) rethrows {
        self.count = count
        base = .allocate(capacity: max(count, 1))
        for index in 0..<count { (base + index).initialize(to: DepthUpdate(levelCapacity: 1)) }
        for index in 0..<count { try fill(index, &base[index]) }
    }

    deinit {
        base.deinitialize(count: count)
        base.deallocate()
    }

    /// What the measured loops hold.
    var view: UpdateView { UpdateView(base: base) }
}

/// Updates of an `UpdateArena` that outlives this view.
struct UpdateView {
    fileprivate let base: UnsafeMutablePointer<DepthUpdate>

    /// One update, borrowed.
    @inline(__always)
    subscript(index: Int) -> DepthUpdate {
        _read { yield base[index] }
    }
}
