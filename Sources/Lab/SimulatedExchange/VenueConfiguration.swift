// The configuration of a simulated venue, and its counters.

import BinanceVenue
import MarketData

/// A symbol of the venue.
package struct VenueSymbol: Hashable, Sendable {
    /// Name of the symbol.
    package var name: SymbolName
    /// Its traffic; the ids follow the profile's rule, so it must belong to the venue's market.
    package var profile: TrafficProfile

    /// A symbol with this traffic.
    package init(_ name: SymbolName, _ profile: TrafficProfile) {
        self.name = name
        self.profile = profile
    }
}

/// Everything that decides what a venue does, apart from its clients. Times are microseconds.
package struct VenueConfiguration: Sendable {
    /// Market of all symbols.
    package var market: Market
    /// The symbols, each once.
    package var symbols: [VenueSymbol]
    /// Seed of all draws.
    package var seed: UInt64
    /// The faults from the start on.
    package var faults = FaultPlan.none
    /// Virtual time of the start, since 1970.
    package var startUs: Int64 = 1_790_000_000_000_000
    /// Shapes of the messages.
    package var dialect: WireDialect
    /// From sending a frame to its arrival.
    package var streamLatencyUs: ClosedRange<Int64> = 5_000...40_000
    /// From sending a request to the arrival of its answer.
    package var requestLatencyUs: ClosedRange<Int64> = 30_000...150_000
    /// How far a snapshot lags behind the matching engine.
    package var snapshotLagUs: ClosedRange<Int64> = 0...300_000
    /// Snapshots change only at multiples of this: requests in between get the same state.
    package var snapshotCacheUs: Int64 = 50_000
    /// Whether a connection is closed if its client does not answer pings within the market's time limit.
    package var expectsPongs = false
    /// Whether depth streams run at the speeds in their names, slower ones gathering the updates in between;
    /// otherwise every speed is accepted and all run at the pace of the order flow.
    package var honoursSpeeds = false
    /// Format of the refusals of control messages: the venue documents one and sends the other.
    package var errorShape = ErrorShape.flat
    /// Share of snapshots that show the end of an update rather than a state inside one.
    package var wholeSnapshotPerMille = 0
    /// How long a connection lives.
    package var connectionLifeUs: Int64 = 86_400_000_000
    /// How much history is kept for `withTruth` and for old snapshots.
    package var historyUs: Int64 = 60_000_000
    /// Maximum number of changes of the history kept per symbol (24 bytes each).
    package var historyChangeCountMax = 1 << 18
    /// A connection with more undelivered bytes is closed with code 1008.
    package var queuedBytesMax = 64 << 20
    /// Maximum number of connections.
    package var connectionCountMax = 256
    /// Maximum number of streams on one connection.
    package var streamCountMax = 1_024

    /// A venue without faults.
    package init(market: Market, symbols: [VenueSymbol], seed: UInt64) {
        self.market = market
        self.symbols = symbols
        self.seed = seed
        dialect = .current(market)
    }
}

/// The counters of a venue.
package struct VenueCounters: Hashable, Sendable {
    /// Updates of all symbols that were shown on the diff streams.
    package internal(set) var updateCount = 0
    /// Text frames sent, including those lost on the way.
    package internal(set) var frameCount = 0
    /// Control messages of clients, including refused ones.
    package internal(set) var controlCount = 0
    /// Control messages answered with an error.
    package internal(set) var refusalCount = 0
    /// Connections closed because their client sent too many messages a second.
    package internal(set) var floodCount = 0
    /// Connections closed because their client did not answer pings.
    package internal(set) var pongTimeoutCount = 0
    /// Requests.
    package internal(set) var requestCount = 0
    /// Requests answered 429.
    package internal(set) var limitedCount = 0
    /// Requests answered 418.
    package internal(set) var bannedCount = 0
    /// Requests made during a ban after it had been imposed.
    package internal(set) var defianceCount = 0
    private var faultCounts = Fault.allCases.map { _ in 0 }

    /// Nothing has happened.
    package init() {}

    /// How often a fault has struck.
    package subscript(fault: Fault) -> Int { faultCounts[fault.rawValue] }

    /// Decides whether a fault strikes, and counts it.
    mutating func strikes(_ fault: Fault, of plan: FaultPlan, _ random: inout SeededRandom) -> Bool {
        if !plan.strikes(fault, &random) { return false }
        faultCounts[fault.rawValue] += 1
        return true
    }
}
