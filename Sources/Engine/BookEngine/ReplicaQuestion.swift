// A replica's question to its primary engine, and the answer. Both are values, so they may cross threads; the
// answer is computed on the primary's book thread between two frames, and takes little time.

import DepthBook
import FeedPlan
import MarketData

/// A replica's question to its primary, at most one per tick.
public struct ReplicaQuestion: Sendable {
    struct Wanted: Sendable {
        var symbol: SymbolName
        var purpose: SnapshotPriority
        /// The tick from which on the replica keeps messages; nil before the first request.
        var sinceTickNs: Int64?
    }

    /// Books requested, the most urgent first.
    var wanted: [Wanted]
    /// The last of the primary's losses known to the replica.
    var lossCount: Int
    /// The last of the primary's deepenings known to the replica.
    var deepeningCount: Int

    /// A question for books alone.
    ///
    /// - Parameters:
    ///   - wanted: symbols, each with the tick that the engine must have processed.
    ///   - former: the last answer.
    package init(_ wanted: [(symbol: SymbolName, sinceTickNs: Int64)], after former: ReplicaAnswer?) {
        self.wanted = wanted.map { Wanted(symbol: $0.symbol, purpose: .resync, sinceTickNs: $0.sinceTickNs) }
        (lossCount, deepeningCount) = (former?.lossCount ?? 0, former?.deepeningCount ?? 0)
    }

    init(wanted: [Wanted], lossCount: Int, deepeningCount: Int) {
        (self.wanted, self.lossCount, self.deepeningCount) = (wanted, lossCount, deepeningCount)
    }
}

/// The primary's answer.
public struct ReplicaAnswer: Sendable {
    /// Copies of requested books, as many as time allowed.
    public let copies: [BookCopy]
    /// Symbols whose book the primary has given up since the last question.
    let lost: [SymbolName]
    let lossCount: Int
    /// Symbols of which the primary has learnt more since.
    let deepened: [SymbolName]
    let deepeningCount: Int
}

extension BookEngine {
    /// The engine-wide number of the last loss of this symbol's book.
    package borrowing func lossNumber(of name: SymbolName) -> Int {
        let slot = table.slot(of: name)
        return slot < 0 ? 0 : books[slot].loss.number
    }

    /// Slots of books copied per answer, unless a single book has more: some tens of microseconds. The rest
    /// is requested again with the next tick.
    private static let slotsPerAnswer = 8_000

    /// Answers a replica of this engine. Thread: the book thread, between two frames.
    ///
    /// A book is copied if it is live and has processed everything up to the tick from which on the replica
    /// keeps messages: what the copy lacks, the replica has.
    ///
    /// - Complexity: O(symbols), O(levels) of the books copied. Allocates the copies.
    public borrowing func answer(_ question: ReplicaQuestion) -> ReplicaAnswer {
        var copies: [BookCopy] = []
        var slotsLeft = BookEngine.slotsPerAnswer
        for wanted in question.wanted where slotsLeft > 0 {
            guard let sinceTickNs = wanted.sinceTickNs, sinceTickNs <= shared.clock.tickNs,
                let copy = copy(of: wanted.symbol)
            else { continue }
            slotsLeft -= withBook(wanted.symbol) { $0.slotCount } ?? 0
            copies.append(copy)
        }
        return ReplicaAnswer(
            copies: copies,
            lost: symbols(since: question.lossCount, of: shared.lossCount) { $0.loss.number },
            lossCount: shared.lossCount,
            deepened: symbols(since: question.deepeningCount, of: shared.deepeningCount) {
                $0.deepeningNumber
            }, deepeningCount: shared.deepeningCount)
    }

    /// The symbols with a number above the one known to the replica, given the count of such numbers.
    private borrowing func symbols(
        since knownCount: Int, of count: Int, _ number: (SymbolBook) -> Int
    ) -> [SymbolName] {
        if count == knownCount { return [] }
        // More than were issued: the question was meant for an engine that no longer exists.
        let known = count < knownCount ? -1 : knownCount
        return books.filter { number($0) > known }.map(\.name)
    }
}
