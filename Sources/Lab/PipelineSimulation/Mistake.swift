// Mistakes made in real programs, built in on purpose: a checker that cannot fail is worth nothing. Some are
// in the engine (`EngineDefect`), some before it, in the feed, the planner or the configuration.

import BinanceVenue
import BookEngine
import BookSync
import MarketData
import SimulatedExchange

/// Mistakes made in real programs, each of which the checkers must notice.
package enum Mistake: String, CaseIterable, Sendable {
    /// The first update may begin one id too late.
    case firstUpdateOffByOne
    /// Futures continuity by `U == u + 1`, as on spot.
    case spotRuleOnFutures
    /// A gap is taken for continuity.
    case gapIgnored
    /// An update after a gap is taken for one that is already in the book.
    case gapDiscarded
    /// A level is removed only if its quantity reads exactly "0.00000000".
    case deleteByLiteral
    /// A full buffer silently drops its oldest update.
    case dropsOldestBuffered
    /// Evicting levels does not move the proven range.
    case keepsProvenRange
    /// A message that cannot be read makes no book stale.
    case unreadableIgnored
    /// A book is live although its best price is not proven.
    case unprovenBelieved
    /// Tickers and partial depths ahead of the book prove nothing.
    case evidenceIgnored
    /// A book that becomes the served one is not checked.
    case promotedUnchecked
    /// A planned renewal hands over books of which the new connection has not delivered anything.
    case unseenHandedOver
    /// A book from before a reconnect is joined by its id alone.
    case joinedByIdsAlone
    /// A snapshot with exactly the book's id is not compared.
    case equalIdUnaudited
    /// What an audit finds has no effect.
    case auditIgnored
    /// A message lost before the ring makes no book stale.
    case droppedIgnored
    /// The book stays live however late updates arrive.
    case lagIgnored
    /// A busy connection that falls silent makes no book stale.
    case silenceIgnored
    /// A ticker that contradicts the book at its id is only counted.
    case contradictionIgnored
    /// Any jump of the last id is believed.
    case absurdBelieved
    /// A loss of trust is published only with the next update or look.
    case publishesLate
    /// Tickers are read with one digit too many.
    case misreadsTickers
    /// Snapshots for audits get a later id than their own.
    case futureAudits
    /// Buffers are unbounded.
    case unboundedBuffers
    /// Connections that were replaced are not closed.
    case keepsConnections
    /// Answers of the venue are lost on their way to the engine.
    case losesAnswers
    /// Nobody checks why a stream is silent.
    case neverAsks
    /// A copy for a replica claims to be complete.
    case copiesClaimAll
    /// A book whose stream is unsubscribed and resubscribed stays live meanwhile.
    case resubscribedBelieved
    /// Where ids advance without the symbol, tickers that differ from the book for long prove nothing.
    case contraryIgnored
    /// A book that is given up does not remember how far its stream had come.
    case passedForgotten
    /// A stream that the venue refused is taken for a quiet one.
    case refusedBelieved
    /// Updates on an older connection beside the book's prove nothing.
    case olderConnectionIgnored
    /// A message under two names belongs to the symbol that it names itself.
    case misnamedBelieved

    /// The mistake in words.
    package var explanation: String {
        switch self {
        case .firstUpdateOffByOne: "the first update after a snapshot may begin one id too late"
        case .spotRuleOnFutures: "futures continuity judged by U == u + 1"
        case .gapIgnored: "a gap is taken for continuity"
        case .gapDiscarded: "an update behind a gap is dropped as if it were old"
        case .deleteByLiteral: "a level goes only if its quantity reads \"0.00000000\""
        case .dropsOldestBuffered: "a full buffer silently drops its oldest update"
        case .keepsProvenRange: "evicting levels does not move the proven range"
        case .unreadableIgnored: "an unreadable message costs no trust"
        case .unprovenBelieved: "a book is live though its best price is unproven"
        case .evidenceIgnored: "tickers ahead of a book prove nothing"
        case .promotedUnchecked: "a new book is served unchecked"
        case .unseenHandedOver: "a renewal hands over books it has shown nothing of"
        case .joinedByIdsAlone: "a book is joined to a new stream by its id alone"
        case .equalIdUnaudited: "a snapshot at the book's very id is not compared"
        case .auditIgnored: "what an audit finds changes nothing"
        case .droppedIgnored: "a message lost before the ring costs no trust"
        case .lagIgnored: "however late updates come, the book is live"
        case .silenceIgnored: "a busy connection that falls silent costs no trust"
        case .contradictionIgnored: "a ticker that contradicts the book is only counted"
        case .absurdBelieved: "any jump of an id is believed"
        case .publishesLate: "a loss of trust is published with the next update"
        case .misreadsTickers: "tickers are read with a digit too much"
        case .futureAudits: "snapshots of audits get a later id"
        case .unboundedBuffers: "buffers are as long as they like"
        case .keepsConnections: "replaced connections are not closed"
        case .losesAnswers: "answers are lost on the way to the engine"
        case .neverAsks: "nobody asks why a stream is silent"
        case .copiesClaimAll: "a replica's copies claim to be complete"
        case .resubscribedBelieved: "a resubscription costs no trust"
        case .contraryIgnored: "futures tickers that differ for long prove nothing"
        case .passedForgotten: "a new book may be older than the one given up"
        case .refusedBelieved: "a refused stream is taken for a quiet one"
        case .olderConnectionIgnored: "updates on an older connection prove nothing"
        case .misnamedBelieved: "a message under two names belongs to the one inside"
        }
    }

    /// The invariant that shows the mistake; for each invariant there is a mistake that nothing else shows.
    package var invariant: Invariant {
        switch self {
        case .firstUpdateOffByOne, .gapIgnored, .deleteByLiteral, .dropsOldestBuffered, .keepsProvenRange,
            .joinedByIdsAlone, .absurdBelieved:
            .levels
        case .spotRuleOnFutures: .recovery
        case .gapDiscarded: .handed
        case .unreadableIgnored, .misnamedBelieved: .unreadable
        case .unprovenBelieved: .best
        case .evidenceIgnored: .ahead
        case .promotedUnchecked: .crossed
        case .unseenHandedOver: .handover
        case .equalIdUnaudited: .recovery
        case .auditIgnored: .audit
        case .droppedIgnored: .dropped
        case .lagIgnored: .lagging
        case .silenceIgnored: .silent
        case .contradictionIgnored: .contradicted
        case .publishesLate: .shown
        case .misreadsTickers: .alarms
        case .futureAudits: .behind
        case .unboundedBuffers: .buffers
        case .keepsConnections: .terms
        case .losesAnswers: .recovery
        case .neverAsks: .age
        case .copiesClaimAll: .replica
        case .resubscribedBelieved: .missed
        case .contraryIgnored: .ahead
        case .passedForgotten: .handed
        case .refusedBelieved: .carried
        case .olderConnectionIgnored: .handed
        }
    }
}

