// A thread that turns an event loop and its resident. Both are made on that thread and never leave it; what
// other threads may use of them is handed out once all is made.

import LobHandoff

/// A thread with an event loop. `Remote` is what other threads may use of its resident.
package final class LoopThread<Remote: Sendable>: Sendable {
    /// A resident of the thread: how it is used from outside, and how it ends.
    package struct Resident {
        /// What other threads may use.
        package var remote: Remote
        /// Whether the thread may end; asked once a turn.
        package var isOver: () -> Bool
        /// Called when it has ended and the loop is closed.
        package var ended: () -> Void

        /// A resident.
        package init(remote: Remote, isOver: @escaping () -> Bool, ended: @escaping () -> Void = {}) {
            (self.remote, self.isOver, self.ended) = (remote, isOver, ended)
        }
    }

    /// What other threads may use.
    package let remote: Remote
    private let worker: PinnedThread

    /// Turns of a loop without a byte received before a `backoff` thread begins to sleep.
    private static var spinTurnCount: Int { 2_000 }

    /// Makes the thread, the loop on it, and the resident on that.
    ///
    /// - Parameters:
    ///   - name: of the thread.
    ///   - idle: `spin` never sleeps, `park` sleeps whenever there is nothing to do, `backoff` spins for a
    ///     while before it does.
    ///   - options: of the loop.
    ///   - prepare: called first on the new thread.
    ///   - makeResident: makes the resident; called on the new thread.
    /// - Throws: the error of making it; then nothing remains.
    package init(
        _ name: String, idle: IdleStrategy = .park, options: EventLoop.Options = EventLoop.Options(),
        prepare: @escaping @Sendable () -> Void = {},
        makeResident: @escaping @Sendable (EventLoop) throws(TransportError) -> Resident
    ) throws(TransportError) {
        let made = CommandQueue<Result<Remote, TransportError>>(capacity: 1)
        let news = Signal()
        worker = try LoopThread.start(name) {
            prepare()
            do throws(TransportError) {
                let loop = try EventLoop(options)
                let resident = try makeResident(loop)
                _ = made.post(.success(resident.remote))
                news.notify()
                LoopThread.turn(loop, idle, until: resident.isOver)
                loop.close()
                resident.ended()
            } catch {
                _ = made.post(.failure(error))
                news.notify()
            }
        }
        while true {
            let ticket = news.ticket
            switch made.take().first {
            case .success(let remote):
                self.remote = remote
                return
            case .failure(let error):
                worker.join()
                throw error
            case nil: news.wait(since: ticket, timeoutNs: 1_000_000_000)
            }
        }
    }

    /// Waits until the thread has ended. Once.
    package func join() { worker.join() }

    /// Whether the caller is this thread.
    package var isCurrent: Bool { worker.isCurrent }

    private static func start(
        _ name: String, _ body: @escaping @Sendable () -> Void
    ) throws(TransportError) -> PinnedThread {
        do throws(ThreadError) {
            return try PinnedThread(name, body)
        } catch {
            throw .noLoop("\(error)")
        }
    }

    private static func turn(_ loop: EventLoop, _ idle: IdleStrategy, until isOver: () -> Bool) {
        switch idle {
        case .spin: loop.run(spinning: true, until: isOver)
        case .park: loop.run(until: isOver)
        case .backoff:
            var (receivedBytes, quietTurnCount) = (0, 0)
            while !isOver() {
                loop.turn(waitAtMostNs: quietTurnCount < spinTurnCount ? 0 : .max)
                let bytes = loop.remote.counters.receivedBytes
                quietTurnCount = bytes == receivedBytes ? quietTurnCount + 1 : 0
                receivedBytes = bytes
            }
        }
    }
}
