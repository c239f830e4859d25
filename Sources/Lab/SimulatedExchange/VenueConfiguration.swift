// What a simulated venue is made of, and what it counts.

import BinanceVenue
import MarketData

/// A symbol of the venue.
package struct VenueSymbol: Hashable, Sendable {
    /// Name of the symbol.
    package var name: SymbolName
    /// Its traffic; the ids follow the profile's rule, so it must be of the venue's market.
    package var profile: TrafficProfile

    /// A symbol with this traffic.
    package init(_ name: SymbolName, _ profile: TrafficProfile) {
        self.name = name
        self.profile = profile
    }
}

/// Everything that decides what a venue does, besides its clients. Times are microseconds.
package struct VenueConfiguration: Sendable {
    /// Market of all symbols.
    package var market: Market
    /// The symbols, each once.
    package var symbols: [VenueSymbol]
    /// Seed of all draws.
    package var seed: UInt64
    /// What goes wrong from the start on.
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
    /// Snapshots change at multiples of this only: requests in between get the same state.
    package var snapshotCacheUs: Int64 = 50_000
    /// Whether a connection whose client does not answer pings in the market's time is closed.
    package var expectsPongs = false
    /// Whether depth streams run at the speeds their names say, slower ones gathering the updates between;
    /// otherwise every speed is accepted and all run at the pace of the order flow.
    package var honoursSpeeds = false
    /// Shape of the refusals of control messages: the venue documents one and shows the other.
    package var errorShape = ErrorShape.flat
    /// Share of snapshots that show the end of an update rather than a state inside of one.
    package var wholeSnapshotPerMille = 0
    /// How long a connection lives.
    package var connectionLifeUs: Int64 = 86_400_000_000
    /// How much of the past is kept for `withTruth` and for old snapshots.
    package var historyUs: Int64 = 60_000_000
    /// At most this many changes of the past are kept for each symbol (24 bytes each).
    package var historyChangeCountMax = 1 << 18
    /// A connection with more undelivered bytes is closed with code 1008.
    package var queuedBytesMax = 64 << 20
    /// Connections at a time.
    package var connectionCountMax = 256
    /// Streams of one connection.
    package var streamCountMax = 1_024

    /// A venue without faults.
    package init(market: Market, symbols: [VenueSymbol], seed: UInt64) {
        self.market = market
        self.symbols = symbols
        self.seed = seed
        dialect = .current(market)
    }
}

/// What a venue has done so far.
package struct VenueCounters: Hashable, Sendable {
    /// Updates of all symbols that were shown on the diff streams.
    package internal(set) var updateCount = 0
    /// Text frames sent, those lost on the way included.
    package internal(set) var frameCount = 0
    /// Control messages of clients, refused ones included.
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
    /// Requests during a ban that had been pronounced before.
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
