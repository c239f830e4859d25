// A mailbox that can be waited for: by tasks as an asynchronous sequence, by threads with a waiter.
//
// Both are conflated: a slow reader skips values and never gets an old one. The last value published before
// the end reaches every reader.

/// The values of one mailbox as they appear. May be copied, and used by any thread or task.
///
///     for await value in values { use(value) }
///
/// Each loop begins with the value that is there, if one was published. It ends when the publisher has ended
/// and its last value was seen, or when the task is cancelled.
public struct LatestValues<Value: BitwiseCopyable & Sendable>: AsyncSequence, Sendable {
    /// The type of the loop variable.
    public typealias Element = Value
    /// It cannot fail.
    public typealias Failure = Never

    /// The mailbox itself, for reading without waiting.
    public let reader: LatestValueReader<Value>
    private let bell: Bell
    private let waker: TaskWaker
    private let room: Value

    /// The values of a mailbox.
    ///
    /// - Parameters:
    ///   - reader: the reading end of the mailbox.
    ///   - bell: rung when something was published there; made by `waker`.
    ///   - waker: resumes the tasks that wait.
    ///   - room: any value; it is not looked at.
    public init(_ reader: LatestValueReader<Value>, bell: Bell, waker: TaskWaker, room: Value) {
        (self.reader, self.bell, self.waker, self.room) = (reader, bell, waker, room)
    }

    /// The present value, without waiting for a newer one; the mailbox's initial value before the first.
    public var latest: Value { reader.latest(room) }

    /// Waits on the calling thread instead of in a task.
    public func waiter() -> LatestValueWaiter<Value> { LatestValueWaiter(reader, bell: bell, room: room) }

    /// Begins a loop.
    public func makeAsyncIterator() -> Iterator { Iterator(reader, bell, waker, room) }

    /// One loop over the values. Used by one task at a time.
    public struct Iterator: AsyncIteratorProtocol, Sendable {
        private let reader: LatestValueReader<Value>
        private let listener: Bell.Listener
        private let waker: TaskWaker
        private var value: Value
        private var seen: UInt64 = 0

        fileprivate init(
            _ reader: LatestValueReader<Value>, _ bell: Bell, _ waker: TaskWaker, _ room: Value
        ) {
            self.reader = reader
            self.waker = waker
            value = room
            listener = Bell.Listener(bell, .task)
        }

        /// The newest value that was not returned before; suspends the task until there is one. Nil when the
        /// publisher has ended or the task is cancelled.
        public mutating func next(isolation actor: isolated (any Actor)?) async -> Value? {
            let (reader, bell) = (reader, listener.bell)
            while !Task.isCancelled {
                let isLast = bell.isClosed || waker.isStopped
                switch reader.read(into: &value, ifNewerThan: seen) {
                case .new(let version):
                    seen = version
                    return value
                case .unchanged:
                    if isLast { return nil }
                    let seen = seen
                    await waker.wait(isolation: actor) { reader.version > seen || bell.isClosed }
                case .contended: await Task.yield()
                }
            }
            return nil
        }
    }
}