extension Mistake {
    /// A plan with the mistake, under the faults that bring it out; without the mistake the same plan must
    /// show nothing.
    package func plan(seed: UInt64) -> PipelinePlan {
        var plan = PipelinePlan(seed: seed, profile: profile)
        plan.mistake = self
        if self == .keepsProvenRange { plan.levelCountMax = 240 }
        if rawFaults.isEmpty { return plan }
        plan.faults = .none
        for (fault, rate) in rawFaults { plan.faults[fault] = rate }
        plan.invariants = Invariant.all
        switch self {
        case .unprovenBelieved: plan.provenLevelCountMin = 0
        case .unseenHandedOver, .keepsConnections: plan.connectionLifeSeconds = 40
        case .neverAsks, .resubscribedBelieved: plan.faultySeconds = 400
        case .unboundedBuffers: plan.faultySeconds = 300
        default: break
        }
        plan.hasReplica = self == .copiesClaimAll
        let needsAudits: [Mistake] = [.equalIdUnaudited, .auditIgnored, .passedForgotten]
        if needsAudits.contains(self) { plan.auditEverySeconds = 15 }
        return plan
    }

    /// Whether, in this plan of its own, it is caught by its own invariant and by no other.
    package func isSeenAlone(in plan: PipelinePlan) throws -> Bool {
        var alone = plan
        alone.invariants = [invariant]
        if try Pipeline(alone).run().violation == nil { return false }
        var others = plan
        others.invariants.remove(invariant)
        return try Pipeline(others).run().violation == nil
    }

