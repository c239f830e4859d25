// A local copy of one symbol's order book: two sorted sides and how far each is proven.
//
// Invariants
// * Each side holds every level of the venue from its best price down to the proven price, at `lastUpdateID`;
//   deeper levels may be held too, possibly with others missing between them.
// * The proven price never moves outwards except by loading a snapshot; a sender may say that it moves
//   inwards.
// * At most `levelCountMax` levels per side remain after a message. A side that might exceed that, judging by
//   the message lengths since its last count, is counted; if less than one thirty-second of the places is
//   free, the deepest levels are evicted until fifteen sixteenths remain, and the proven price moves up to
//   the worst level kept. So a side near the cap is counted now and then, not on every message.
//
// The book knows no venue, no thread and no text. One thread uses it; readers get a `BookView`.
//
// SAFETY: `scratch` is owned by the struct and always has room for the message at hand.

import CLobKernels
import MarketData

/// An order book. Not copyable; frees itself.
@safe
public struct OrderBook: ~Copyable {
    /// Most levels a side keeps after a message.
    public let levelCountMax: Int
    /// Bids, best first.
    public private(set) var bids = BookSide(.bid)
    /// Asks, best first.
    public private(set) var asks = BookSide(.ask)
    /// How far the bids are known.
    public internal(set) var provenBids = ProvenRange.nothing
    /// How far the asks are known.
    public internal(set) var provenAsks = ProvenRange.nothing
    /// Update id of this state.
    public private(set) var lastUpdateID = UpdateID(0)
    /// Venue's event time of this state in microseconds; 0 if unknown.
    public private(set) var eventTimeUs: Int64 = 0
    /// Decimals of prices and quantities; nil until the first level.
    public private(set) var scales: SymbolScales?
    private let movesProvenRange: Bool
    /// Upper bounds of the numbers of levels, exact after each count.
    private var bidCountBound = 0
    private var askCountBound = 0
    private var scratch: UnsafeMutablePointer<lob_insertion>
    private var scratchCapacity: Int
    /// Levels of an ordinary message; longer ones are rare, and the first makes more room.
    private static let scratchCapacityMin = 128

    /// An empty book.
    ///
    /// - Parameter levelCountMax: most levels a side keeps, at least 16. The default holds the deepest books
    ///   captured (4,500 levels) twice over.
    public init(levelCountMax: Int = 10_000) {
        self.init(levelCountMax: levelCountMax, movesProvenRange: true)
    }

    /// - Parameter movesProvenRange: false plants a bug that the simulation's checkers must find.
    package init(levelCountMax: Int, movesProvenRange: Bool) {
        self.levelCountMax = max(levelCountMax, 16)
        self.movesProvenRange = movesProvenRange
        scratchCapacity = OrderBook.scratchCapacityMin
        unsafe scratch = .allocate(capacity: scratchCapacity + 1)
    }

    deinit { unsafe scratch.deallocate() }

    /// The best bid, nil if there is none. O(1).
    @inline(__always)
    public var bestBid: PriceLevel? { bids.best }

    /// The best ask, nil if there is none. O(1).
    @inline(__always)
    public var bestAsk: PriceLevel? { asks.best }

    /// Whether the best bid is at or above the best ask, which never holds in a healthy book between
    /// messages.
    public var isCrossed: Bool {
        guard let bid = bestBid, let ask = bestAsk else { return false }
        return bid.price >= ask.price
    }

    /// Replaces everything with a snapshot.
    ///
    /// - Parameters:
    ///   - snapshot: levels of both sides; zero quantities are skipped.
    ///   - limit: levels requested per side. A side with fewer is complete, and so unbounded; nil means that
    ///     both sides are complete.
    /// - Complexity: O(levels). Allocates only if the book must grow.
    public mutating func load(_ snapshot: borrowing DepthSnapshot, limit: Int?) {
        unsafe bids.load(snapshot.bids.base, count: snapshot.bids.count)
        unsafe asks.load(snapshot.asks.base, count: snapshot.asks.count)
        provenBids = OrderBook.range(of: snapshot.bids, limit: limit, side: .bid)
        provenAsks = OrderBook.range(of: snapshot.asks, limit: limit, side: .ask)
        lastUpdateID = snapshot.lastUpdateID
        eventTimeUs = snapshot.eventTimeUs
        scales = snapshot.scales
        bidCountBound = snapshot.bids.count
        askCountBound = snapshot.asks.count
        if max(bidCountBound, askCountBound) > levelCountMax { enforceLevelCount() }
    }

    private static func range(of levels: borrowing LevelBuffer, limit: Int?, side: Side) -> ProvenRange {
        guard let limit, levels.count >= limit, levels.count > 0 else { return .unbounded }
        var worst = levels[0].price
        for i in 1..<levels.count where side.isBetter(worst, than: levels[i].price) {
            worst = levels[i].price
        }
        return .to(worst)
    }

