// One symbol as the server's clients hold it: the book shown in REST answers, to which the updates sent so
// far lead.
//
// Why a separate book, beside the replica's: the replica's book jumps when it is rebuilt, and its clients'
// books do not. What the clients hold must be known to compute how they get from there to the new one.
//
//     state   | input                                        | sent to clients         | next
//     --------|----------------------------------------------|-------------------------|-------
//     empty   | source live                                  | nothing                 | live
//     live    | next update of the stream                    | the update itself       | live
//     live    | source moved in another way                  | one bridging update     | live
//     live    | source knows levels that clients miss        | with the next update    | live
//     live    | a side has become too long                   | the next one shortens it| live
//     live    | source not live, or the server lags too far  | nothing                 | paused
//     paused  | source live, at a later id                   | one bridging update     | live
//     paused  | source live, at this id, and no other book   | nothing                 | live
//     paused  | source live, at this id or an earlier one    | nothing                 | behind
//     behind  | as paused                                    |                         |
//     behind  | source counts anew                           | the end of connections  | empty
//
// Missing levels are owed. A client that gets fewer levels than it requested, because no more are proven,
// takes them for the whole side; so every level that becomes known later is sent to it with the next update.
// The alternative, to refuse until the book is known that deep, would refuse for ever any client that
// requests more than the source fetches.
//
// Invariants
// * The updates sent form an unbroken chain: each begins where the previous one ended.
// * A client that took a REST answer and everything sent since holds, inside the proven range, exactly this
//   book, as deep as it requested, but for what is owed: that comes with the next update, and until then
//   answers at this id know more than the stream. Beyond that it may lack levels of this book, and every
//   level it holds is in this book too: what becomes proven is sent completely.
// * A side holds at most twice the levels the source may hold; before exceeding that, a bridge removes the
//   deepest from the clients' books as well.
//
// Worst case: an update costs what it costs any book; a bridge O(levels), with allocations.

import BookSync
import DepthBook
import MarketData

/// The book that clients hold of one symbol. Thread: the server's.
final class ServedBook {
    /// Whether it may be shown.
    enum State: Hashable {
        /// There has been no book yet.
        case empty
        /// It is the source's book.
        case live
        /// The source is currently not to be trusted.
        case paused
        /// The source is live, at an id from which no update can continue.
        case behind
    }

    /// Result of an attempt to continue.
    enum Resumption: Hashable {
        /// The first book.
        case began
        /// There is nothing to send to the clients.
        case unchanged
        /// `bridge` leads from what the clients hold to the new book.
        case bridged
        /// Not yet.
        case behind
    }

    /// What holds for one side of the clients' books.
    struct Promise {
        /// The range any client may consider known.
        var claimed = ProvenRange.nothing
        /// Prices that clients may lack although this book has them.
        var owed: Set<Price> = []
        /// Upper bound of the number of levels of this book, exact after each count.
        var levelCountBound = 0
    }

    let symbol: SymbolName
    let isLinked: Bool
    /// Most levels per side of the source.
    let levelCountMax: Int
    var state = State.empty
    var book: OrderBook
    /// Changes whenever the book does.
    private(set) var version: UInt64 = 0
    /// Ids of the last update sent, or of the first book.
    var ids = UpdateRange(first: UpdateID(0), last: UpdateID(0))
    /// The latest time told to clients with a book of the source that may have none.
    private var toldUs: Int64 = 0
    /// Most that it may be ahead of what the venue says later: further ahead, a clock was wrong.
    private static let aheadUsMax: Int64 = 10_000_000
    /// The last bridging update.
    var bridge = DepthUpdate(levelCapacity: 1)
    var promises = (bids: Promise(), asks: Promise())
    /// The last id of the stream's newest update, if that continues this book but could not be passed on
    /// unchanged: levels are owed, or a side is too long. A bridge to there hides no gap.
    var nextID: UpdateID?
    /// Whether the source has given its book up since this one was last the same.
    var sourceWasLost = false
    /// Whether the book to which the last bridge leads is proven less far than the one before, and may be
    /// another one: a source that only paused is as right as before about what it no longer proves.
    var bridgeIsNarrower = false
    /// What those hold to whom gaps are passed on.
    var gaps: GapChain
    /// The last update sent, unwrapped; empty if there was none.
    var message: [UInt8] = []

    /// - Parameters:
    ///   - symbol: its symbol.
    ///   - isLinked: whether updates name the last id of the previous one.
    ///   - levelCountMax: the source's.
    init(_ symbol: SymbolName, isLinked: Bool, levelCountMax: Int) {
        (self.symbol, self.isLinked) = (symbol, isLinked)
        self.levelCountMax = max(levelCountMax, 16)
        gaps = GapChain(countMax: 2 * self.levelCountMax)
        book = OrderBook(levelCountMax: 2 * self.levelCountMax)
    }

    /// Takes an update that the source, live before and after, has just applied.
    ///
    /// - Returns: whether clients may get it unchanged; otherwise `resume` is called next.
    func pass(_ update: borrowing DepthUpdate) -> Bool {
        guard !isOwing, continues(update), hasRoom(update) else { return false }
        let scales = book.scales
        noteChange()
        do { try book.apply(update) } catch { return false }
        if let extras = update.extras { book.narrow(to: extras) }
        if update.eventTimeUs > 0 && toldUs - update.eventTimeUs > ServedBook.aheadUsMax {
            toldUs = update.eventTimeUs
        }
        if book.scales != scales { rescalePromises(from: scales) }
        ids = UpdateRange(update)
        gaps.end()
        return true
    }

