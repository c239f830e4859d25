// The best level of each side with what is needed to judge it, in 64 bytes: for readers that need nothing
// else and read often. A view of twenty levels is more than ten times as long.
//
// Invariant: it agrees with the view of the same update id. Its layout is that of `struct lob_top` in
// CLobKernelsLayout.h, for readers in other languages; a test compares every offset.

import CLobKernels
import MarketData

/// The best bid and ask of a book at one update id. 64 bytes, trivially copyable.
public struct TopOfBook: Hashable, Sendable, BitwiseCopyable {
    @usableFromInline var bid = PriceLevel(0, 0)
    @usableFromInline var ask = PriceLevel(0, 0)
    /// Update id of this state.
    public var updateID = UpdateID(0)
    /// Time at which its connection was last known to deliver; see `BookView.checkedAtNs`.
    public var checkedAtNs: Int64 = 0
    /// Receive time of the last applied update; see `BookView.receivedAtNs`.
    public var receivedAtNs: Int64 = 0
    /// Decimals of prices and quantities.
    public var scales = SymbolScales(priceDecimals: 0, quantityDecimals: 0)
    /// How far it can be trusted.
    public var state = BookState.syncing
    /// Why it is stale.
    public var reason = StaleReason.none
    @usableFromInline var knowsBid = false
    @usableFromInline var knowsAsk = false
    @usableFromInline var layoutVersion = UInt16(LOB_LAYOUT_VERSION)

    /// The top of a book that is syncing.
    @inlinable
    public init() {}

    /// The top of a view.
    @inlinable
    @inline(__always)
    public init(_ view: BookView) {
        bid = view.bids[0]
        ask = view.asks[0]
        updateID = view.lastUpdateID
        checkedAtNs = view.checkedAtNs
        receivedAtNs = view.receivedAtNs
        scales = view.scales
        state = view.state
        reason = view.reason
        knowsBid = view.bidCount > 0 && view.provenBids.reaches(bid.price, on: .bid)
        knowsAsk = view.askCount > 0 && view.provenAsks.reaches(ask.price, on: .ask)
        if !knowsBid { bid = PriceLevel(0, 0) }
        if !knowsAsk { ask = PriceLevel(0, 0) }
    }

    /// Whether both show the same state: all but `checkedAtNs` is equal.
    public func showsSame(as other: TopOfBook) -> Bool {
        var renewed = self
        renewed.checkedAtNs = other.checkedAtNs
        return renewed == other
    }

    /// The best bid; nil if there is none or it is not known (see `BookView.bestBid`).
    @inlinable
    public var bestBid: PriceLevel? { knowsBid ? bid : nil }

    /// The best ask; nil under the same conditions as `bestBid`.
    @inlinable
    public var bestAsk: PriceLevel? { knowsAsk ? ask : nil }
}