    /// Sets the absolute quantities of an update and adopts its ids. The caller has already decided that it
    /// may be applied.
    ///
    /// - Precondition: quantities are not negative, and prices inside a side lie in `0 ...
    ///   Price.mantissaMax`, as a parser delivers them.
    /// - Throws: `BookError`, with the book unchanged.
    /// - Complexity: O(levels); the rare levelling of a side is described in `BookSide`. A side that might
    ///   exceed `levelCountMax` is counted, at most once for every `levelCountMax / 32` levels received:
    ///   O(slots / 8). Allocates only to grow.
    @inlinable
    @inline(__always)
    public mutating func apply(_ update: borrowing DepthUpdate) throws(BookError) {
        // Part by part: the compiler would first copy a whole update that is a property of something.
        let levels = unsafe UpdateLevels(
            bids: update.bids.base, bidCount: update.bids.count, asks: update.asks.base,
            askCount: update.asks.count)
        if update.scales != scales {
            unsafe try applyOther(levels, update.scales, update.last, update.eventTimeUs)
        } else {
            unsafe try set(levels, update.last, update.eventTimeUs)
        }
    }

    /// `apply` of an update that does not have the scales of the book.
    @usableFromInline
    @inline(never)
    mutating func applyOther(
        _ levels: UpdateLevels, _ message: SymbolScales?, _ updateID: UpdateID, _ time: Int64
    ) throws(BookError) {
        unsafe try levels.check()
        if let message, unsafe try !adopt(message, levels, updateID, time) { return }
        unsafe try set(levels, updateID, time)
    }

    /// `apply` of an update in the scales of the book.
    @usableFromInline
    mutating func set(_ levels: UpdateLevels, _ updateID: UpdateID, _ time: Int64) throws(BookError) {
        unsafe try levels.check()
        let most = unsafe max(levels.bidCount, levels.askCount)
        if most > scratchCapacity { growScratch(most) }
        unsafe bids.apply(levels.bids, count: levels.bidCount, scratch: scratch)
        unsafe asks.apply(levels.asks, count: levels.askCount, scratch: scratch)
        lastUpdateID = updateID
        eventTimeUs = time
        unsafe bidCountBound &+= levels.bidCount
        unsafe askCountBound &+= levels.askCount
        if max(bidCountBound, askCountBound) > levelCountMax { enforceLevelCount() }
    }

    /// A book without levels takes the scales of the first message that has levels. Zero prints as zero in
    /// any scale, so a message that only removes levels says nothing about quantity decimals. Otherwise the
    /// wider decimals win: either the book or the message is widened.
    ///
    /// - Returns: false if the message was applied here, in wider decimals than its own.
    @inline(never)
    private mutating func adopt(
        _ message: SymbolScales, _ levels: UpdateLevels, _ updateID: UpdateID, _ time: Int64
    ) throws(BookError) -> Bool {
        let removesOnly = unsafe levels.removeOnly
        guard let book = scales else {
            if !removesOnly { scales = message }
            return true
        }
        var wide = book.widened(by: message)
        if removesOnly {
            wide = SymbolScales(
                priceDecimals: Int(wide.priceDecimals), quantityDecimals: Int(book.quantityDecimals))
            if message.priceDecimals == book.priceDecimals { return true }
        }
        guard let scaled = unsafe levels.scaled(from: message, to: wide, updateID, time), widen(to: wide)
        else {
            throw .scalesDiffer(book: book, message: message)
        }
        try apply(scaled)
        return false
    }

    /// Widens every number to these decimals, which are never fewer than the current ones. The book's
    /// contents are unchanged.
    ///
    /// - Returns: false, with the book unchanged, if a number does not fit.
    /// - Complexity: O(levels), allocating: a venue changes its decimals once in months.
    public mutating func widen(to wide: SymbolScales) -> Bool {
        guard let old = scales, old != wide else {
            scales = scales ?? wide
            return true
        }
        var sides: [[PriceLevel]] = []
        for side in Side.allCases {
            var scaled: [PriceLevel] = []
            for level in levels(side) {
                guard let level = level.scaled(from: old, to: wide) else { return false }
                scaled.append(level)
            }
            sides.append(scaled)
        }
        guard let bidRange = provenBids.scaled(from: old, to: wide),
            let askRange = provenAsks.scaled(from: old, to: wide)
        else { return false }
        replaceLevels(bids: sides[0], asks: sides[1])
        (provenBids, provenAsks, scales) = (bidRange, askRange, wide)
        return true
    }

