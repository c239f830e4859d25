// Lines of output on their way to a destination that may block: a stopped terminal, a full pipe, a dead
// network disk. Callers leave a line and go on; one thread waits for the output.
//
// Invariants
// * `add` and `show` never wait for the output.
// * Lines are written in order, each once or counted as lost; losses are reported before the next line
//   written.
// * Of pictures (the redrawn screen) only the newest is written.
//
// Bounds: `lineCountMax` lines of at most `lineBytesMax` bytes, and one picture. Anything beyond that is
// lost.

import LobHandoff
import LobTransport
import Synchronization

/// A bounded queue of lines and a thread that writes them. For any thread.
package final class LineQueue: Sendable {
    /// Everything written at once.
    package struct Batch: Sendable {
        /// Lines lost since the previous batch, all older than `lines`.
        package var lostCount = 0
        /// Lines, oldest first.
        package var lines: [String] = []
        /// The picture from here on; nil if unchanged.
        package var picture: [String]?

        /// An empty batch.
        package init() {}

        var isEmpty: Bool { lostCount == 0 && lines.isEmpty && picture == nil }
    }

    /// Most lines waiting.
    package static var lineCountMax: Int { 1024 }
    /// Longest line in bytes; the rest is cut off.
    package static var lineBytesMax: Int { 8192 }

    private struct State: Sendable {
        var waiting = Batch()
        var isWriting = false
        var isFinished = false
    }

    private let state = Mutex(State())
    private let lost = Atomic<Int>(0)
    private let news = Signal()
    private let written = Signal()
    private let write: @Sendable (Batch) -> Void

    /// A queue with its thread.
    ///
    /// - Parameter write: writes a batch; called on the queue's thread, and may block.
    /// - Throws: `ThreadError` if the system refuses another thread.
    package init(write: @escaping @Sendable (Batch) -> Void) throws(ThreadError) {
        self.write = write
        let worker = try PinnedThread("lines") { [self] in run() }
        worker.detach()
    }

    /// Lines lost so far.
    package var lostCount: Int { lost.load(ordering: .relaxed) }

    /// Appends a line; without room, the oldest waiting one is lost.
    package func add(_ line: String) {
        let line = LineQueue.cut(line)
        state.withLock { state in
            if state.isFinished { return }
            if state.waiting.lines.count >= LineQueue.lineCountMax {
                // Drop the oldest: the latest line is the most informative.
                state.waiting.lines.removeFirst()
                state.waiting.lostCount += 1
                lost.wrappingAdd(1, ordering: .relaxed)
            }
            state.waiting.lines.append(line)
        }
        news.notify()
    }

    /// Shows a picture from now on; its lines must fit the screen.
    package func show(_ picture: [String]) {
        state.withLock { state in
            if !state.isFinished { state.waiting.picture = picture }
        }
        news.notify()
    }

    /// Waits until everything added is written, but no longer than this.
    ///
    /// - Returns: whether it was written.
    @discardableResult
    package func flush(waitAtMostNs: Int64) -> Bool {
        let endsAtNs = LineQueue.nowNs + waitAtMostNs
        while true {
            let ticket = written.ticket
            let isDone = state.withLock { $0.waiting.isEmpty && !$0.isWriting }
            if isDone { return true }
            let leftNs = endsAtNs - LineQueue.nowNs
            if leftNs <= 0 { return false }
            written.wait(since: ticket, timeoutNs: min(leftNs, 50_000_000))
        }
    }

    /// Accepts nothing more and ends the thread once the rest is written. Always returns after
    /// `waitAtMostNs`.
    @discardableResult
    package func finish(waitAtMostNs: Int64) -> Bool {
        state.withLock { $0.isFinished = true }
        news.notify()
        return flush(waitAtMostNs: waitAtMostNs)
    }

    private func run() {
        while true {
            let ticket = news.ticket
            let (batch, isFinished) = state.withLock { state in
                let batch = state.waiting
                state.waiting = Batch()
                state.isWriting = !batch.isEmpty
                return (batch, state.isFinished)
            }
            if batch.isEmpty {
                if isFinished { return }
                news.wait(since: ticket, timeoutNs: 1_000_000_000)
                continue
            }
            write(batch)
            state.withLock { $0.isWriting = false }
            written.notify()
        }
    }

    private static var nowNs: Int64 { Int64(LoopClock.monotonicNs) }

    private static func cut(_ line: String) -> String {
        if line.utf8.count <= lineBytesMax { return line }
        return String(line.unicodeScalars.prefix(lineBytesMax / 4 - 1)) + "…"
    }
}
