// A book's final state after its service has stopped.

import BinanceVenue
import BookEngine
import DepthBook
import DepthFeed
import LobHandoff
import LobTransport
import MarketData

/// A book as its shard ended.
public struct FinalBook: Sendable {
    /// The engine's status at the end.
    public var status: SymbolStatus
    /// How far it could be trusted when the service was told to stop; later changes result from the stop.
    public var state: BookState
    /// Why it was stale then.
    public var reason: StaleReason
    /// Number of levels per side.
    public var bidCount: Int
    /// See `bidCount`.
    public var askCount: Int
    /// Best levels; nil if there are none.
    public var bestBid: PriceLevel?
    /// See `bestBid`.
    public var bestAsk: PriceLevel?
    /// Digest of all levels.
    public var digest: UInt64
    /// How much later than usual its last update arrived, in nanoseconds; see `BookView.lagNs`.
    public var lagNs: Int64 = 0
    /// When its connection was last known to deliver; see `BookView.checkedAtNs`.
    public var checkedAtNs: Int64 = 0
}