    /// The faults that bring it out, with their rates; empty: the faults of every plan do.
    private var rawFaults: [(Fault, Int64)] {
        switch self {
        case .firstUpdateOffByOne, .spotRuleOnFutures, .gapIgnored, .gapDiscarded, .deleteByLiteral,
            .dropsOldestBuffered, .keepsProvenRange:
            []
        case .misnamedBelieved: [(.swapped, 3_000_000)]
        case .unreadableIgnored: [(.unreadable, 3_000_000), (.garbled, 1_000_000)]
        case .unprovenBelieved: [(.walk, 50_000_000)]
        case .evidenceIgnored: [(.fade, 20_000_000)]
        case .promotedUnchecked: [(.crossed, 400_000_000), (.lost, 5_000_000)]
        case .unseenHandedOver: [(.idle, 200_000_000)]
        case .joinedByIdsAlone: [(.restart, 20_000_000)]
        case .equalIdUnaudited, .auditIgnored:
            [(.contradict, 300_000_000), (.whole, FaultPlan.certain)]
        case .droppedIgnored, .publishesLate: [(.drop, 10_000_000)]
        case .lagIgnored: [(.lag, 10_000_000)]
        case .silenceIgnored: [(.hollow, 10_000_000)]
        case .contradictionIgnored: [(.contradict, 500_000_000), (.lost, 5_000_000)]
        case .absurdBelieved: [(.absurd, 3_000_000)]
        case .keepsConnections, .copiesClaimAll: [(.lost, 1_000_000)]
        case .misreadsTickers, .futureAudits: [(.lost, 1_000_000)]
        case .losesAnswers: [(.lost, 20_000_000)]
        case .unboundedBuffers: [(.ban, 50_000_000), (.lost, 20_000_000)]
        case .neverAsks: [(.dark, 20_000_000)]
        case .resubscribedBelieved:
            [(.between, FaultPlan.certain), (.fail, FaultPlan.certain / 2), (.halt, 50_000_000)]
        case .contraryIgnored: [(.fade, 20_000_000)]
        case .passedForgotten:
            [(.contradict, 300_000_000), (.whole, FaultPlan.certain), (.frozen, 300_000_000)]
        case .refusedBelieved: [(.refuse, 500_000_000)]
        case .olderConnectionIgnored: [(.stall, 100_000_000), (.expire, 20_000_000)]
        }
    }

    /// The profile in which it shows.
    package var profile: TrafficProfile {
        switch self {
        case .firstUpdateOffByOne, .keepsProvenRange, .promotedUnchecked, .evidenceIgnored, .droppedIgnored,
            .neverAsks, .joinedByIdsAlone, .lagIgnored, .contradictionIgnored, .misreadsTickers,
            .futureAudits, .keepsConnections, .losesAnswers, .unseenHandedOver, .copiesClaimAll,
            .resubscribedBelieved, .publishesLate, .passedForgotten, .refusedBelieved,
            .olderConnectionIgnored, .misnamedBelieved:
            .spotAlt
        case .gapIgnored, .gapDiscarded, .unprovenBelieved: .spotBTC
        case .spotRuleOnFutures, .deleteByLiteral, .dropsOldestBuffered, .unreadableIgnored, .silenceIgnored,
            .absurdBelieved, .unboundedBuffers, .contraryIgnored:
            .usdmBTC
        case .equalIdUnaudited, .auditIgnored: Mistake.sleepy
        }
    }

