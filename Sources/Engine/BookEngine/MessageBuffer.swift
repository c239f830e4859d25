// Messages kept verbatim while a book awaits its snapshot, consecutively in one run of bytes.
//
// Bytes rather than levels: they are copied once, and parsed again only in the rare case that they are
// needed. Bounded individually and together with the engine's other buffers: a message that does not fit is
// refused, and the owner starts over.
//
// SAFETY: pointers do not leave the call that created them.

import LobHandoff

/// A bounded run of messages. Not copyable: a budget counts its memory until it is gone, the room for more
/// included.
struct MessageBuffer: ~Copyable {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []
    /// Receive time of the last message; meaningless while there is none.
    private(set) var lastReceivedAtNs: Int64 = 0
    private let bytesMax: Int
    /// Room for bytes and for ends, as charged to the budget.
    private var (byteRoom, endRoom) = (0, 0)
    private let budget: BufferBudget
    private let dropsOldest: Bool

    /// - Parameter dropsOldest: the bug `EngineDefect.dropsOldestBuffered`.
    init(bytesMax: Int, budget: BufferBudget, dropsOldest: Bool = false) {
        self.bytesMax = bytesMax
        self.budget = budget
        self.dropsOldest = dropsOldest
    }

    deinit { budget.giveBack(memoryCount) }

    var count: Int { ends.count }
    var byteCount: Int { bytes.count }
    private var memoryCount: Int { byteRoom + endRoom * MemoryLayout<Int>.stride }

    /// Appends a copy of a message; false if it does not fit.
    mutating func append(_ frame: Frame) -> Bool {
        if dropsOldest && ends.count > 2 { removeFirst() }
        let byteCount = unsafe bytes.count + frame.bytes.count
        if byteCount > bytesMax || !makeRoom(forBytes: byteCount, ends: ends.count + 1) { return false }
        unsafe bytes.append(contentsOf: frame.bytes)
        ends.append(bytes.count)
        lastReceivedAtNs = frame.receivedAtNs
        return true
    }

    /// Grows to twice the size, or by a quarter if the budget is nearly spent; never by less, because each
    /// step copies everything.
    private mutating func makeRoom(forBytes byteCount: Int, ends endCount: Int) -> Bool {
        if byteCount > byteRoom {
            let room = [2 * byteRoom, byteRoom + byteRoom / 4].map { min(max($0, byteCount), bytesMax) }
            guard let taken = room.first(where: { budget.take($0 - byteRoom) }) else { return false }
            byteRoom = taken
            bytes.reserveCapacity(byteRoom)
        }
        if endCount > endRoom {
            let room = max(2 * endRoom, 8)
            if !budget.take((room - endRoom) * MemoryLayout<Int>.stride) { return false }
            endRoom = room
            ends.reserveCapacity(endRoom)
        }
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
        for index in ends.indices { ends[index] -= length }
    }

    /// Drops the messages and frees the memory.
    mutating func removeAll() {
        budget.giveBack(memoryCount)
        (bytes, ends) = ([], [])
        (byteRoom, endRoom) = (0, 0)
    }
}
