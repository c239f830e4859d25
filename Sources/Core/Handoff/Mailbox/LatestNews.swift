// What one waiting reader of a mailbox has returned, and whether there is anything new to return.

/// The place of one reader in the values of a mailbox. Thread: the reader's.
struct LatestNews<Value: BitwiseCopyable & Sendable>: Sendable {
    let reader: LatestValueReader<Value>
    private let isNews: @Sendable (Value, Value) -> Bool
    /// The newest value looked at; nothing before the first.
    private(set) var value: Value
    /// How many values had been published by then; 0 before the first.
    private(set) var seen: UInt64 = 0

    init(_ reader: LatestValueReader<Value>, room: Value, isNews: @escaping @Sendable (Value, Value) -> Bool)
    {
        (self.reader, self.isNews, value) = (reader, isNews, room)
    }

    /// Looks at the newest value: `.new` if it is to be returned, `.unchanged` if there is none or it is no
    /// news. Either way nothing older is looked at again.
    mutating func look() -> LatestValueReading {
        let (last, isFirst) = (value, seen == 0)
        let found = reader.read(into: &value, ifNewerThan: seen)
        guard case .new(let version) = found else { return found }
        seen = version
        return isFirst || isNews(last, value) ? found : .unchanged
    }
}
