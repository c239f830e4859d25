// How long readers are misled: one fault at a time, with the virtual time from its beginning to the moment at
// which the book is not live, and from there to the moment at which it is live again.
//
// The beginning is the moment from which the published book differs from the venue's: the first change that
// readers do not get, the message that is lost. What misleads nobody counts as noticed at once.

import BookEngine
import DepthBook
import LobHandoff
import MarketData
import SimulatedExchange

/// A kind of fault to measure.
package enum MeasuredFault: String, CaseIterable, Sendable {
    /// An update cannot be read.
    case unreadable
    /// An update is lost before the ring, and the symbol is silent afterwards.
    case dropped
    /// A snapshot is crossed.
    case crossed
    /// A ticker contradicts the book.
    case contradicted
    /// The depth stream dies while tickers continue.
    case streamDead
    /// All streams of the symbol die.
    case allDead
    /// The whole connection is silent.
    case connectionSilent
    /// The whole connection is silent, and answers pings.
    case connectionHollow
    /// The link is slower than the stream.
    case lagging
    /// A level of the book is wrong.
    case corrupted
    /// The venue's ids start over.
    case idsRestarted
    /// A renewal leads to a stream that is accepted and stays silent.
    case silentRenewal

    /// What happens, in words.
    package var explanation: String {
        switch self {
        case .unreadable: "an update cannot be read"
        case .dropped: "an update is lost before the ring"
        case .crossed: "a snapshot is crossed"
        case .contradicted: "a ticker contradicts the book"
        case .streamDead: "the depth stream dies, tickers come"
        case .allDead: "all its streams die, audits every 30 s"
        case .connectionSilent: "a busy connection is silent"
        case .connectionHollow: "the same, and answers pings"
        case .lagging: "the link is slower than the stream"
        case .corrupted: "a level is wrong, audits every 30 s"
        case .idsRestarted: "the venue begins its ids anew"
        case .silentRenewal: "a renewal leads to a silent stream"
        }
    }

    /// Virtual seconds within which it must be noticed; nil if nothing is promised.
    package var boundSeconds: Double {
        switch self {
        case .unreadable, .dropped, .crossed, .contradicted: 0
        case .streamDead: 2.5
        case .connectionSilent, .connectionHollow: 3.5
        case .lagging: 5.75
        case .corrupted: 65
        case .allDead: 150
        // What the old connection delivers beside it is noticed at once; a symbol that was silent on both, by
        // its usual pace.
        case .silentRenewal: 30
        case .idsRestarted: 1
        }
    }

    /// The underlying fault; nil if the fault is made by hand.
    var fault: Fault? {
        switch self {
        case .unreadable: .unreadable
        case .dropped: .drop
        case .crossed: .crossed
        case .contradicted: nil
        case .streamDead: .fade
        case .allDead: .dark
        case .connectionSilent: .vanish
        case .connectionHollow: .hollow
        case .lagging: .lag
        case .corrupted: .contradict
        case .idsRestarted: .restart
        case .silentRenewal: .idle
        }
    }

    /// The plan that measures it.
    func plan(seed: UInt64) -> PipelinePlan {
        let isBusy = [.connectionSilent, .connectionHollow, .lagging].contains(self)
        var plan = PipelinePlan(seed: seed, profile: isBusy ? .spotBTC : .spotAlt)
        plan.symbolCount = 1
        plan.faultySeconds = 900
        plan.recoverySeconds = 1
        plan.faults = .none
        plan.connectionLifeSeconds = self == .silentRenewal ? 80 : 3600
        plan.invariants = []
        plan.measured = self
        return plan
    }

    /// Measures it in one run.
    package func measure(seed: UInt64) throws -> Notice {
        try Pipeline(plan(seed: seed)).run().notice ?? Notice()
    }
}

/// The times of a measured fault in a run, in microseconds of virtual time; nil: that did not happen.
package struct Notice: Sendable {
    /// When readers began to be misled.
    package internal(set) var beganUs: Int64?
    /// When the book was no longer live.
    package internal(set) var noticedUs: Int64?
    /// When it was live again.
    package internal(set) var endedUs: Int64?
    /// When the fault struck.
    package internal(set) var struckUs: Int64?

    /// Nothing has happened.
    package init() {}

    /// From the beginning to the moment it was noticed; nil if it never was.
    package var delayUs: Int64? {
        guard let noticedUs else { return nil }
        return max(0, noticedUs - (beganUs ?? noticedUs))
    }

    /// From the moment it was noticed to a live book; nil if there was none.
    package var mendUs: Int64? {
        guard let noticedUs, let endedUs else { return nil }
        return endedUs - noticedUs
    }
}

