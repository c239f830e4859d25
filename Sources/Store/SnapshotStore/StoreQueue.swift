// Rows waiting for the disk, bounded in bytes.
//
// Policy when full: the row is refused. Books are refused beyond three quarters, so that there is room left
// for what is small and comes only once: ends of gaps, audits, reports. The loss is counted, with its time,
// and written as a row of its own as soon as anything is written again. Rows being written count as waiting
// until they are committed, so a refusing disk fills the queue and nothing else.

import LobHandoff
import Synchronization

/// Rows on their way to the writer. Any thread adds; one thread takes.
final class StoreQueue: Sendable {
    fileprivate struct State: Sendable {
        var waiting: [StoreEntry] = []
        /// Bytes waiting, and bytes taken but not committed.
        var bytes = 0
        var takenBytes = 0
        /// Rows taken but not committed.
        var takenCount = 0
        var loss: StoredLoss?
        var lostCount = 0
    }

    /// Everything taken at once.
    struct Batch: Sendable {
        var entries: [StoreEntry] = []
        var loss: StoredLoss?

        var isEmpty: Bool { entries.isEmpty && loss == nil }
    }

    private let state = Mutex(State())
    private let bytesMax: Int
    /// Notified when something was added.
    let news = Signal()

    /// An empty queue.
    ///
    /// - Parameter bytesMax: most bytes waiting.
    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// Adds a row.
    ///
    /// - Parameters:
    ///   - entry: the row.
    ///   - atNs: the current time since 1970.
    /// - Returns: false if there is no room; it is counted as lost.
    @discardableResult
    func add(_ entry: StoreEntry, atNs: Int64) -> Bool {
        let bytes = entry.waitingBytes
        var isBook = false
        if case .book = entry { isBook = true }
        let room = isBook ? bytesMax / 4 * 3 : bytesMax
        return state.withLock { [isBook] state in
            if state.bytes + bytes > room {
                state.lose(books: isBook ? 1 : 0, facts: isBook ? 0 : 1, fromNs: atNs, toNs: atNs)
                return false
            }
            state.waiting.append(entry)
            state.bytes += bytes
            return true
        }
    }

    /// Takes everything waiting. It counts as waiting until `committed` or `lost`.
    func take() -> Batch {
        state.withLock { state in
            let batch = Batch(entries: state.waiting, loss: state.loss)
            state.waiting = []
            state.loss = nil
            state.takenBytes = state.bytes
            state.takenCount = batch.entries.count
            return batch
        }
    }

    /// What was taken is on the disk.
    func committed() {
        state.withLock { state in
            state.bytes -= state.takenBytes
            state.takenBytes = 0
            state.takenCount = 0
        }
    }

    /// What was taken cannot be written at all.
    func lost(_ batch: Batch, atNs: Int64) {
        committed()
        state.withLock { state in
            var books = 0
            for entry in batch.entries { if case .book = entry { books += 1 } }
            let facts = batch.entries.count - books
            if let loss = batch.loss {
                state.lose(books: loss.books, facts: loss.facts, fromNs: loss.fromNs, toNs: loss.toNs)
                state.lostCount -= loss.books + loss.facts
            }
            if books + facts > 0 { state.lose(books: books, facts: facts, fromNs: atNs, toNs: atNs) }
        }
    }

    /// Whether nothing is waiting.
    var isEmpty: Bool { state.withLock { $0.waiting.isEmpty && $0.loss == nil } }

    /// Rows not committed yet.
    var waitingCount: Int { state.withLock { $0.waiting.count + $0.takenCount } }

    /// Rows lost so far.
    var lostCount: Int { state.withLock { $0.lostCount } }
}

extension StoreQueue.State {
    fileprivate mutating func lose(books: Int, facts: Int, fromNs: Int64, toNs: Int64) {
        var loss = self.loss ?? StoredLoss(fromNs: fromNs, toNs: toNs, books: 0, facts: 0)
        loss.books += books
        loss.facts += facts
        (loss.fromNs, loss.toNs) = (min(loss.fromNs, fromNs), max(loss.toNs, toNs))
        self.loss = loss
        lostCount += books + facts
    }
}
