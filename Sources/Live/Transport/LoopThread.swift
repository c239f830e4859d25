// A thread that turns an event loop with its resident. Both are created on that thread and never leave it;
// their handle for other threads is available once everything is created.

import LobHandoff

/// A thread with an event loop. `Remote` is the resident's handle for other threads.
package final class LoopThread<Remote: Sendable>: Sendable {
    /// A resident of the thread: its handle, and how it ends.
    package struct Resident {
        /// Its handle for other threads.
        package var remote: Remote
        /// Whether the thread may end; evaluated once a turn.
        package var isOver: () -> Bool
        /// Called when it has ended and the loop is closed.
        package var ended: () -> Void

        /// A resident.
        package init(remote: Remote, isOver: @escaping () -> Bool, ended: @escaping () -> Void = {}) {
            (self.remote, self.isOver, self.ended) = (remote, isOver, ended)
        }
    }

    /// The resident's handle for other threads.
    package let remote: Remote
    private let worker: PinnedThread

    /// Turns without a byte received before a `backoff` thread starts to sleep.
    private static var spinTurnCount: Int { 2_000 }

    /// Creates the thread, the loop on it, and the resident on the loop.
    ///
    /// - Parameters:
    ///   - name: name of the thread.
    ///   - idle: `spin` never sleeps, `park` sleeps whenever there is nothing to do, `backoff` spins for a
    ///     while before it does.
    ///   - options: options of the loop.
    ///   - prepare: called first on the new thread.
    ///   - makeResident: creates the resident; called on the new thread.
    /// - Throws: the error of creating it; nothing then remains.
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

    /// Waits until the thread has ended. Call once.
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
