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
//     live    | source not live                              | nothing                 | paused
//     paused  | source live, at a later id                   | one bridging update     | live
//     paused  | source live, at this id, and no other book   | nothing                 | live
//     paused  | source live, at this id or an earlier one    | nothing                 | behind
//     behind  | as paused                                    |                         |
//     behind  | source counts anew                           | the end of connections  | empty
//
// A bridging update chains to the last update sent, as the market's rule demands, and its levels are the
// difference between the two books. So a client that applies everything it gets, and checks no ids, ends with
// the new book.
//
// Invariants
// * What is sent is chained without a hole: each update begins where the one before it ended.
// * A client that took a REST answer and everything sent since holds, as far as both its answer and this book
//   are proven, exactly this book. Beyond that every level it holds is in this book too, unless more than
//   `levelCountMax` levels a side were in use.
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

    let symbol: SymbolName
    private let isLinked: Bool
    private(set) var state = State.empty
    private(set) var book: OrderBook
    /// Ids of the last update sent, or of the first book.
    private(set) var ids = UpdateRange(first: UpdateID(0), last: UpdateID(0))
    /// The last bridging update.
    private(set) var bridge = DepthUpdate(levelCapacity: 64)
    /// How far any client may take its book for known.
    private var claimed = (bids: ProvenRange.nothing, asks: ProvenRange.nothing)
    /// Whether clients miss levels that the source knows: the next update is a bridge.
    private var owes = false

    /// - Parameters:
    ///   - symbol: whose book it is.
    ///   - isLinked: whether updates name the last id of the one before.
    ///   - levelCountMax: that of the source.
    init(_ symbol: SymbolName, isLinked: Bool, levelCountMax: Int) {
        (self.symbol, self.isLinked) = (symbol, isLinked)
        book = OrderBook(levelCountMax: levelCountMax)
    }

    /// Takes an update that the source, live before and after, has just applied.
    ///
    /// - Returns: whether clients may get it as it came; otherwise `resume` is called next.
    func pass(_ update: borrowing DepthUpdate) -> Bool {
        guard state == .live, !owes, continues(update) else { return false }
        do { try book.apply(update) } catch { return false }
        ids = UpdateRange(update)
        return true
    }

    private func continues(_ update: borrowing DepthUpdate) -> Bool {
        let held = book.lastUpdateID
        if isLinked { return update.previousLast == held && update.last > held }
        return held.value < .max && update.first.value == held.value + 1 && update.last > held
    }

    /// The source's book is not to be trusted now.
    func pause() {
        if state == .live || state == .behind { state = .paused }
    }

    /// Forgets the book: what the clients hold leads nowhere.
    func forget() {
        (state, owes) = (.empty, false)
        claimed = (.nothing, .nothing)
        book.removeAll()
    }

    /// The source is live, and this book is not known to be the same.
    func resume(_ source: borrowing OrderBook) -> Resumption {
        if state == .empty {
            copy(source)
            let id = source.lastUpdateID
            ids = UpdateRange(first: id, last: id, previousLast: isLinked ? id : nil)
            return .began
        }
        let (held, next) = (book.lastUpdateID, source.lastUpdateID)
        if next == held && recognises(source) { return .unchanged }
        guard next > held, fillBridge(source) else {
            state = .behind
            return .behind
        }
        copy(source)
        ids = UpdateRange(bridge)
        return .bridged
    }

    /// Goes on at the same id, if the source's book is this one as far as both are known.
    private func recognises(_ source: borrowing OrderBook) -> Bool {
        if source.scales != book.scales || book.difference(from: source, .bid) != nil
            || book.difference(from: source, .ask) != nil
        {
            return false
        }
        state = .live
        deepen(source)
        return true
    }

    /// Takes over what the source knows at the same id. Clients get nothing: what they hold stays true. But
    /// if a client may take its book for known where this one was not, it misses levels: they come with the
    /// next update.
    func deepen(_ source: borrowing OrderBook) {
        if state != .live || source.lastUpdateID != book.lastUpdateID || source.scales != book.scales {
            return
        }
        let isMissing = Side.allCases.contains { side in
            !book.proven(side).covers(source.proven(side), on: side)
                && !book.proven(side).covers(side == .bid ? claimed.bids : claimed.asks, on: side)
        }
        if isMissing {
            owes = true
            return
        }
        book.adopt(source, bids: deepest(source, .bid), asks: deepest(source, .ask))
        noteClaims()
    }

    private func copy(_ source: borrowing OrderBook) {
        book.adopt(source, bids: source.levels(.bid), asks: source.levels(.ask))
        (state, owes) = (.live, false)
        noteClaims()
    }

    private func noteClaims() {
        if book.provenBids.covers(claimed.bids, on: .bid) { claimed.bids = book.provenBids }
        if book.provenAsks.covers(claimed.asks, on: .ask) { claimed.asks = book.provenAsks }
    }

    /// The source's levels, and those of this book that lie beyond what is proven of the source.
    private func deepest(_ source: borrowing OrderBook, _ side: Side) -> [PriceLevel] {
        var levels = source.levels(side)
        let known = Set(levels.map(\.price))
        let range = source.proven(side)
        levels += book.levels(side).filter { !range.reaches($0.price, on: side) && !known.contains($0.price) }
        levels.sort { side.isBetter($0.price, than: $1.price) }
        return levels
    }

    // MARK: - Bridges

    /// Fills `bridge` with what leads from this book to the source's.
    ///
    /// - Returns: false if the two cannot be printed with the same decimals.
    private func fillBridge(_ source: borrowing OrderBook) -> Bool {
        bridge.reset()
        guard let scales = source.scales ?? book.scales else { return false }
        let wide = book.scales.map(scales.widened(by:)) ?? scales
        let old = book.scales ?? wide
        if !book.widen(to: wide) { return false }
        claimed.bids = claimed.bids.scaled(from: old, to: wide) ?? .unbounded
        claimed.asks = claimed.asks.scaled(from: old, to: wide) ?? .unbounded
        for side in Side.allCases {
            guard let levels = ServedBook.scaled(source.levels(side), from: source.scales ?? wide, to: wide)
            else { return false }
            append(ServedBook.changes(from: book.levels(side), to: levels, side), side)
        }
        bridge.symbol = symbol
        bridge.first = UpdateID(book.lastUpdateID.value &+ 1)
        bridge.last = source.lastUpdateID
        bridge.previousLast = isLinked ? book.lastUpdateID : nil
        bridge.eventTimeUs = source.eventTimeUs
        bridge.transactionTimeUs = source.eventTimeUs
        bridge.scales = wide
        return true
    }

    private static func scaled(
        _ levels: [PriceLevel], from old: SymbolScales, to wide: SymbolScales
    ) -> [PriceLevel]? {
        if old == wide { return levels }
        let scaled = levels.compactMap { $0.scaled(from: old, to: wide) }
        return scaled.count == levels.count ? scaled : nil
    }

    /// The venue sorts the bids of updates downwards where updates are not linked, everything else upwards.
    private func append(_ levels: [PriceLevel], _ side: Side) {
        switch side {
        case .bid:
            if isLinked {
                for level in levels.reversed() { bridge.bids.append(level) }
            } else {
                for level in levels { bridge.bids.append(level) }
            }
        case .ask: for level in levels { bridge.asks.append(level) }
        }
    }

    /// The levels to set so that one side becomes the other, best first; a quantity of zero removes.
    static func changes(from old: [PriceLevel], to new: [PriceLevel], _ side: Side) -> [PriceLevel] {
        var changes: [PriceLevel] = []
        var (i, j) = (0, 0)
        while i < old.count || j < new.count {
            if j == new.count || i < old.count && side.isBetter(old[i].price, than: new[j].price) {
                changes.append(PriceLevel(price: old[i].price, quantity: .zero))
                i += 1
            } else if i == old.count || side.isBetter(new[j].price, than: old[i].price) {
                changes.append(new[j])
                j += 1
            } else {
                if old[i].quantity != new[j].quantity { changes.append(new[j]) }
                i += 1
                j += 1
            }
        }
        return changes
    }
}

