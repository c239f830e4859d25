// A mailbox that can be awaited: by tasks as an asynchronous sequence, by threads with a waiter.
//
// Both are conflated: a slow reader skips values and never gets an old one. The last value published before
// the end reaches every reader.

/// The values of one mailbox as they are published. May be copied, and used by any thread or task.
///
///     for await value in values { use(value) }
///
/// Each loop starts with the current value, if one was published, and skips what is not news relative to the
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
    ///   - bell: rung after each publication; made by `waker`.
    ///   - waker: resumes the tasks that wait.
    ///   - room: any value; not read.
    ///   - isNews: whether the second value should be returned after the first. If not, the two must be
    ///     equivalent: its answer about a third value must not depend on which of them came before.
    public init(
        _ reader: LatestValueReader<Value>, bell: Bell, waker: TaskWaker, room: Value,
        isNews: @escaping @Sendable (Value, Value) -> Bool = { _, _ in true }
    ) {
        (self.reader, self.bell, self.waker, self.room, self.isNews) = (reader, bell, waker, room, isNews)
    }

    /// The current value, without waiting; the mailbox's initial value before the first.
    public var latest: Value { reader.latest(room) }

    /// A waiter for the calling thread, instead of a task.
    public func waiter() -> LatestValueWaiter<Value> {
        LatestValueWaiter(reader, bell: bell, room: room, isNews: isNews)
    }

    /// Starts a loop.
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

        /// The newest value, if it is news; suspends the task until there is one. Nil once the publisher has
        /// ended or the task is cancelled.
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
