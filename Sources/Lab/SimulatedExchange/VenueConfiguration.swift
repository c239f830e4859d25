// What a simulated venue is made of, and what it counts.

import BinanceVenue
import MarketData

/// A symbol of the venue.
public struct VenueSymbol: Hashable, Sendable {
    /// Name of the symbol.
    public var name: SymbolName
    /// Its traffic; the ids follow the profile's rule, so it must be of the venue's market.
    public var profile: TrafficProfile

    /// A symbol with this traffic.
    public init(_ name: SymbolName, _ profile: TrafficProfile) {
        self.name = name
        self.profile = profile
    }
}

/// Everything that decides what a venue does, besides its clients. Times are microseconds.
public struct VenueConfiguration: Sendable {
    /// Market of all symbols.
    public var market: Market
    /// The symbols, each once.
    public var symbols: [VenueSymbol]
    /// Seed of all draws.
    public var seed: UInt64
    /// What goes wrong from the start on.
    public var faults = FaultPlan.none
    /// Virtual time of the start, since 1970.
    public var startUs: Int64 = 1_790_000_000_000_000
    /// Shapes of the messages.
    public var dialect: WireDialect
    /// From sending a frame to its arrival.
    public var streamLatencyUs: ClosedRange<Int64> = 5_000...40_000
    /// From sending a request to the arrival of its answer.
    public var requestLatencyUs: ClosedRange<Int64> = 30_000...150_000
    /// How far a snapshot lags behind the matching engine.
    public var snapshotLagUs: ClosedRange<Int64> = 0...300_000
    /// Snapshots change at multiples of this only: requests in between get the same state.
    public var snapshotCacheUs: Int64 = 50_000
    /// Whether a connection whose client does not answer pings in the market's time is closed.
    public var expectsPongs = false
    /// Whether depth streams run at the speeds their names say, slower ones gathering the events between;
    /// otherwise every speed is accepted and all run at the pace of the order flow.
    public var honoursSpeeds = false
    /// Shape of the refusals of control messages: the venue documents one and shows the other.
    public var errorShape = ErrorShape.flat
    /// Share of snapshots that show the end of an event rather than a state inside of one.
    public var wholeSnapshotPerMille = 0
    /// How long a connection lives.
    public var connectionLifeUs: Int64 = 86_400_000_000
    /// How much of the past is kept for `withTruth` and for old snapshots.
    public var historyUs: Int64 = 60_000_000
    /// At most so many changes of the past are kept for each symbol (24 bytes each).
    public var historyChangeCountMax = 1 << 18
    /// A connection with more undelivered bytes is closed with code 1008.
    public var queuedBytesMax = 64 << 20
    /// Connections at a time.
    public var connectionCountMax = 256
    /// Streams of one connection.
    public var streamCountMax = 1_024

    /// A venue without faults.
    public init(market: Market, symbols: [VenueSymbol], seed: UInt64) {
        self.market = market
        self.symbols = symbols
        self.seed = seed
        dialect = .current(market)
    }
}

/// What a venue has done so far.
public struct VenueCounters: Hashable, Sendable {
    /// Events of all symbols that were shown on the diff streams.
    public internal(set) var eventCount = 0
    /// Text frames sent, those lost on the way included.
    public internal(set) var frameCount = 0
    /// Control messages of clients, refused ones included.
    public internal(set) var controlCount = 0
    /// Control messages answered with an error.
    public internal(set) var refusalCount = 0
    /// Connections closed because their client sent too many messages a second.
    public internal(set) var floodCount = 0
    /// Connections closed because their client did not answer pings.
    public internal(set) var pongTimeoutCount = 0
    /// Requests.
    public internal(set) var requestCount = 0
    /// Requests answered 429.
    public internal(set) var limitedCount = 0
    /// Requests answered 418.
    public internal(set) var bannedCount = 0
    /// Requests during a ban that had been pronounced before.
    public internal(set) var defianceCount = 0
    private var faultCounts = Fault.allCases.map { _ in 0 }

    /// Nothing has happened.
    public init() {}

    /// How often a fault has struck.
    public subscript(fault: Fault) -> Int { faultCounts[fault.rawValue] }

    /// Decides whether a fault strikes, and counts it.
    mutating func strikes(_ fault: Fault, of plan: FaultPlan, _ random: inout SeededRandom) -> Bool {
        if !plan.strikes(fault, &random) { return false }
        faultCounts[fault.rawValue] += 1
        return true
    }
}
