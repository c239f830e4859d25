// What one simulated run is: everything is derived from it, so the same plan gives the same run on every
// machine.

import BinanceDepth
import BookEngine
import MarketData
import SimulatedExchange

/// One run of the whole road in virtual time.
public struct RoadPlan: Sendable {
    /// Seed of everything that is drawn.
    public var seed: UInt64
    /// Traffic of every symbol; it also decides the market.
    public var profile: TrafficProfile
    /// Number of symbols.
    public var symbolCount = 2
    /// Virtual seconds during which faults strike.
    public var faultySeconds = 120
    /// What strikes.
    public var faults = FaultPlan.all
    /// Virtual seconds after the faults end within which every symbol must be live and up to date.
    public var recoverySeconds = 240
    /// Capacity of the ring in bytes; small, so that a standing consumer overflows it.
    public var ringBytes = 1 << 20
    /// Virtual seconds a connection lives; short, so that it is renewed again and again.
    public var connectionLifeSeconds = 150
    /// Most levels a side that a book keeps.
    public var levelCountMax = 10_000
    /// A mistake to build in, nil for none.
    public var mistake: Mistake?

    /// A plan with the defaults for a profile.
    public init(seed: UInt64, profile: TrafficProfile) {
        self.seed = seed
        self.profile = profile
    }

    /// The market of the profile.
    public var market: Market { profile.market }
}

/// Mistakes that are made in real programs, each of which the checkers must notice.
public enum Mistake: String, CaseIterable, Sendable {
    /// The first event may begin one id too late.
    case firstEventOffByOne
    /// Futures continuity by `U == u + 1`, as on spot.
    case spotRuleOnFutures
    /// A gap is taken for continuity.
    case gapIgnored
    /// An event behind a gap is taken for one that is in the book already.
    case gapDiscarded
    /// A level is removed only if its quantity reads exactly "0.00000000".
    case deleteByLiteral
    /// A full buffer drops its oldest event without saying so.
    case dropsOldestBuffered
    /// Evicting levels does not move the proven range.
    case keepsProvenRange

    /// What the mistake is, for people.
    public var explanation: String {
        switch self {
        case .firstEventOffByOne: "the first event after a snapshot may begin one id too late"
        case .spotRuleOnFutures: "futures continuity judged by U == u + 1"
        case .gapIgnored: "a gap is taken for continuity"
        case .gapDiscarded: "an event behind a gap is dropped as if it were old"
        case .deleteByLiteral: "a level goes only if its quantity reads \"0.00000000\""
        case .dropsOldestBuffered: "a full buffer silently drops its oldest event"
        case .keepsProvenRange: "evicting levels does not move the proven range"
        }
    }

    /// A plan with the mistake; without it the same plan must show nothing.
    public func plan(seed: UInt64) -> RoadPlan {
        var plan = RoadPlan(seed: seed, profile: profile)
        if self == .keepsProvenRange { plan.levelCountMax = 240 }
        plan.mistake = self
        return plan
    }

    /// The profile on which it shows.
    public var profile: TrafficProfile {
        switch self {
        case .firstEventOffByOne, .keepsProvenRange: .spotAlt
        case .gapIgnored, .gapDiscarded: .spotBTC
        case .spotRuleOnFutures, .deleteByLiteral, .dropsOldestBuffered: .usdmBTC
        }
    }

    /// The mistake as the engine takes it.
    func defect(_ market: Market) -> EngineDefect {
        var defect = EngineDefect()
        let right = SequenceRule.of(market)
        switch self {
        case .firstEventOffByOne:
            defect.rule = SequenceRule(
                join: { event, id in
                    let shifted = UpdateID(id.value + 1)
                    let judged = right.join(event, shifted)
                    return event.last <= id ? .stale : judged == .stale ? .connects : judged
                }, follow: right.follow)
        case .spotRuleOnFutures:
            defect.rule = SequenceRule(
                join: right.join,
                follow: { event, id in
                    if event.last <= id { return .stale }
                    return event.first.value == id.value + 1 ? .connects : .gap
                })
        case .gapIgnored:
            defect.rule = SequenceRule(
                join: right.join,
                follow: { event, id in right.follow(event, id) == .gap ? .connects : right.follow(event, id) }
            )
        case .gapDiscarded:
            defect.rule = SequenceRule(
                join: right.join,
                follow: { event, id in right.follow(event, id) == .gap ? .stale : right.follow(event, id) })
        case .deleteByLiteral: break
        case .dropsOldestBuffered: defect.dropsOldestBuffered = true
        case .keepsProvenRange: defect.keepsProvenRangeOnEviction = true
        }
        return defect
    }
}

/// The first invariant that a run violated.
public struct Violation: Error, Hashable, Sendable, CustomStringConvertible {
    /// Virtual second of the run.
    public var second: Double
    /// Symbol it concerns, empty if none.
    public var symbol: SymbolName
    /// What was violated.
    public var what: String

    /// One line for people.
    public var description: String {
        "second \(second): \(symbol.isEmpty ? "" : "\(symbol): ")\(what)"
    }
}

/// What a run amounted to.
public struct RoadOutcome: Sendable {
    /// Virtual seconds that passed.
    public var seconds: Double = 0
    /// Frames the engine stepped.
    public var frames = 0
    /// Depth events applied to served books.
    public var applied = 0
    /// Times a live book was compared with the true one, all its proven levels.
    public var comparisons = 0
    /// Levels compared.
    public var comparedLevels = 0
    /// Times a book lost its trust.
    public var resyncs = 0
    /// Audits that were finished.
    public var audits = 0
    /// Snapshot requests sent.
    public var requests = 0
    /// Faults that struck.
    public var faults = 0
    /// Frames lost in the full ring.
    public var overflows = 0
    /// Connections dialled.
    public var dials = 0
    /// Connections replaced beside a serving one.
    public var replacements = 0
    /// Wishes to resubscribe a symbol.
    public var resubscriptions = 0
    /// Times a snapshot proved a served book to be behind.
    public var behind = 0
    /// Seconds after the end of the faults until every symbol was live and up to date.
    public var recoverySeconds: Double = 0
    /// A hash of every id at which a book was live, in order, and of the books at the end.
    public var trail: UInt64 = 0
    /// What went wrong, nil if nothing did.
    public var violation: Violation?

    /// An outcome of nothing.
    public init() {}
}

extension RoadOutcome {
    /// Adds another run's numbers to these; the trail depends on the order.
    public mutating func add(_ other: RoadOutcome) {
        seconds += other.seconds
        frames += other.frames
        applied += other.applied
        comparisons += other.comparisons
        comparedLevels += other.comparedLevels
        resyncs += other.resyncs
        audits += other.audits
        requests += other.requests
        faults += other.faults
        overflows += other.overflows
        dials += other.dials
        replacements += other.replacements
        resubscriptions += other.resubscriptions
        behind += other.behind
        trail = (trail ^ other.trail) &* 0x9E37_79B9_7F4A_7C15
    }
}
