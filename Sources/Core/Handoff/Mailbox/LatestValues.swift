// A mailbox that can be waited for: by tasks as an asynchronous sequence, by threads with a waiter.
//
// Both are conflated: a slow reader skips values and never gets an old one. The last value published before
// the end reaches every reader.

/// The values of one mailbox as they appear. May be copied, and used by any thread or task.
///
///     for await value in values { use(value) }
///
/// Each loop begins with the value that is there, if one was published, and skips what is no news after the
/// value it returned last. It ends when the publisher has ended and its last news was returned, or when the
/// task is cancelled.
public struct LatestValues<Value: BitwiseCopyable & Sendable>: AsyncSequence, Sendable {
    /// The type of the loop variable.
    public typealias Element = Value
    /// It cannot fail.
    public typealias Failure = Never

    /// The mailbox itself, for reading without waiting.
    public let reader: LatestValueReader<Value>
    let bell: Bell
    let waker: TaskWaker
    private let room: Value
    private let isNews: @Sendable (Value, Value) -> Bool

    /// The values of a mailbox.
    ///
    /// - Parameters:
    ///   - reader: the reading end of the mailbox.
    ///   - bell: rung when something was published there; made by `waker`.
    ///   - waker: resumes the tasks that wait.
    ///   - room: any value; it is not looked at.
    ///   - isNews: whether a value, the second, is to be returned after another. Where it says no, the two
    ///     must be alike: what it says of a third value must not depend on which of them came before it.
    public init(
        _ reader: LatestValueReader<Value>, bell: Bell, waker: TaskWaker, room: Value,
        isNews: @escaping @Sendable (Value, Value) -> Bool = { _, _ in true }
    ) {
        (self.reader, self.bell, self.waker, self.room, self.isNews) = (reader, bell, waker, room, isNews)
    }

    /// The present value, without waiting for a newer one; the mailbox's initial value before the first.
    public var latest: Value { reader.latest(room) }

    /// Waits on the calling thread instead of in a task.
    public func waiter() -> LatestValueWaiter<Value> {
        LatestValueWaiter(reader, bell: bell, room: room, isNews: isNews)
    }

    /// Begins a loop.
    public func makeAsyncIterator() -> Iterator { Iterator(self) }

    /// One loop over the values. Used by one task at a time.
    public struct Iterator: AsyncIteratorProtocol, Sendable {
        private var news: LatestNews<Value>
        private let listener: Bell.Listener
        private let waker: TaskWaker

        fileprivate init(_ values: LatestValues) {
            news = LatestNews(values.reader, room: values.room, isNews: values.isNews)
            waker = values.waker
            listener = Bell.Listener(values.bell, .task)
        }

        /// The newest value, if it is news; suspends the task until there is one. Nil when the
        /// publisher has ended or the task is cancelled.
        public mutating func next(isolation actor: isolated (any Actor)?) async -> Value? {
            let (reader, bell) = (news.reader, listener.bell)
            while !Task.isCancelled {
                let isLast = bell.isClosed || waker.isStopped
                switch news.look() {
                case .new: return news.value
                case .unchanged:
                    if isLast { return nil }
                    let seen = news.seen
                    await waker.wait(isolation: actor) { reader.version > seen || bell.isClosed }
                case .contended: await Task.yield()
                }
            }
            return nil
        }
    }
}