extension ServedBook {
    /// Whether it may be shown: it is the source's, and known from the best prices on.
    var isShown: Bool { state == .live && book.hasProvenBest(.bid) && book.hasProvenBest(.ask) }

    /// Fills in the best levels, cut so that they claim no more than is proven: whoever takes a shorter side
    /// for a complete one must be right.
    ///
    /// - Parameter limit: levels a side that are wanted.
    /// - Returns: levels a side at which the snapshot was cut.
    @discardableResult
    func fill(_ snapshot: inout DepthSnapshot, limit: Int) -> Int {
        snapshot.reset()
        snapshot.symbol = symbol
        snapshot.lastUpdateID = book.lastUpdateID
        snapshot.eventTimeUs = book.eventTimeUs
        snapshot.transactionTimeUs = book.eventTimeUs
        snapshot.scales = book.scales
        var limit = limit
        for side in Side.allCases where book.proven(side) != .unbounded {
            limit = min(limit, book.provenLevelCount(side))
        }
        if limit < 1 { return limit }
        book.forEachLevel(.bid) {
            snapshot.bids.append($0)
            return snapshot.bids.count < limit
        }
        book.forEachLevel(.ask) {
            snapshot.asks.append($0)
            return snapshot.asks.count < limit
        }
        return limit
    }

    /// Fills in the partial depth of a market whose partial depths look like updates.
    func fill(_ partial: inout DepthUpdate, from snapshot: borrowing DepthSnapshot) {
        partial.reset()
        partial.symbol = symbol
        (partial.first, partial.last, partial.previousLast) = (ids.first, ids.last, ids.previousLast)
        (partial.eventTimeUs, partial.transactionTimeUs) = (book.eventTimeUs, book.eventTimeUs)
        partial.scales = book.scales
        for index in 0..<snapshot.bids.count { partial.bids.append(snapshot.bids[index]) }
        for index in 0..<snapshot.asks.count { partial.asks.append(snapshot.asks[index]) }
    }

    /// The best prices; a side without levels shows zeros.
    var ticker: BookTicker {
        var ticker = BookTicker()
        ticker.symbol = symbol
        ticker.updateID = book.lastUpdateID
        (ticker.eventTimeUs, ticker.transactionTimeUs) = (book.eventTimeUs, book.eventTimeUs)
        ticker.scales = book.scales ?? ticker.scales
        ticker.bid = book.bestBid ?? PriceLevel(0, 0)
        ticker.ask = book.bestAsk ?? PriceLevel(0, 0)
        return ticker
    }

    /// Whether the source knows notably more levels than this book.
    func isShallower(than source: borrowing OrderBook) -> Bool {
        if owes { return false }
        return Side.allCases.contains { side in
            if !book.hasProvenBest(side) { return true }
            let (own, theirs) = (book.proven(side), source.proven(side))
            if own == theirs || own == .unbounded { return false }
            if theirs == .unbounded { return true }
            return source.provenLevelCount(side) >= book.provenLevelCount(side) + 64
        }
    }
}

extension ProvenRange {
    /// Whether everything inside another range of a side lies inside this one.
    fileprivate func covers(_ other: ProvenRange, on side: Side) -> Bool {
        switch other {
        case .nothing: true
        case .to(let worst): reaches(worst, on: side)
        case .unbounded: self == .unbounded
        }
    }
}
