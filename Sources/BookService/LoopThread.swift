// A thread that turns an event loop and whatever lives on it. The loop and its inhabitants are made on that
// thread and never leave it; what others may use of them is handed out when all is made.

import Handoff
import Transport

/// A thread with an event loop. `Remote` is what other threads may use of what lives on it.
public final class LoopThread<Remote: Sendable>: Sendable {
    /// How an inhabitant is made and ends.
    public struct Inhabitant {
        /// What other threads may use.
        public var remote: Remote
        /// Whether the thread may end; asked once a turn.
        public var isOver: () -> Bool
        /// Called when it has ended and the loop is closed.
        public var ended: () -> Void

        /// An inhabitant.
        public init(remote: Remote, isOver: @escaping () -> Bool, ended: @escaping () -> Void = {}) {
            (self.remote, self.isOver, self.ended) = (remote, isOver, ended)
        }
    }

    /// What other threads may use.
    public let remote: Remote
    private let worker: Worker

    /// Turns of a loop without a byte received before a `backoff` thread begins to sleep.
    private static var spinTurnCount: Int { 2_000 }

    /// Makes the thread, the loop on it, and the inhabitant on that.
    ///
    /// - Parameters:
    ///   - name: of the thread.
    ///   - idle: `spin` never sleeps, `park` sleeps whenever there is nothing to do, `backoff` spins for a
    ///     while before it does.
    ///   - prepare: called first on the new thread.
    ///   - inhabit: makes the inhabitant; called on the new thread.
    /// - Throws: what making it threw; then nothing is left.
    public init(
        _ name: String, idle: IdleStrategy = .park, options: EventLoop.Options = EventLoop.Options(),
        prepare: @escaping @Sendable () -> Void = {},
        inhabit: @escaping @Sendable (EventLoop) throws(ServiceError) -> Inhabitant
    ) throws(ServiceError) {
        let made = Inbox<Result<Remote, ServiceError>>(capacity: 1)
        let news = Signal()
        worker = try Worker(name) {
            prepare()
            do throws(ServiceError) {
                let loop = try LoopThread.makeLoop(options)
                let inhabitant = try inhabit(loop)
                _ = made.post(.success(inhabitant.remote))
                news.notify()
                LoopThread.turn(loop, idle, until: inhabitant.isOver)
                loop.close()
                inhabitant.ended()
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
    public func join() { worker.join() }

    /// Whether the caller is this thread.
    var isCurrent: Bool { worker.isCurrent }

    private static func makeLoop(_ options: EventLoop.Options) throws(ServiceError) -> EventLoop {
        do throws(TransportError) {
            return try EventLoop(options)
        } catch {
            throw .transport(error)
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
