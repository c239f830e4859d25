// One waiting reader's position in a mailbox: what it returned last, and whether there is anything newer to
// return.

/// One reader's position in the values of a mailbox. Thread: the reader's.
struct LatestNews<Value: BitwiseCopyable & Sendable>: Sendable {
    let reader: LatestValueReader<Value>
    private let isNews: @Sendable (Value, Value) -> Bool
    /// The newest value seen; meaningless before the first.
    private(set) var value: Value
    /// Number of values published by then; 0 before the first.
    private(set) var seen: UInt64 = 0

    init(_ reader: LatestValueReader<Value>, room: Value, isNews: @escaping @Sendable (Value, Value) -> Bool)
    {
        (self.reader, self.isNews, value) = (reader, isNews, room)
    }

    /// Reads the newest value: `.new` if it is to be returned, `.unchanged` if there is none or it is not
    /// news. Either way nothing older is considered again.
    mutating func look() -> LatestValueReading {
        let (last, isFirst) = (value, seen == 0)
        let found = reader.read(into: &value, ifNewerThan: seen)
        guard case .new(let version) = found else { return found }
        seen = version
        return isFirst || isNews(last, value) ? found : .unchanged
    }
}
