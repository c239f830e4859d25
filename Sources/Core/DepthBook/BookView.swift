// What readers see of a book: a flat, trivially copyable picture of the best levels with everything needed to
// judge it. Published through a mailbox to any number of threads, word by word, without a lock.
//
// Its layout is that of `struct lob_book_view` in CLobKernelsLayout.h, for readers in other languages; a test
// compares every offset.

import CLobKernels
import MarketData

/// The best levels of a book at one update id. Trivially copyable.
public struct BookView: Sendable, BitwiseCopyable {
    /// Levels per side in a view.
    public static var levelCountMax: Int { 20 }

    /// Symbol of the book.
    public var symbol = SymbolName()
    /// Update id of this state.
    public var lastUpdateID = UpdateID(0)
    /// Venue's event time of the last applied update in microseconds; 0 if unknown.
    public var eventTimeUs: Int64 = 0
    /// Receive time of the last applied update, in nanoseconds of the frames' clock (since 1970 if
    /// `DepthFeed` made them); 0 if unknown.
    public var receivedAtNs: Int64 = 0
    /// Time at which its connection was last known to deliver, by the same clock; 0 if it never did. Written
    /// with every view and, between updates, by ticks: an upper bound on the age of a quiet book.
    public var checkedAtNs: Int64 = 0
    /// How much later than usual the last applied update arrived, in nanoseconds, relative to the smallest
    /// difference seen between arrival and event time, so that the clocks may differ and drift. If the engine
    /// has no monotonic clock: the smallest of the last ten minutes.
    public var lagNs: Int64 = 0
    @usableFromInline var provenBidPrice = Price(0)
    @usableFromInline var provenAskPrice = Price(0)
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
    @usableFromInline var provenBidKind: UInt8 = 0
    @usableFromInline var provenAskKind: UInt8 = 0
    /// Version of the layout.
    public private(set) var layoutVersion = UInt16(LOB_LAYOUT_VERSION)
    private var reserved: (UInt16, UInt16, UInt16) = (0, 0, 0)
    /// Best bids, best first.
    public var bids: InlineArray<20, PriceLevel> = InlineArray(repeating: PriceLevel(0, 0))
    /// Best asks, best first.
    public var asks: InlineArray<20, PriceLevel> = InlineArray(repeating: PriceLevel(0, 0))

    /// An empty view of a book that is syncing.
    public init() {}

    /// How far the bids are known.
    @inlinable
    public var provenBids: ProvenRange {
        get { ProvenRange(kind: provenBidKind, price: provenBidPrice) }
        set { (provenBidKind, provenBidPrice) = newValue.parts }
    }

    /// How far the asks are known.
    @inlinable
    public var provenAsks: ProvenRange {
        get { ProvenRange(kind: provenAskKind, price: provenAskPrice) }
        set { (provenAskKind, provenAskPrice) = newValue.parts }
    }

    /// Whether both show the same state of the same book: all but `checkedAtNs` is equal, so the later one
    /// only renews the proof of the earlier one.
    public func showsSame(as other: BookView) -> Bool {
        lastUpdateID == other.lastUpdateID && state == other.state && reason == other.reason
            && receivedAtNs == other.receivedAtNs && eventTimeUs == other.eventTimeUs && lagNs == other.lagNs
            && provenBids == other.provenBids && provenAsks == other.provenAsks && scales == other.scales
            && symbol == other.symbol && bidCount == other.bidCount && askCount == other.askCount
            && (0..<Int(bidCount)).allSatisfy { bids[$0] == other.bids[$0] }
            && (0..<Int(askCount)).allSatisfy { asks[$0] == other.asks[$0] }
    }

    /// The best bid; nil if there is none or it is not known: if `bids[0]` lies outside the proven range, a
    /// better one may be missing.
    @inlinable
    public var bestBid: PriceLevel? {
        bidCount > 0 && provenBids.reaches(bids[0].price, on: .bid) ? bids[0] : nil
    }

    /// The best ask; nil under the same conditions as `bestBid`.
    @inlinable
    public var bestAsk: PriceLevel? {
        askCount > 0 && provenAsks.reaches(asks[0].price, on: .ask) ? asks[0] : nil
    }
}
