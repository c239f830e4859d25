// The plan of one simulated run: everything is derived from it, so the same plan gives the same run on every
// machine.

import BinanceVenue
import BookEngine
import MarketData
import SimulatedExchange

/// One run of the whole pipeline in virtual time.
package struct PipelinePlan: Sendable {
    /// Seed of all random draws.
    package var seed: UInt64
    /// Traffic of every symbol; it also decides the market.
    package var profile: TrafficProfile
    /// Number of symbols.
    package var symbolCount = 2
    /// Virtual seconds during which faults strike.
    package var faultySeconds = 120
    /// The faults.
    package var faults = FaultPlan.everything
    /// Virtual seconds after the faults end within which every symbol must be live and up to date.
    package var recoverySeconds = 240
    /// Capacity of the ring in bytes; small, so that a stalled consumer makes it overflow.
    package var ringBytes = 1 << 20
    /// Lifetime of a connection in virtual seconds; short, so that it is renewed again and again.
    package var connectionLifeSeconds = 150
    /// Maximum number of levels per side of a book.
    package var levelCountMax = 10_000
    /// Traffic of every tenth symbol; nil: none differs.
    package var busyProfile: TrafficProfile?
    /// A deepening is requested below this many proven levels; 0: never.
    package var provenLevelCountMin = 40
    /// Virtual seconds between two audits of a symbol.
    package var auditEverySeconds = 30
    /// Share of snapshots that show the end of an update rather than a state inside one.
    package var wholeSnapshotPerMille = 0
    /// Maximum lag of snapshots behind the matching engine, in milliseconds.
    package var snapshotLagMs = 300
    /// Whether a replica runs beside the engine, over a tap with a small ring.
    package var hasReplica = false
    /// What is checked.
    package var invariants = Invariant.all
    /// A mistake to build in, nil for none.
    package var mistake: Mistake?
    /// The fault to measure; nil for none.
    var measured: MeasuredFault?

    /// A plan with the defaults for a profile.
    package init(seed: UInt64, profile: TrafficProfile) {
        self.seed = seed
        self.profile = profile
    }

    /// The market of the profile.
    package var market: Market { profile.market }

    /// A whole market of `symbolCount` quiet symbols, one in ten of them busy, for `seconds` virtual seconds.
    package static func market(seed: UInt64, symbolCount: Int, seconds: Int) -> PipelinePlan {
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