extension Pipeline {
    /// Virtual seconds before the fault begins.
    private var calmUs: Int64 {
        switch plan.measured {
        case .crossed, .corrupted: 0
        case .silentRenewal: 20_000_000
        default: 40_000_000 + Int64(plan.seed % 20) * 1_000_000
        }
    }

    /// Whether tickers are read wrong at the moment.
    var isDistorting: Bool {
        plan.measured == .contradicted && outcome.notice?.struckUs != nil && outcome.notice?.noticedUs == nil
    }

    /// From now on readers are misled.
    func beginFault(_ index: Int, atUs: Int64) {
        if outcome.notice?.beganUs == nil { outcome.notice?.beganUs = atUs }
        // Within this step, not after it, when the faults are counted: it may be noticed in this step.
        if outcome.notice?.struckUs == nil { outcome.notice?.struckUs = atUs }
    }

    /// A wrong level has been repaired, whether readers were warned or not.
    func mendFault(atUs: Int64) {
        guard outcome.notice?.beganUs != nil, outcome.notice?.noticedUs == nil else { return }
        outcome.notice?.noticedUs = atUs
        outcome.notice?.endedUs = atUs
    }

    /// Makes the fault strike, once; true if there is nothing more to measure.
    func faultIsOver() -> Bool {
        guard let measured = plan.measured else { return false }
        if outcome.notice == nil { outcome.notice = Notice() }
        let sinceUs = venue.nowUs - venue.configuration.startUs
        if outcome.notice!.noticedUs != nil {
            venue.faults = .none
        } else if sinceUs >= calmUs {
            guard let fault = measured.fault else {
                if outcome.notice!.struckUs == nil {
                    outcome.notice!.struckUs = venue.nowUs
                    // What came before was read correctly.
                    for index in symbols.indices { checker.symbols[index].tickerID = nil }
                }
                return false
            }
            let hasStruck = venue.counters[fault] > 0
            if hasStruck && outcome.notice!.struckUs == nil { outcome.notice!.struckUs = venue.nowUs }
            let isRepeated = [.unreadable, .crossed, .corrupted].contains(measured)
            venue.faults[fault] = hasStruck && !isRepeated ? 0 : FaultPlan.certain
            if measured == .corrupted && outcome.notice!.beganUs != nil { venue.faults = .none }
        }
        return outcome.notice!.endedUs != nil
    }

    /// Follows the fault through a frame.
    func followFault(_ index: Int, isLive: Bool, _ frame: SteppedFrame) {
        guard let measured = plan.measured, var notice = outcome.notice, let struckUs = notice.struckUs else {
            return
        }
        defer { outcome.notice = notice }
        if notice.noticedUs != nil {
            if isLive && notice.endedUs == nil { notice.endedUs = frame.atUs }
            return
        }
        switch measured {
        case .unreadable:
            if frame.kind == .message && frame.isRefused && frame.facts.mayBeDepth && notice.beganUs == nil {
                notice.beganUs = frame.atUs
            }
            if notice.beganUs == nil { return }
        case .contradicted:
            let id = checker.symbols[index].view.lastUpdateID.value
            if checker.symbols[index].tickerID == id && notice.beganUs == nil { notice.beganUs = frame.atUs }
            if notice.beganUs == nil && isLive { return }
        case .dropped, .corrupted: if notice.beganUs == nil { return }
        case .crossed:
            let view = checker.symbols[index].view
            let isCrossed = view.bestBid.map { bid in view.bestAsk.map { bid.price >= $0.price } ?? false }
            if isLive && isCrossed == true && notice.beganUs == nil { notice.beganUs = frame.atUs }
            // Nobody is misled before the book is published.
            if notice.beganUs == nil {
                if frame.kind == .depthSnapshot && !isLive { notice.noticedUs = frame.atUs }
                return
            }
        case .streamDead, .allDead, .connectionSilent, .connectionHollow, .lagging, .silentRenewal:
            let id = checker.symbols[index].view.lastUpdateID
            let changedUs = venue.changedUs(of: symbols[index], after: id) ?? frame.atUs
            if !isLive { notice.beganUs = max(changedUs, struckUs) }
        case .idsRestarted: notice.beganUs = restartedUs
        }
        if !isLive { notice.noticedUs = frame.atUs }
    }
}
