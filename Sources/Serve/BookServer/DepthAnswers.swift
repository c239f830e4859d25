// The depth answers last made: as long as a book does not change, whoever asks for the same depth gets the
// same bytes.
//
// Bounds: `countMax` answers; the oldest gives way.

/// Bodies of depth answers.
struct DepthAnswers {
    /// What an answer shows.
    struct Key: Hashable {
        /// Of the symbol.
        var index: Int
        /// Levels a side that were asked for.
        var levelCount: Int
        /// Of the book.
        var version: UInt64
    }

    /// A body, and the levels of the shorter side where it had to end before what was asked for.
    struct Answer {
        var body: [UInt8]
        var cut: Int
    }

    /// Most answers that are kept.
    static let countMax = 32
    private var entries: [(key: Key, answer: Answer)] = []
    private var next = 0

    /// The answer to a question; nil if it is to be made.
    func answer(to key: Key) -> Answer? { entries.first { $0.key == key }?.answer }

    /// Keeps an answer, in place of an older one of the same symbol and depth, or of the oldest.
    mutating func keep(_ answer: Answer, to key: Key) {
        let former = entries.firstIndex { $0.key.index == key.index && $0.key.levelCount == key.levelCount }
        if let former { return entries[former] = (key, answer) }
        if entries.count < DepthAnswers.countMax { return entries.append((key, answer)) }
        entries[next] = (key, answer)
        next = (next + 1) % DepthAnswers.countMax
    }
}
