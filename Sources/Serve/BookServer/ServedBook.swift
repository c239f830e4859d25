// One symbol as clients of the server hold it: the book that REST answers show and that the updates sent so
// far lead to.
//
// Why a book of its own, beside the replica's: the replica's book jumps when it is rebuilt, and its clients'
// books do not. What the clients hold must be known to say how they get from there to the new one.
//
//     state   | input                                        | sent to clients         | next
//     --------|----------------------------------------------|-------------------------|-------
//     empty   | source live                                  | nothing                 | live
//     live    | next update of the stream                    | the update itself       | live
//     live    | source moved in another way                  | one bridging update     | live
//     live    | source knows levels that clients miss        | with the next update    | live
//     live    | a side has become too long                   | the next one shortens it| live
//     live    | source not live                              | nothing                 | paused
//     paused  | source live, at a later id                   | one bridging update     | live
//     paused  | source live, at this id, and no other book   | nothing                 | live
//     paused  | source live, at this id or an earlier one    | nothing                 | behind
//     behind  | as paused                                    |                         |
//     behind  | source counts anew                           | the end of connections  | empty
//
// What an answer lacks is owed. A client that gets fewer levels than it asked for, because no more are
// proven, takes what it has for the whole side; so every level that becomes known later is sent to it, with
// the next update. The alternative, to refuse until the book is known as deep as is asked, would refuse for
// ever whoever asks for more than the source fetches.
//
// Invariants
// * What is sent is chained without a hole: each update begins where the one before it ended.
// * A client that took a REST answer and everything sent since holds, inside what is proven, exactly this
//   book, as far as it asked. Beyond that it may lack levels of this book, and every level that it holds is
//   in this book too: what becomes proven is sent whole.
// * A side holds at most twice the levels that the source may; before it would exceed that, a bridge removes
//   the deepest from the books of the clients as well.
//
// Worst case: an update costs what it costs any book; a bridge O(levels), with allocations.

import BookSync
import DepthBook
import MarketData

/// What clients hold of one symbol. Thread: the server's.
final class ServedBook {
    /// Whether it may be shown.
    enum State: Hashable {
        /// There never was a book.
        case empty
        /// It is the source's book.
        case live
        /// The source is not to be trusted now.
        case paused
        /// The source is live, at an id from which no update can lead on.
        case behind
    }

    /// What became of an attempt to go on.
    enum Resumption: Hashable {
        /// The first book.
        case began
        /// There is nothing to tell the clients.
        case unchanged
        /// `bridge` leads from what the clients hold to the new book.
        case bridged
        /// Not yet.
        case behind
    }

    /// What is true of one side of the clients' books.
    struct Promise {
        /// How far any client may take its book for known.
        var claimed = ProvenRange.nothing
        /// Prices that clients may lack although this book has them.
        var owed: Set<Price> = []
        /// Most levels that this book can hold, exact after each count.
        var levelCountBound = 0
    }

    let symbol: SymbolName
    let isLinked: Bool
    /// Most levels of a side of the source.
    let levelCountMax: Int
    var state = State.empty
    var book: OrderBook
    /// Ids of the last update sent, or of the first book.
    var ids = UpdateRange(first: UpdateID(0), last: UpdateID(0))
    /// The last bridging update.
    var bridge = DepthUpdate(levelCapacity: 1)
    var promises = (bids: Promise(), asks: Promise())
    /// The last id of the newest update of the stream, if that leads on from this book but could not be
    /// passed on as it came: levels are owed, or a side is too long. A bridge to there hides no hole.
    var nextID: UpdateID?
    /// The last update sent, without wrapper; empty if there was none.
    var message: [UInt8] = []

    /// - Parameters:
    ///   - symbol: whose book it is.
    ///   - isLinked: whether updates name the last id of the one before.
    ///   - levelCountMax: that of the source.
    init(_ symbol: SymbolName, isLinked: Bool, levelCountMax: Int) {
        (self.symbol, self.isLinked) = (symbol, isLinked)
        self.levelCountMax = max(levelCountMax, 16)
        book = OrderBook(levelCountMax: 2 * self.levelCountMax)
    }

