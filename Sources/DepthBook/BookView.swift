// What readers see of a book: a flat, trivially copyable picture of the best levels with everything needed to
// judge it. One `memcpy` publishes it through a mailbox to any number of threads.

import MarketData

/// How far a published book can be trusted.
@frozen
public enum BookState: UInt8, Sendable, BitwiseCopyable {
    /// No book yet.
    case syncing
    /// Every level inside the proven range is the venue's at `lastUpdateID`.
    case live
    /// Not to be trusted now, and kept readable while it is rebuilt: as it was when it lost its trust, or as
    /// the last snapshot tried left it. See `StaleReason`.
    case stale
}

/// Why a book is stale.
@frozen
public enum StaleReason: UInt8, Sendable, BitwiseCopyable {
    /// It is not stale.
    case none
    /// An event was lost.
    case gap
    /// The connection ended.
    case disconnected
    /// Best bid at or above best ask.
    case crossed
    /// A best price or a top-of-book frame of the venue differed at the same update id.
    case oracle
    /// The venue changed the decimals it prints.
    case rescale
    /// A snapshot, a ticker or a partial depth is newer, and the events that lead to it do not come.
    case behind
    /// The best price of a side lies outside what is proven.
    case shallow
    /// A message that may have been an event of it could not be read.
    case unreadable
    /// A message that may have been an event of it was dropped before the engine saw it.
    case dropped
    /// A snapshot at the same update id differed.
    case audit
    /// Its events arrive later than is tolerable.
    case lagging
    /// Its connection was busy and has fallen silent.
    case silent
}

/// The best levels of a book at one update id. Trivially copyable.
@frozen
public struct BookView: Sendable, BitwiseCopyable {
    /// Levels a side in a view.
    public static var levelCountMax: Int { 20 }

    /// Symbol of the book.
    public var symbol = SymbolName()
    /// Update id of this state.
    public var lastUpdateID = UpdateID(0)
    /// Venue's event time of the last applied event in microseconds; 0 if unknown.
    public var eventTimeUs: Int64 = 0
    /// Time at which the last event that was applied was received, in nanoseconds of the clock of the frames
    /// (since 1970 where `DepthFeed` makes them); 0 if unknown.
    public var receivedAtNs: Int64 = 0
    /// Time at which its connection was last known to deliver, in the same clock; 0 if it never did. Written
    /// with every view, and by ticks in turn: a reader's own bound on how old a quiet book may be.
    public var checkedAtNs: Int64 = 0
    /// How much later than usual the last applied event arrived, in nanoseconds: against the smallest
    /// difference between arrival and event time of the last minutes, so that the clocks may differ.
    public var lagNs: Int64 = 0
    /// Decimals of prices and quantities.
    public var scales = SymbolScales(priceDecimals: 0, quantityDecimals: 0)
    /// How far this view can be trusted.
    public var state = BookState.syncing
    /// Why it is stale.
    public var reason = StaleReason.none
    /// Number of valid entries of `bids`.
    public var bidCount: UInt8 = 0
    /// Number of valid entries of `asks`.
    public var askCount: UInt8 = 0
    /// How far the bids are known.
    public var provenBids = ProvenRange.nothing
    /// How far the asks are known.
    public var provenAsks = ProvenRange.nothing
    /// Best bids, best first.
    public var bids: InlineArray<20, PriceLevel> = InlineArray(repeating: PriceLevel(0, 0))
    /// Best asks, best first.
    public var asks: InlineArray<20, PriceLevel> = InlineArray(repeating: PriceLevel(0, 0))

    /// An empty view of a book that is syncing.
    public init() {}

    /// The best bid; nil if there is none, or if it is not known: a better one may be missing where `bids[0]`
    /// lies outside the proven range.
    @inlinable
    public var bestBid: PriceLevel? {
        bidCount > 0 && provenBids.reaches(bids[0].price, on: .bid) ? bids[0] : nil
    }

    /// The best ask; nil as `bestBid`.
    @inlinable
    public var bestAsk: PriceLevel? {
        askCount > 0 && provenAsks.reaches(asks[0].price, on: .ask) ? asks[0] : nil
    }
}
