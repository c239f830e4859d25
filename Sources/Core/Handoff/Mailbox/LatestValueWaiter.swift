// Waits for a mailbox on the calling thread: always the newest value, never a queue of old ones.

import Glibc

/// Waits for the values of one mailbox. Not copyable; used by one thread at a time.
///
///     var waiter = values.waiter()
///     while let value = waiter.next() { use(value) }
///
/// While it exists, each batch costs the publisher one more locked instruction, and a system call if this
/// thread sleeps.
public struct LatestValueWaiter<Value: BitwiseCopyable & Sendable>: ~Copyable, Sendable {
    private var news: LatestNews<Value>
    private let listener: Bell.Listener

    /// Whether no more values will come: the publisher has ended and its last value was returned.
    public private(set) var isEnded = false

    /// A waiter that has seen nothing yet: its first wait returns the current value if any was published.
    ///
    /// - Parameters:
    ///   - reader: the reading end of the mailbox.
    ///   - bell: rung after each publication in the mailbox.
    ///   - room: any value; not read.
    ///   - isNews: whether the second value should be returned after the first; see `LatestValues`.
    public init(
        _ reader: LatestValueReader<Value>, bell: Bell, room: Value,
        isNews: @escaping @Sendable (Value, Value) -> Bool = { _, _ in true }
    ) {
        news = LatestNews(reader, room: room, isNews: isNews)
        listener = Bell.Listener(bell, .thread)
    }

    /// The newest value, if it is news; blocks the thread until there is one. Nil once the publisher has
    /// ended.
    public mutating func next() -> Value? { next(until: nil) }

    /// The same with a timeout.
    ///
    /// - Parameter timeout: zero or negative looks once.
    /// - Returns: nil also on timeout; `isEnded` tells which.
    public mutating func next(timeout: Duration) -> Value? {
        next(until: ContinuousClock.now + timeout)
    }

    private mutating func next(until deadline: ContinuousClock.Instant?) -> Value? {
        let bell = listener.bell
        while true {
            let ticket = bell.ticket
            let isLast = bell.isClosed
            var isContended = false
            switch news.look() {
            case .new: return news.value
            case .unchanged:
                if isLast {
                    isEnded = true
                    return nil
                }
            case .contended: isContended = true
            }
            var leftNs = Int64.max
            if let deadline {
                leftNs = Self.ns(deadline - ContinuousClock.now)
                if leftNs <= 0 { return nil }
            }
            if isContended {
                usleep(50)
            } else {
                bell.wait(since: ticket, timeoutNs: min(leftNs, Self.sleepNsMax))
            }
        }
    }

    /// No sleep is longer.
    private static var sleepNsMax: Int64 { 60_000_000_000 }

    private static func ns(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return min(seconds, 1_000_000_000) * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