    /// Takes an update that the source, live before and after, has just applied.
    ///
    /// - Returns: whether clients may get it as it came; otherwise `resume` is called next.
    func pass(_ update: borrowing DepthUpdate) -> Bool {
        guard !isOwing, continues(update), hasRoom(update) else { return false }
        let scales = book.scales
        do { try book.apply(update) } catch { return false }
        if book.scales != scales { rescalePromises(from: scales) }
        ids = UpdateRange(update)
        return true
    }

    /// Whether an update is the next one of this book, which is live.
    func continues(_ update: borrowing DepthUpdate) -> Bool {
        if state != .live { return false }
        let held = book.lastUpdateID
        if isLinked { return update.previousLast == held && update.last > held }
        return held.value < .max && update.first.value == held.value + 1 && update.last > held
    }

    /// Whether the update leaves the sides short enough; one that has become too long is counted once for
    /// every few thousand levels received.
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

    /// The source's book is not to be trusted now.
    func pause() {
        if state == .live || state == .behind { state = .paused }
    }

    /// Forgets the book: what the clients hold leads nowhere.
    func forget() {
        state = .empty
        promises = (Promise(), Promise())
        message = []
        book.removeAll()
    }

    /// The source is live, and this book is not known to be the same.
    func resume(_ source: borrowing OrderBook) -> Resumption {
        if state == .empty {
            replace(by: source, bids: source.levels(.bid), asks: source.levels(.ask), source.scales)
            let id = source.lastUpdateID
            ids = UpdateRange(first: id, last: id, previousLast: isLinked ? id : nil)
            return .began
        }
        let (held, next) = (book.lastUpdateID, source.lastUpdateID)
        if next == held && recognises(source) { return .unchanged }
        guard next > held, goOver(to: source) else {
            state = .behind
            return .behind
        }
        ids = UpdateRange(bridge)
        return .bridged
    }

    /// Goes on at the same id, if the source's book is this one as far as both are known.
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

    /// Takes over what the source knows at the same id. New answers show it at once; clients that may take
    /// their books for known as far as that get it with the next update. O(1) if there is nothing.
    func deepen(_ source: borrowing OrderBook) {
        if state != .live || source.lastUpdateID != book.lastUpdateID || !takesDecimals(of: source) { return }
        if book.provenBids.covers(source.provenBids, on: .bid)
            && book.provenAsks.covers(source.provenAsks, on: .ask)
        {
            return
        }
        let bids = target(.bid, source.levels(.bid), provenTo: source.provenBids)
        let asks = target(.ask, source.levels(.ask), provenTo: source.provenAsks)
        owe(changes(to: bids, .bid, provenTo: source.provenBids), in: &promises.bids, .bid)
        owe(changes(to: asks, .ask, provenTo: source.provenAsks), in: &promises.asks, .ask)
        replace(by: source, bids: bids, asks: asks, book.scales)
    }

    /// Whether both have the same decimals; a source may have learnt more of them.
    private func takesDecimals(of source: borrowing OrderBook) -> Bool {
        let own = book.scales
        if source.scales == own { return true }
        guard let own, let theirs = source.scales, own.widened(by: theirs) == theirs,
            book.widen(to: theirs)
        else { return false }
        rescalePromises(from: own)
        return true
    }

    /// Notes levels that clients may miss, and levels that they may hold and are to change.
    private func owe(_ changes: [PriceLevel], in promise: inout Promise, _ side: Side) {
        let held = Set(book.levels(side).map(\.price))
        for change in changes
        where promise.claimed.reaches(change.price, on: side) || held.contains(change.price) {
            promise.owed.insert(change.price)
        }
    }
}

extension OrderBook {
    /// Levels of a side. O(slots / 8).
    fileprivate borrowing func levelCount(_ side: Side) -> Int {
        side == .bid ? bids.count : asks.count
    }
}

extension ProvenRange {
    /// Whether everything inside another range of a side lies inside this one.
    func covers(_ other: ProvenRange, on side: Side) -> Bool {
        switch other {
        case .nothing: true
        case .to(let worst): reaches(worst, on: side)
        case .unbounded: self == .unbounded
        }
    }
}
