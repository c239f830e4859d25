// What one simulated run is: everything is derived from it, so the same plan gives the same run on every
// machine.

import BinanceVenue
import BookEngine
import MarketData
import SimulatedExchange

/// One run of the whole pipeline in virtual time.
public struct PipelinePlan: Sendable {
    /// Seed of everything that is drawn.
    public var seed: UInt64
    /// Traffic of every symbol; it also decides the market.
    public var profile: TrafficProfile
    /// Number of symbols.
    public var symbolCount = 2
    /// Virtual seconds during which faults strike.
    public var faultySeconds = 120
    /// What strikes.
    public var faults = FaultPlan.everything
    /// Virtual seconds after the faults end within which every symbol must be live and up to date.
    public var recoverySeconds = 240
    /// Capacity of the ring in bytes; small, so that a standing consumer overflows it.
    public var ringBytes = 1 << 20
    /// Virtual seconds a connection lives; short, so that it is renewed again and again.
    public var connectionLifeSeconds = 150
    /// Most levels a side that a book keeps.
    public var levelCountMax = 10_000
    /// Every tenth symbol has this traffic instead; nil: none has.
    public var busyProfile: TrafficProfile?
    /// A deepening is requested below so many proven levels; 0: never.
    public var provenLevelCountMin = 40
    /// Virtual seconds between two audits of a symbol.
    public var auditEverySeconds = 30
    /// Share of snapshots that show the end of an event rather than a state inside of one.
    public var wholeSnapshotPerMille = 0
    /// How far snapshots lag behind the matching engine, at most, in milliseconds.
    public var snapshotLagMs = 300
    /// Whether a replica runs beside the engine, over a tap with a small ring.
    public var hasReplica = false
    /// What is checked.
    public var invariants = Invariant.all
    /// A mistake to build in, nil for none.
    public var mistake: Mistake?
    /// A trouble to measure, nil for none.
    var trouble: Trouble?

    /// A plan with the defaults for a profile.
    public init(seed: UInt64, profile: TrafficProfile) {
        self.seed = seed
        self.profile = profile
    }

    /// The market of the profile.
    public var market: Market { profile.market }

    /// A whole market of so many quiet symbols, one in ten of them busy, for `seconds` virtual seconds.
    public static func market(seed: UInt64, symbolCount: Int, seconds: Int) -> PipelinePlan {
        var plan = PipelinePlan(seed: seed, profile: .spotAlt)
        plan.symbolCount = symbolCount
        plan.busyProfile = .spotBTC
        plan.faultySeconds = seconds
        plan.faults = .none
        plan.ringBytes = 1 << 24
        plan.auditEverySeconds = 600
        plan.connectionLifeSeconds = 3600
        return plan
    }

    /// Bytes that all buffers of an engine may hold together.
    var bufferedBytesMax: Int { min(symbolCount * 2 * PipelinePlan.bufferBytesMax, 64 << 20) }
    /// Bytes that one buffer may hold.
    static var bufferBytesMax: Int { 256 << 10 }

    /// The traffic of a symbol.
    func profile(ofSymbol index: Int) -> TrafficProfile {
        index % 10 == 9 ? busyProfile ?? profile : profile
    }
}
