// Seeded order flow of one symbol: a true book that evolves, and the diffs that a stream would show of it.
//
// An update is a list of touched prices; its diff is what the book holds at those prices in the end. Levels
// that come and go inside one update thus turn into deletes of unknown prices, and applying the diff gives
// the true book by construction. Inside an update the book passes through steps with ids of their own:
// tickers show those steps, and a snapshot may show any of them. The random draws are in
// OrderFlow+Changes.swift.
//
// Invariants
// * The book is never crossed or locked, at any step; no side has fewer than `levelCountMin` levels.
// * Ids grow from step to step; spot updates are contiguous, futures updates leave holes and carry the
//   previous id.
// * Equal profile, symbol, seed and start give equal updates for ever; nothing else is read.
//
// Worst case: a burst of 2,300 levels; each is a binary search and a move within one array.

import MarketData

/// The order flow of one symbol and its true book.
package struct OrderFlow: Sendable {
    /// The statistics drawn from.
    package let profile: TrafficProfile
    /// Name of the symbol.
    package let symbol: SymbolName
    /// The update that `advance` made last.
    package internal(set) var current = FlowUpdate()
    /// The book after the last update.
    package internal(set) var book: TrueBook
    /// What currently disturbs the flow.
    package var episode = FlowEpisode.calm
    /// Minimum number of changes of the next update, spread over the whole book; reset after it.
    package var burstLevelCount = 0
    /// New prices are multiples of this many of the profile's ticks.
    package var tickFactor: Int64 = 1

    /// No side ever gets shorter than this.
    static let levelCountMin = 25

    var isBursting: Bool { burstLevelCount > 0 }
    var random: SeededRandom
    var printed: PrintedScales
    var touchedBids: [Int64] = []
    var touchedAsks: [Int64] = []
    var previousBids: [Int64] = []
    var previousAsks: [Int64] = []
    /// The best prices that this update last touched.
    var touchedBestBid: Int64 = 0
    var touchedBestAsk: Int64 = 0
    var deletedBids = RecentPrices()
    var deletedAsks = RecentPrices()
    var wantedBids = 0
    var wantedAsks = 0
    private var activity: UInt32

    /// A flow at its initial book.
    ///
    /// - Parameters:
    ///   - startUs: virtual time of the initial book in microseconds since 1970.
    ///   - firstID: id of the initial book; nil derives it from symbol or time, following the profile's rule.
    package init(
        _ profile: TrafficProfile, symbol: SymbolName, seed: UInt64, startUs: Int64, firstID: UpdateID? = nil
    ) {
        self.profile = profile
        self.symbol = symbol
        random = SeededRandom(seed, purpose: symbol.quickHash)
        activity = random.uniform()
        printed = PrintedScales(profile.scales, extraPriceDecimals: 0, extraQuantityDecimals: 0)
        book = TrueBook(profile.scales)
        book.id = firstID ?? OrderFlow.firstID(profile.ids, symbol: symbol, startUs: startUs)
        current.last = book.id
        current.timeUs = startUs
        fillBook()
    }

    /// Id of the book's state.
    package var lastUpdateID: UpdateID { book.id }

    /// Makes the venue print more decimals than the profile has.
    package mutating func print(extraPriceDecimals: Int, extraQuantityDecimals: Int) {
        printed = PrintedScales(
            profile.scales, extraPriceDecimals: extraPriceDecimals,
            extraQuantityDecimals: extraQuantityDecimals)
    }

    /// Lets time pass without an update.
    package mutating func skip(toUs timeUs: Int64) { current.timeUs = max(current.timeUs, timeUs) }

    /// Makes the next update and copies its diff.
    package mutating func next(into update: inout DepthUpdate) {
        advance()
        copyDiff(into: &update)
    }

    /// Copies the diff of the last update, in the printed scales.
    package func copyDiff(into update: inout DepthUpdate) {
        update.reset()
        update.symbol = symbol
        update.first = current.first
        update.last = current.last
        update.previousLast = profile.market == .spot ? nil : current.previousLast
        update.eventTimeUs = current.timeUs
        update.transactionTimeUs = profile.market == .spot ? 0 : current.transactionTimeUs
        update.scales = printed.scales
        for level in current.bids { update.bids.append(printed(level)) }
        for level in current.asks { update.asks.append(printed(level)) }
    }

    /// Copies the best `limit` levels per side, in the printed scales.
    package func snapshot(limit: Int, into snapshot: inout DepthSnapshot) {
        book.copy(limit: limit, printed: printed, into: &snapshot)
        snapshot.symbol = symbol
        if profile.market != .spot {
            snapshot.eventTimeUs = current.timeUs
            snapshot.transactionTimeUs = current.transactionTimeUs
        }
    }

    /// Longest time from the first change of an update to the update.
    static let updateSpanUsMax: Int64 = 100_000

    /// Makes the next update.
    package mutating func advance() {
        let startUs = current.timeUs
        current.reset()
        swap(&previousBids, &touchedBids)
        swap(&previousAsks, &touchedAsks)
        touchedBids.removeAll(keepingCapacity: true)
        touchedAsks.removeAll(keepingCapacity: true)
        touchedBestBid = 0
        touchedBestAsk = 0
        current.timeUs = nextTimeUs(after: startUs)
        makeSteps(levelCount: drawLevelCount())
        burstLevelCount = 0
        numberSteps(startUs: startUs)
        collect(&touchedBids, .bid, into: &current.bids)
        collect(&touchedAsks, .ask, into: &current.asks)
        book.id = current.last
    }
}