    /// Replaces the contents with these sides, in the book's own memory, and with the id and time of another
    /// book; `levelCountMax` stays.
    ///
    /// - Parameters:
    ///   - other: the other book.
    ///   - scales: decimals of both sides.
    /// - Complexity: O(levels), allocating.
    package mutating func replaceAll(
        bids: KnownSide, asks: KnownSide, like other: borrowing OrderBook, scales: SymbolScales?
    ) {
        replaceLevels(bids: bids.levels, asks: asks.levels)
        (provenBids, provenAsks) = (bids.range, asks.range)
        (lastUpdateID, eventTimeUs, self.scales) = (other.lastUpdateID, other.eventTimeUs, scales)
        (bidCountBound, askCountBound) = (bids.levels.count, asks.levels.count)
        if max(bidCountBound, askCountBound) > levelCountMax { enforceLevelCount() }
    }

    /// The whole book as a value. O(levels), allocating.
    package var image: BookImage {
        BookImage(
            lastUpdateID: lastUpdateID, eventTimeUs: eventTimeUs, scales: scales, provenBids: provenBids,
            provenAsks: provenAsks, bids: levels(.bid), asks: levels(.ask), bidCountBound: bidCountBound,
            askCountBound: askCountBound)
    }

    /// Becomes the book of an image, in its own memory; `levelCountMax` stays. O(levels), allocating.
    package mutating func restore(_ image: BookImage) {
        replaceLevels(bids: image.bids, asks: image.asks)
        (provenBids, provenAsks) = (image.provenBids, image.provenAsks)
        (lastUpdateID, eventTimeUs, scales) = (image.lastUpdateID, image.eventTimeUs, image.scales)
        bidCountBound = max(image.bidCountBound, image.bids.count)
        askCountBound = max(image.askCountBound, image.asks.count)
        if max(bidCountBound, askCountBound) > levelCountMax { enforceLevelCount() }
    }

    private mutating func replaceLevels(bids newBids: [PriceLevel], asks newAsks: [PriceLevel]) {
        bids.removeAll()
        asks.removeAll()
        unsafe newBids.withUnsafeBufferPointer {
            if let base = $0.baseAddress { unsafe bids.load(base, count: $0.count) }
        }
        unsafe newAsks.withUnsafeBufferPointer {
            if let base = $0.baseAddress { unsafe asks.load(base, count: $0.count) }
        }
    }

    @inline(never)
    private mutating func growScratch(_ wanted: Int) {
        unsafe scratch.deallocate()
        scratchCapacity = max(wanted, scratchCapacity * 2)
        unsafe scratch = .allocate(capacity: scratchCapacity + 1)
    }

    /// Counts the levels of a side that might exceed the cap, and evicts the deepest if it does.
    @inline(never)
    private mutating func enforceLevelCount() {
        let kept = levelCountMax - levelCountMax / 16
        let full = levelCountMax - levelCountMax / 32
        let mayExceed = (bids: bidCountBound > levelCountMax, asks: askCountBound > levelCountMax)
        if mayExceed.bids {
            let count = bids.count
            bids.reconsiderHints(after: max(bidCountBound - count, 1))
            bidCountBound = count
        }
        if mayExceed.asks {
            let count = asks.count
            asks.reconsiderHints(after: max(askCountBound - count, 1))
            askCountBound = count
        }
        if mayExceed.bids && bidCountBound > full {
            bidCountBound = kept
            let gone = bids.evict(keeping: kept)
            if movesProvenRange {
                provenBids = OrderBook.range(provenBids, without: gone, worst: bids.worst, side: .bid)
            }
        }
        if mayExceed.asks && askCountBound > full {
            askCountBound = kept
            let gone = asks.evict(keeping: kept)
            if movesProvenRange {
                provenAsks = OrderBook.range(provenAsks, without: gone, worst: asks.worst, side: .ask)
            }
        }
    }

    /// The range after the levels from `gone` downwards are evicted: it ends at the worst level kept.
    private static func range(
        _ range: ProvenRange, without gone: Price?, worst: Price?, side: Side
    ) -> ProvenRange {
        guard let gone, let worst else { return range }
        switch range {
        case .nothing: return .nothing
        case .to(let price): return side.isBetter(price, than: gone) ? range : .to(worst)
        case .unbounded: return .to(worst)
        }
    }

    /// Empties the book, keeping its memory.
    public mutating func removeAll() {
        bids.removeAll()
        asks.removeAll()
        provenBids = .nothing
        provenAsks = .nothing
        lastUpdateID = UpdateID(0)
        eventTimeUs = 0
        scales = nil
        bidCountBound = 0
        askCountBound = 0
    }

    /// Fills in a view's levels, ids, times and proven ranges; state, symbol and receive time are left to the
    /// caller.
    @inline(__always)
    public borrowing func publish(into view: inout BookView) {
        view.lastUpdateID = lastUpdateID
        view.eventTimeUs = eventTimeUs
        view.scales = scales ?? SymbolScales(priceDecimals: 0, quantityDecimals: 0)
        view.bidCount = UInt8(truncatingIfNeeded: bids.copyBest(to: &view.bids))
        view.askCount = UInt8(truncatingIfNeeded: asks.copyBest(to: &view.asks))
        view.provenBids = provenBids
        view.provenAsks = provenAsks
    }
}
