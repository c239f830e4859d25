// One symbol as the venue keeps it: its order flow, its recent history, and its faults.

import MarketData

/// What a client missed because its depth stream was unsubscribed and subscribed again.
package struct MissedUpdate: Hashable, Sendable {
    /// The client's connection.
    package var connection: ConnectionID
    /// Id of the last update that was missed.
    package var id: UpdateID
    /// When the reply to the second request arrives.
    package var toldUs: Int64
}

/// A listed symbol.
struct VenueListing: Sendable {
    let name: SymbolName
    var flow: OrderFlow
    var history: VenueHistory
    /// The checker's cursor.
    var truth: HistoryCursor
    /// The cursor that snapshots are read from.
    var replica: HistoryCursor
    /// Step of the flow's update whose ticker is shown next; the number of steps if the diff is next.
    var nextStep = 0
    /// Id of the last update shown.
    var shownID: UpdateID
    /// Snapshot requests that still get the state of `frozenUs`.
    var frozenCount = 0
    var frozenUs: Int64 = 0
    /// Id of the last update shown when a subscription of the depth stream ended; nil if the next one has
    /// begun since.
    var unsubscribedID: UpdateID?
    /// What was shown between the two.
    var missed: MissedUpdate?
    private var random: SeededRandom
    private var episodeEndUs: Int64 = 0
    private var haltEndUs: Int64 = 0
    /// Until when subscriptions of its depth stream are refused.
    var refusingUntilUs: Int64 = 0
    private var isRescaled = false
    /// Whether old orders have one decimal more than new ones.
    private(set) var isCoarse = false
    /// The symbol's history from before the venue started over.
    private(set) var formerHistory: VenueHistory?
    private var formerTruth: HistoryCursor?
    /// Ticks of the coarser grid.
    static let coarseFactor: Int64 = 10

    /// Which subscriptions stop delivering.
    enum Ending: Hashable, Sendable {
        case nothing
        /// The subscriptions of the depth stream.
        case depth
        /// All subscriptions.
        case all
    }

    init(_ symbol: VenueSymbol, _ configuration: borrowing VenueConfiguration) {
        name = symbol.name
        flow = OrderFlow(
            symbol.profile, symbol: symbol.name, seed: configuration.seed, startUs: configuration.startUs)
        history = VenueHistory(
            flow.book, keptUs: configuration.historyUs, changeCountMax: configuration.historyChangeCountMax)
        truth = history.start
        replica = truth
        shownID = flow.lastUpdateID
        random = SeededRandom(configuration.seed, purpose: symbol.name.quickHash ^ 0x5B)
    }

    /// Makes the next update and returns when something of it is first shown.
    mutating func prepareUpdate(hasTickerListener: Bool) -> Int64 {
        flow.skip(toUs: haltEndUs)
        flow.advance()
        history.record(flow.current)
        return nextShowing(fromStep: 0, hasTickerListener: hasTickerListener)
    }

    /// Time of the next ticker from a step on, or of the diff if there is none or nobody listens.
    mutating func nextShowing(fromStep first: Int, hasTickerListener: Bool) -> Int64 {
        let count = flow.current.steps.count
        nextStep = first
        while nextStep < count && !(hasTickerListener && flow.current.steps[nextStep].changesBest) {
            nextStep += 1
        }
        return nextStep < count ? flow.current.steps[nextStep].timeUs : flow.current.timeUs
    }

    /// Begins a second.
    ///
    /// - Returns: which of the present subscriptions deliver nothing from now on.
    mutating func second(atUs timeUs: Int64, plan: FaultPlan, counters: inout VenueCounters) -> Ending {
        if plan.isNone && timeUs >= episodeEndUs {
            flow.episode = .calm
            return .nothing
        }
        if timeUs >= episodeEndUs { flow.episode = .calm }
        if counters.strikes(.halt, of: plan, &random) {
            haltEndUs = timeUs + random.within(5_000_000...60_000_000)
        }
        if counters.strikes(.thin, of: plan, &random) {
            flow.episode = .thinning
            episodeEndUs = timeUs + random.within(5_000_000...20_000_000)
        }
        if counters.strikes(.walk, of: plan, &random) {
            flow.episode = .walking(towards: random.chance(perMille: 500) ? .bid : .ask)
            episodeEndUs = timeUs + random.within(10_000_000...40_000_000)
        }
        if counters.strikes(.burst, of: plan, &random) { flow.burstLevelCount = 2_500 }
        let fades = counters.strikes(.fade, of: plan, &random)
        if counters.strikes(.rescale, of: plan, &random) {
            isRescaled.toggle()
            flow.tickFactor = isRescaled ? 5 : 1
            flow.print(
                extraPriceDecimals: isRescaled ? 1 : 0,
                extraQuantityDecimals: isRescaled && random.chance(perMille: 500) ? 1 : 0)
        }
        if counters.strikes(.coarse, of: plan, &random) {
            isCoarse.toggle()
            flow.tickFactor = isCoarse ? VenueListing.coarseFactor : 1
        }
        if counters.strikes(.dark, of: plan, &random) { return .all }
        return fades ? .depth : .nothing
    }

    /// Lets nothing happen before a time.
    mutating func halt(untilUs: Int64) { haltEndUs = max(haltEndUs, untilUs) }

    /// Starts over: another book and other ids, at a small number or a little below the last one.
    mutating func restart(atUs timeUs: Int64, seed: UInt64, _ configuration: borrowing VenueConfiguration) {
        formerHistory = history
        formerTruth = truth
        let oldID = flow.lastUpdateID.value
        // Usually so near that an update of the first minute spans the old id.
        let distance = [30, 100, 1_000, 100_000][random.below(4)]
        let isNear = random.chance(perMille: 800)
        let id = isNear ? oldID - 1 - Int64(random.below(distance)) : 1_000 + Int64(random.below(1_000_000))
        let factor = flow.tickFactor
        flow = OrderFlow(
            flow.profile, symbol: name, seed: seed, startUs: timeUs, firstID: UpdateID(max(id, 1)))
        flow.tickFactor = factor
        flow.print(extraPriceDecimals: isRescaled ? 1 : 0, extraQuantityDecimals: 0)
        history = VenueHistory(
            flow.book, keptUs: configuration.historyUs, changeCountMax: configuration.historyChangeCountMax)
        truth = history.start
        replica = truth
        shownID = flow.lastUpdateID
        frozenCount = 0
        (unsubscribedID, missed) = (nil, nil)
    }

    /// Calls `body` with the book at an id from before the venue started over; nil if that id is unknown.
    mutating func formerBook<R>(at id: UpdateID, _ body: (borrowing TrueBook) -> R) -> R? {
        guard let formerHistory, var cursor = formerTruth else { return nil }
        guard formerHistory.move(&cursor, to: id) else { return nil }
        formerTruth = cursor
        return body(cursor.book)
    }
}
