// The REST depth bodies of a replay. All of them are used: the engine gets one when it requests a snapshot; a
// body that arrives while the book is live is compared with the book at the same update id, and shows levels
// that the book does not reach.
//
// Memory is bounded. The newest body of each symbol is kept until the engine requests one, up to
// `heldBytesMax` for all symbols together; `BodyCheck.countMax` bodies wait for the book to reach their id;
// the newest `EventMemory.bytesMax` of updates are kept for bodies that are older than the book.

import BookSync
import Captures
import DepthBook
import MarketData

/// A body and its origin.
struct HeldBody {
    var id: UpdateID
    var limit: Int
    var bytes: [UInt8]
    var origin: String
    /// Whether the engine has already been given it.
    var isSpent = false
    /// Number of depth updates of the symbol before it.
    var eventCount: Int
}

/// The newest updates of a symbol, oldest first.
struct EventMemory {
    /// Limit of the updates kept per symbol: some seconds of the busiest.
    static let bytesMax = 1 << 19

    private(set) var events: ArraySlice<(ids: UpdateRange, bytes: [UInt8])> = []
    private var byteCount = 0

    mutating func append(_ ids: UpdateRange, _ bytes: Span<UInt8>) {
        if bytes.count > EventMemory.bytesMax { return events.removeAll() }
        byteCount += bytes.count
        events.append((ids, bytes.indices.map { bytes[$0] }))
        while byteCount > EventMemory.bytesMax, let first = events.popFirst() {
            byteCount -= first.bytes.count
        }
        // The dropped part is removed once it is larger than what is kept.
        if events.startIndex > 2 * events.count { events = ArraySlice(Array(events)) }
    }
}

/// A book made from one body, which follows the updates as the served book does.
final class BodyCheck {
    /// Maximum number of bodies of a symbol that wait for the book to reach their id.
    static let countMax = 4

    /// The result of an update.
    enum Step {
        case waits, follows, lost
    }

    let origin: String
    private(set) var book: OrderBook
    /// Number of identical bodies.
    var count = 1
    private let rule: SequenceRule
    private var hasJoined = false

    /// - Parameter snapshot: the body. Nothing past the last level of a side counts as proven: a side shorter
    ///   than the other is probably complete, but that is not enough to accuse a book.
    init(_ snapshot: borrowing DepthSnapshot, rule: SequenceRule, levelCountMax: Int, origin: String) {
        self.origin = origin
        self.rule = rule
        book = OrderBook(levelCountMax: levelCountMax)
        book.load(snapshot, limit: min(snapshot.bids.count, snapshot.asks.count))
    }

    /// Applies the next update of the symbol.
    func take(_ update: borrowing DepthUpdate) -> Step {
        let ids = UpdateRange(update)
        switch (hasJoined ? rule.follow : rule.join)(ids, book.lastUpdateID) {
        case .stale: return .waits
        case .gap: return .lost
        case .connects:
            do throws(BookError) {
                try book.apply(update)
                if let extras = update.extras { book.narrow(to: extras) }
                hasJoined = true
                return .follows
            } catch {
                return .lost
            }
        }
    }
}

/// A body that contradicts the book.
struct BodyMismatch {
    var origin: String
    var at: UpdateID
    var side: Side
    var difference: LevelDifference
    var scales: SymbolScales
}

/// What the bodies of one symbol have shown.
struct SymbolBodies {
    var held: HeldBody?
    var isWanted = false
    var eventCount = 0
    /// Number of the update that last advanced the book.
    var advancedAt = 0
    var memory = EventMemory()
    var waiting: [BodyCheck] = []
    /// A book that agreed with the served one and reaches further.
    var deeper: BodyCheck?
    var comparedCount = 0
    /// Bodies that could not be compared because the updates between them and the book are unknown.
    var uncomparedCount = 0
    var mismatches = 0
    var firstMismatch: BodyMismatch?

    /// Forgets everything about the previous session.
    mutating func reset() {
        memory = EventMemory()
        waiting = []
        deeper = nil
        // A body from before the previous session's last update belongs to that session.
        if let held, held.eventCount < advancedAt { self.held = nil }
    }

    /// Keeps a body until the engine requests one; only the newest is kept.
    mutating func hold(_ body: HeldBody) {
        if let held, !held.isSpent, held.id > body.id, held.eventCount >= advancedAt { return }
        held = body
    }

    /// Advances the books of bodies by an update.
    mutating func follow(_ update: borrowing DepthUpdate) {
        var kept: [BodyCheck] = []
        for check in waiting {
            if check.take(update) == .lost { uncomparedCount += check.count } else { kept.append(check) }
        }
        waiting = kept
        if let check = deeper, check.take(update) == .lost { deeper = nil }
    }

    /// Adds a check, and drops the oldest if there are too many.
    mutating func wait(_ check: BodyCheck) {
        let (id, digest) = (check.book.lastUpdateID, check.book.digest())
        if let same = waiting.first(where: { $0.book.lastUpdateID == id && $0.book.digest() == digest }) {
            same.count += 1
            return
        }
        if waiting.count == BodyCheck.countMax {
            uncomparedCount += waiting.removeFirst().count
        }
        waiting.append(check)
    }

    /// Compares the bodies that have the update id of the served book.
    mutating func compare(with book: borrowing OrderBook) {
        var kept: [BodyCheck] = []
        for check in waiting {
            if check.book.lastUpdateID != book.lastUpdateID {
                kept.append(check)
                continue
            }
            judge(check, book)
        }
        waiting = kept
    }

    private mutating func judge(_ check: BodyCheck, _ book: borrowing OrderBook) {
        if book.scales != check.book.scales {
            uncomparedCount += check.count
            return
        }
        comparedCount += check.count
        if accuse(check, book) { return }
        guard let deeper, deeper.book.lastUpdateID == book.lastUpdateID else {
            if reachesFurther(check.book, book) { self.deeper = check }
            return
        }
        if accuse(check, deeper.book) { return }
        if reachesFurther(check.book, deeper.book) && reachesFurther(check.book, book) { self.deeper = check }
    }

    /// Records the first difference between a body and a book; false if there is none.
    private mutating func accuse(_ check: BodyCheck, _ book: borrowing OrderBook) -> Bool {
        guard let scales = book.scales else { return false }
        for side in Side.allCases {
            guard let difference = book.difference(from: check.book, side) else { continue }
            mismatches += check.count
            if firstMismatch == nil {
                firstMismatch = BodyMismatch(
                    origin: check.origin, at: book.lastUpdateID, side: side, difference: difference,
                    scales: scales)
            }
            return true
        }
        return false
    }

    private func reachesFurther(_ a: borrowing OrderBook, _ b: borrowing OrderBook) -> Bool {
        lob.reachesFurther(a.provenBids, b.provenBids, .bid)
            || lob.reachesFurther(a.provenAsks, b.provenAsks, .ask)
    }
}

/// Whether range `a` of a side reaches further than `b`.
func reachesFurther(_ a: ProvenRange, _ b: ProvenRange, _ side: Side) -> Bool {
    switch (a, b) {
    case (.nothing, _), (_, .unbounded): false
    case (_, .nothing), (.unbounded, _): true
    case (.to(let a), .to(let b)): side.isBetter(b, than: a)
    }
}