    /// Minutes between two updates: what an audit finds is not repaired by the next update.
    private static let sleepy: TrafficProfile = {
        var profile = TrafficProfile.spotAlt
        profile.name = "sleepy"
        profile.updateGapUs = QuantileTable(even: 100_000_000...200_000_000)
        return profile
    }()

    /// Changes the configuration according to the mistake.
    func change(_ configuration: inout EngineConfiguration) {
        switch self {
        case .contradictionIgnored: configuration.mismatchPolicy = .count
        case .unboundedBuffers: configuration.bufferBytesMax = 1 << 30
        case .neverAsks:
            configuration.auditEveryNs = 0
            configuration.firstEventNsMax = .max / 4
            configuration.silenceNsMin = .max / 4
            configuration.silenceNsMax = .max / 2
        default: break
        }
    }

    /// The sequence rule with the mistake in it; the right rule for all other mistakes.
    func rule(_ right: SequenceRule) -> SequenceRule {
        switch self {
        case .firstUpdateOffByOne:
            SequenceRule(
                join: { update, id in
                    let shifted = UpdateID(id.value + 1)
                    let judged = right.join(update, shifted)
                    return update.last <= id ? .stale : judged == .stale ? .connects : judged
                }, follow: right.follow)
        case .spotRuleOnFutures:
            SequenceRule(
                join: right.join,
                follow: { update, id in
                    if update.last <= id { return .stale }
                    return update.first.value == id.value + 1 ? .connects : .gap
                })
        case .gapIgnored:
            SequenceRule(
                join: right.join,
                follow: { update, id in
                    right.follow(update, id) == .gap ? .connects : right.follow(update, id)
                }
            )
        case .gapDiscarded:
            SequenceRule(
                join: right.join,
                follow: { update, id in right.follow(update, id) == .gap ? .stale : right.follow(update, id) }
            )
        default: right
        }
    }

    /// The mistake as a defect of the engine.
    var defect: EngineDefect {
        var defect = EngineDefect()
        switch self {
        case .dropsOldestBuffered: defect.dropsOldestBuffered = true
        case .keepsProvenRange: defect.keepsProvenRangeOnEviction = true
        case .unreadableIgnored: defect.ignoresUnreadable = true
        case .unprovenBelieved: defect.believesUnprovenBest = true
        case .evidenceIgnored: defect.ignoresEvidenceAhead = true
        case .promotedUnchecked: defect.promotesUnchecked = true
        case .unseenHandedOver: defect.handsOverUnseen = true
        case .joinedByIdsAlone: defect.joinsByIdsAlone = true
        case .equalIdUnaudited: defect.skipsEqualIDAudit = true
        case .auditIgnored: defect.ignoresAudits = true
        case .droppedIgnored: defect.ignoresDropped = true
        case .publishesLate: defect.publishesLate = true
        case .lagIgnored: defect.ignoresLag = true
        case .silenceIgnored: defect.ignoresSilentConnection = true
        case .contradictionIgnored: defect.ignoresContradiction = true
        case .absurdBelieved: defect.believesAbsurdIDs = true
        case .neverAsks: defect.ignoresEvidenceAhead = true
        case .copiesClaimAll: defect.copiesClaimAll = true
        case .resubscribedBelieved: defect.believesResubscribed = true
        case .contraryIgnored: defect.ignoresContrary = true
        case .passedForgotten: defect.forgetsPassed = true
        case .refusedBelieved: defect.believesRefused = true
        case .olderConnectionIgnored: defect.ignoresOlderConnection = true
        case .misnamedBelieved: defect.believesMisnamed = true
        default: break
        }
        return defect
    }
}