// Sizes, times and ids.
extension OrderFlow {
    private mutating func nextTimeUs(after startUs: Int64) -> Int64 {
        var gapUs = profile.updateGapUs.draw(&random)
        if episode != .calm || isBursting { gapUs = min(gapUs, 200_000) }
        let grid = profile.updateGridUs
        return (startUs + gapUs + grid / 2) / grid * grid
    }

    /// Level counts come in bursts: most updates stay near the activity of the previous one.
    private mutating func drawLevelCount() -> Int {
        if random.chance(perMille: profile.persistencePerMille) {
            let step = Int64(random.uniform() &>> 3) - Int64(UInt32.max &>> 4)
            let moved = Int64(activity) + step
            let top = Int64(UInt32.max)
            activity = UInt32(moved < 0 ? -moved : moved > top ? 2 * top - moved : moved)
        } else {
            activity = random.uniform()
        }
        let drawn = max(Int(profile.levelsPerUpdate.value(at: activity)), burstLevelCount)
        switch episode {
        case .calm:
            let isThin = Side.allCases.contains { book[$0].count < wantedCount($0) * 3 / 4 }
            return isThin ? max(20, drawn) : drawn
        case .thinning: return max(40, 4 * drawn)
        case .walking: return drawn
        }
    }

    private mutating func makeSteps(levelCount: Int) {
        let isAlike = random.chance(perMille: 600)
        let tickerCount = Int(profile.tickersPerUpdate.value(at: isAlike ? activity : random.uniform()))
        let endsWithTicker = tickerCount > 0 && random.chance(perMille: 300)
        let stepCount = endsWithTicker ? tickerCount : tickerCount + 1
        let moveStep = random.below(stepCount)
        var bid = book.bids.best
        var ask = book.asks.best
        tightenSpread()
        for step in 0..<stepCount {
            if step < tickerCount { touchBest() }
            if step == moveStep { moveBest(activity: activity) }
            let quota = levelCount * (step + 1) / stepCount
            while touchedBids.count + touchedAsks.count < quota { changeLevel() }
            var made = FlowStep()
            made.changeCount = current.changes.count
            made.changesBest = bid != book.bids.best || ask != book.asks.best
            bid = book.bids.best
            ask = book.asks.best
            made.bid = bid ?? PriceLevel(0, 0)
            made.ask = ask ?? PriceLevel(0, 0)
            current.steps.append(made)
        }
    }

    /// Gives the steps their ids and times, and the update its range.
    private mutating func numberSteps(startUs: Int64) {
        let stepCount = current.steps.count
        let touchCount = touchedBids.count + touchedAsks.count
        let base = current.last.value
        current.previousLast = current.last
        // However long nothing happened, a change is shown no later than the fastest stream's interval.
        let beginUs = max(startUs, current.timeUs - OrderFlow.updateSpanUsMax)
        let delayUs = min(profile.outputDelayUs.draw(&random), (current.timeUs - beginUs) / 2)
        current.transactionTimeUs = current.timeUs - delayUs
        let spanUs = current.transactionTimeUs - beginUs
        var hole: Int64 = 0
        var span = Int64(max(touchCount + random.below(touchCount / 2 + 1), stepCount))
        if case .shared(let spans, let holes) = profile.ids {
            hole = holes.draw(&random)
            span = max(spans.draw(&random), Int64(stepCount))
        }
        current.first = UpdateID(base + 1 + hole)
        current.last = UpdateID(base + hole + span)
        for index in 0..<stepCount {
            let share = span * Int64(index + 1) / Int64(stepCount)
            current.steps[index].id = UpdateID(base + hole + share)
            current.steps[index].timeUs = beginUs + spanUs * Int64(index + 1) / Int64(stepCount)
        }
    }

    /// Turns touched prices into the levels of the diff: each once, in wire order, with the quantity that the
    /// book has now.
    private func collect(_ touched: inout [Int64], _ side: Side, into levels: inout [PriceLevel]) {
        let isDescending = profile.market == .spot && side == .bid
        if isDescending { touched.sort(by: >) } else { touched.sort() }
        var kept = 0
        for index in touched.indices where kept == 0 || touched[kept - 1] != touched[index] {
            touched[kept] = touched[index]
            kept += 1
        }
        touched.removeLast(touched.count - kept)
        book[side].append(touched, to: &levels)
    }

    private static func firstID(_ rule: UpdateIDRule, symbol: SymbolName, startUs: Int64) -> UpdateID {
        switch rule {
        case .contiguous: UpdateID(Int64(1_000_000_000 + symbol.quickHash % 50_000_000_000))
        case .shared: UpdateID(startUs / 1_000 % 100_000_000_000 * 50)
        }
    }
}