    /// Whether an update continues this live book.
    func continues(_ update: borrowing DepthUpdate) -> Bool {
        if state != .live { return false }
        let held = book.lastUpdateID
        if isLinked { return update.previousLast == held && update.last > held }
        return held.value < .max && update.first.value == held.value + 1 && update.last > held
    }

    /// Whether the update leaves the sides short enough; one that may have become too long is counted once
    /// for every few thousand levels received.
    private func hasRoom(_ update: borrowing DepthUpdate) -> Bool {
        promises.bids.levelCountBound += update.bids.count
        promises.asks.levelCountBound += update.asks.count
        let most = levelCountMax + levelCountMax / 2
        if promises.bids.levelCountBound > most {
            promises.bids.levelCountBound = book.levelCount(.bid) + update.bids.count
        }
        if promises.asks.levelCountBound > most {
            promises.asks.levelCountBound = book.levelCount(.ask) + update.asks.count
        }
        return max(promises.bids.levelCountBound, promises.asks.levelCountBound) <= most
    }

    /// The source's book is currently not to be trusted.
    func pause() {
        if state == .live || state == .behind { state = .paused }
    }

    /// Drops the book: nothing continues what the clients hold.
    func forget() {
        state = .empty
        promises = (Promise(), Promise())
        message = []
        gaps.end()
        noteChange()
        book.removeAll()
    }

    /// The venue's time of what is shown. A book that the source has from a REST answer of spot has none of
    /// its own.
    var eventTimeUs: Int64 { max(book.eventTimeUs, toldUs) }

    /// What is told from now on is no earlier than this, nor than what was told, unless that was an error.
    ///
    /// - Parameters:
    ///   - sourceUs: the source's time; 0 if it has none.
    ///   - nowUs: see `resume`.
    /// - Returns: what is told now.
    func noteTime(_ sourceUs: Int64, nowUs: Int64) -> Int64 {
        let (latestUs, heldUs) = (max(sourceUs, nowUs, 0), eventTimeUs)
        let isError = sourceUs > 0 && heldUs - latestUs > ServedBook.aheadUsMax
        toldUs = isError ? latestUs : max(latestUs, heldUs)
        return toldUs
    }

    /// The book is about to change.
    func noteChange() { version &+= 1 }

    /// The source is live, and this book is not known to be the same.
    ///
    /// - Parameter nowUs: the venue's present time, as far as known: clients get no earlier one with the
    ///   source's book.
    func resume(_ source: borrowing OrderBook, nowUs: Int64 = 0) -> Resumption {
        if state == .empty {
            toldUs = nowUs
            replace(by: source, bids: source.known(.bid), asks: source.known(.ask), source.scales)
            let id = source.lastUpdateID
            ids = UpdateRange(first: id, last: id, previousLast: isLinked ? id : nil)
            gaps.end()
            sourceWasLost = false
            return .began
        }
        let (held, next) = (book.lastUpdateID, source.lastUpdateID)
        if next == held && recognises(source) {
            sourceWasLost = false
            return .unchanged
        }
        guard next > held, goOver(to: source, nowUs: nowUs) else {
            state = .behind
            return .behind
        }
        ids = UpdateRange(bridge)
        return .bridged
    }

    /// Continues at the same id if the source's book equals this one as far as both are known.
    private func recognises(_ source: borrowing OrderBook) -> Bool {
        if !takesDecimals(of: source) || book.difference(from: source, .bid) != nil
            || book.difference(from: source, .ask) != nil
        {
            return false
        }
        state = .live
        deepen(source)
        return true
    }

    /// Adopts what the source knows at the same id; what only this book knows of it stays known. New answers
    /// show it at once; clients that may consider their books known that far get it with the next update.
    /// O(1) if there is nothing.
    func deepen(_ source: borrowing OrderBook) {
        if state != .live || source.lastUpdateID != book.lastUpdateID || !takesDecimals(of: source) { return }
        if book.provenBids.covers(source.provenBids, on: .bid)
            && book.provenAsks.covers(source.provenAsks, on: .ask)
        {
            return
        }
        let (bids, asks) = (deepened(.bid, source), deepened(.ask, source))
        owe(changes(to: bids, .bid), in: &promises.bids, .bid)
        owe(changes(to: asks, .ask), in: &promises.asks, .ask)
        replace(by: source, bids: bids, asks: asks, book.scales)
    }

    /// A side as far as this book or the source, at the same id, knows it.
    private func deepened(_ side: Side, _ source: borrowing OrderBook) -> KnownSide {
        if book.proven(side).covers(source.proven(side), on: side) { return book.known(side) }
        return target(side, source.known(side))
    }

    /// Whether both have the same decimals; the source may have widened its own.
    private func takesDecimals(of source: borrowing OrderBook) -> Bool {
        let own = book.scales
        if source.scales == own { return true }
        noteChange()
        guard let own, let theirs = source.scales, own.widened(by: theirs) == theirs,
            book.widen(to: theirs)
        else { return false }
        rescalePromises(from: own)
        return true
    }

    /// Records levels that clients may lack, and levels that they may hold and must change.
    private func owe(_ changes: [PriceLevel], in promise: inout Promise, _ side: Side) {
        let held = Set(book.levels(side).map(\.price))
        for change in changes
        where promise.claimed.reaches(change.price, on: side) || held.contains(change.price) {
            promise.owed.insert(change.price)
        }
    }
}

extension OrderBook {
    /// Number of levels of a side. O(slots / 8).
    fileprivate borrowing func levelCount(_ side: Side) -> Int {
        side == .bid ? bids.count : asks.count
    }
}
