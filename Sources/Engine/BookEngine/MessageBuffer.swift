// Messages kept verbatim while a book awaits its snapshot, consecutively in one run of bytes.
//
// Bytes rather than levels: they are copied once, and parsed again only in the rare case that they are
// needed. Bounded individually and together with the engine's other buffers: a message that does not fit is
// refused, and the owner starts over.
//
// SAFETY: pointers do not leave the call that created them.

import LobHandoff

/// A bounded run of messages. Not copyable: a budget counts its bytes until it is gone.
struct MessageBuffer: ~Copyable {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []
    /// Receive time of the last message; meaningless while there is none.
    private(set) var lastReceivedAtNs: Int64 = 0
    private let bytesMax: Int
    private let budget: BufferBudget
    private let dropsOldest: Bool

    /// - Parameter dropsOldest: the bug `EngineDefect.dropsOldestBuffered`.
    init(bytesMax: Int, budget: BufferBudget, dropsOldest: Bool = false) {
        self.bytesMax = bytesMax
        self.budget = budget
        self.dropsOldest = dropsOldest
    }

    deinit { budget.giveBack(bytes.count) }

    var count: Int { ends.count }
    var byteCount: Int { bytes.count }

    /// Appends a copy of a message; false if it does not fit.
    mutating func append(_ frame: Frame) -> Bool {
        if dropsOldest && ends.count > 2 { removeFirst() }
        if unsafe bytes.count + frame.bytes.count > bytesMax { return false }
        if unsafe !budget.take(frame.bytes.count) { return false }
        unsafe bytes.append(contentsOf: frame.bytes)
        ends.append(bytes.count)
        lastReceivedAtNs = frame.receivedAtNs
        return true
    }

    /// Calls `body` with a message and the number of readable bytes after it.
    func withMessage<R>(_ index: Int, _ body: (UnsafeBufferPointer<UInt8>, Int) -> R) -> R {
        let start = index == 0 ? 0 : ends[index - 1]
        let end = ends[index]
        return unsafe bytes.withUnsafeBufferPointer { all in
            unsafe body(UnsafeBufferPointer(rebasing: all[start..<end]), all.count - end)
        }
    }

    private mutating func removeFirst() {
        let length = ends.removeFirst()
        bytes.removeFirst(length)
        budget.giveBack(length)
        for index in ends.indices { ends[index] -= length }
    }

    /// Drops the messages and frees the memory.
    mutating func removeAll() {
        budget.giveBack(bytes.count)
        bytes = []
        ends = []
    }
}
