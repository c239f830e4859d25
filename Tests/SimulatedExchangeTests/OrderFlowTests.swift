// The order flow against the sessions it imitates, against a naive book, and against itself.

import MarketData
import SimulatedExchange
import Testing

private let startUs: Int64 = 1_790_000_000_000_000

extension TrueBook {
    /// Whether the best bid is below the best ask.
    var isUncrossed: Bool {
        guard let bid = bids.best, let ask = asks.best else { return true }
        return bid.price < ask.price
    }
}

private func flow(_ profile: TrafficProfile, seed: UInt64 = 1) -> OrderFlow {
    OrderFlow(profile, symbol: SymbolName("BTCUSDT"), seed: seed, startUs: startUs)
}

extension TrafficProfile: CustomTestStringConvertible {
    /// The name, in test output.
    public var testDescription: String { name }
}

/// What one captured session shows; shares in percent of level updates unless they are of updates.
struct Session: Sendable, CustomTestStringConvertible {
    var testDescription: String { profile.name }
    let profile: TrafficProfile
    let updateCount: Int
    let delete: Double
    let unheld: Double
    let insert: Double
    let again: Double
    let oneSidedUpdates: Double
    let movedUpdates: Double
    let tickersPerUpdate: Double
    let top: [Int: Double]
    /// Percentiles 50, 90 and 95.
    let levels: [Int]
    /// Percentiles 25, 50 and 75.
    let distance: [Int64]
    /// Percentiles 50 and 95, in milliseconds.
    let gapMs: [Int64]
    let idSpan: Int64

    static let all: [Session] = [
        Session(
            profile: .spotBTC, updateCount: 1_000, delete: 47.3, unheld: 9.0, insert: 39.9, again: 14.2,
            oneSidedUpdates: 3.5, movedUpdates: 8.0, tickersPerUpdate: 8.2,
            top: [1: 6.8, 5: 13.5, 10: 19.4, 20: 27.2, 50: 39.9, 100: 53.6], levels: [16, 69, 135],
            distance: [699, 2_528, 8_426], gapMs: [100, 101], idSpan: 19),
        Session(
            profile: .spotAlt, updateCount: 2_000, delete: 2.2, unheld: 0.19, insert: 2.0, again: 19.7,
            oneSidedUpdates: 84.6, movedUpdates: 3.7, tickersPerUpdate: 0.49,
            top: [1: 17.5, 5: 59.0, 10: 74.6, 20: 86.5, 50: 95.8, 100: 98.9], levels: [1, 4, 6],
            distance: [1, 3, 10], gapMs: [400, 5_702], idSpan: 1),
        Session(
            profile: .usdmBTC, updateCount: 700, delete: 20.3, unheld: 4.0, insert: 19.0, again: 17.7,
            oneSidedUpdates: 0.08, movedUpdates: 6.5, tickersPerUpdate: 9.6,
            top: [1: 3.3, 5: 5.6, 10: 8.2, 20: 12.1, 50: 21.0, 100: 32.2], levels: [35, 130, 218],
            distance: [155, 361, 854], gapMs: [52, 55], idSpan: 2_939),
        Session(
            profile: .coinm, updateCount: 2_000, delete: 42.5, unheld: 14.3, insert: 28.5, again: 21.5,
            oneSidedUpdates: 28.5, movedUpdates: 1.2, tickersPerUpdate: 0.602,
            top: [1: 14.6, 5: 20.2, 10: 26.7, 20: 36.9, 50: 55.0, 100: 72.3], levels: [5, 19, 29],
            distance: [62, 185, 491], gapMs: [10, 22], idSpan: 51),
    ]
}

@Test(arguments: Session.all)
func flowResemblesItsSession(session: Session) {
    let seed: UInt64 = 20_240_809
    var flow = flow(session.profile, seed: seed)
    var update = DepthUpdate()
    var snapshot = DepthSnapshot()
    for _ in 0..<60 { flow.advance() }
    flow.snapshot(limit: 1_000, into: &snapshot)
    var seen = TrafficStatistics(snapshot, tick: session.profile.tick)
    for _ in 0..<session.updateCount {
        flow.next(into: &update)
        seen.count(update, tickers: flow.current.steps.count { $0.changesBest })
    }
    let note = Comment(rawValue: "\(session.profile.name), seed \(seed)\n\(seen.summary)")
    #expect(abs(seen.share(seen.deletes) - session.delete) < 4, note)
    #expect(abs(seen.share(seen.unheld) - session.unheld) < 3, note)
    #expect(abs(seen.share(seen.inserts) - session.insert) < 4, note)
    #expect(abs(seen.share(seen.again) - session.again) < 8, note)
    for (top, share) in session.top { #expect(abs(seen.share(seen.withinTop[top]!) - share) < 6, note) }
    let updates = Double(seen.updates)
    #expect(abs(100 * Double(seen.oneSided) / updates - session.oneSidedUpdates) < 9, note)
    #expect(abs(100 * Double(seen.movedBest) / updates - session.movedUpdates) < 3, note)
    #expect(near(Double(seen.tickers) / updates, session.tickersPerUpdate, 1.35), note)
    for (percent, wanted) in zip([50.0, 90, 95], session.levels) {
        let found = TrafficStatistics.percentile(seen.levelCounts, percent)
        #expect(abs(found - wanted) <= 1 || near(Double(found), Double(wanted), 1.5), note)
    }
    for (percent, wanted) in zip([25.0, 50, 75], session.distance) {
        let found = TrafficStatistics.percentile(seen.distances, percent)
        #expect(abs(found - wanted) <= 2 || near(Double(found), Double(wanted), 1.6), note)
    }
    for (percent, wanted) in zip([50.0, 95], session.gapMs) {
        #expect(
            near(Double(TrafficStatistics.percentile(seen.gapsUs, percent)) / 1_000, Double(wanted), 1.2),
            note)
    }
    let span = TrafficStatistics.percentile(seen.idSpans, 50)
    #expect(near(Double(span), Double(session.idSpan), 1.4), note)
    #expect(TrafficStatistics.percentile(seen.spreadTicks, 90) <= 2, note)
}

private func near(_ found: Double, _ wanted: Double, _ factor: Double) -> Bool {
    found <= wanted * factor && found >= wanted / factor
}

@Test(arguments: TrafficProfile.all)
func flowAppliedToADictionaryIsTheTrueBook(profile: TrafficProfile) {
    let seed: UInt64 = 7
    var flow = flow(profile, seed: seed)
    var update = DepthUpdate()
    var snapshot = DepthSnapshot()
    flow.snapshot(limit: 1_000, into: &snapshot)
    var sides = [NaiveSide(snapshot.bids.array(), sign: 1), NaiveSide(snapshot.asks.array(), sign: -1)]
    let edges = sides.map { $0.keys.count == 1_000 ? $0.keys[0] : .min }
    var steps = flow.book
    for round in 0..<60 {
        flow.next(into: &update)
        for level in update.bids.array() { sides[0].set(level) }
        for level in update.asks.array() { sides[1].set(level) }
        checkWire(update, flow, seed: seed)
        checkSteps(flow.current, &steps)
        #expect(steps.bids.levels == flow.book.bids.levels && steps.asks.levels == flow.book.asks.levels)
        guard round % 12 == 11 else { continue }
        for side in Side.allCases {
            let naive = sides[Int(side.rawValue)]
            let truth = flow.book[side].levels.filter {
                naive.sign * $0.price.mantissa >= edges[Int(side.rawValue)]
            }
            let held = naive.keys.filter { $0 >= edges[Int(side.rawValue)] }
            let levels = held.map { PriceLevel(naive.sign * $0, naive.quantities[$0]!) }
            #expect(levels == truth, "\(profile.name) \(side) after update \(round), seed \(seed)")
        }
    }
}

/// Order, ids and scales of one message.
private func checkWire(_ update: borrowing DepthUpdate, _ flow: OrderFlow, seed: UInt64) {
    let note = Comment(rawValue: "\(flow.profile.name), seed \(seed), id \(update.last)")
    let bids = update.bids.array().map(\.price.mantissa)
    let asks = update.asks.array().map(\.price.mantissa)
    let isSpot = flow.profile.market == .spot
    #expect(zip(bids, bids.dropFirst()).allSatisfy { isSpot ? $0 > $1 : $0 < $1 }, note)
    #expect(zip(asks, asks.dropFirst()).allSatisfy { $0 < $1 }, note)
    #expect((bids + asks).allSatisfy { $0 > 0 && $0 <= Price.mantissaMax }, note)
    #expect(update.levelCount > 0 && update.first <= update.last, note)
    #expect(update.last == flow.lastUpdateID && update.last == flow.current.steps.last!.id, note)
    let previous = flow.current.previousLast
    #expect(update.previousLast == (isSpot ? nil : previous), note)
    #expect(isSpot ? update.first.value == previous.value + 1 : update.first > previous, note)
    #expect(update.transactionTimeUs <= update.eventTimeUs, note)
}

/// Replays an update step by step: never crossed, ids and times ascending inside the update.
private func checkSteps(_ update: FlowUpdate, _ book: inout TrueBook) {
    var done = 0
    var lastID = update.previousLast
    for step in update.steps {
        #expect(step.id > lastID && step.id >= update.first && step.id <= update.last)
        #expect(step.timeUs <= update.timeUs)
        lastID = step.id
        while done < step.changeCount {
            book.set(update.changes[done].side, update.changes[done].level)
            done += 1
        }
        #expect(book.isUncrossed)
        #expect(book.bids.best == step.bid && book.asks.best == step.ask)
    }
    #expect(done == update.changes.count)
}

/// Every field of every message, mixed into one number.
private func digest(_ profile: TrafficProfile, seed: UInt64, updateCount: Int) -> UInt64 {
    var flow = flow(profile, seed: seed)
    var update = DepthUpdate()
    var hash: UInt64 = 0
    for _ in 0..<updateCount {
        flow.next(into: &update)
        for number in [update.first.value, update.last.value, update.eventTimeUs, update.transactionTimeUs] {
            hash = SeededRandom.mix(hash ^ UInt64(number))
        }
        for level in update.bids.array() + update.asks.array() {
            hash = SeededRandom.mix(hash ^ UInt64(level.price.mantissa))
            hash = SeededRandom.mix(hash ^ UInt64(level.quantity.mantissa))
        }
    }
    return hash
}

@Test(arguments: TrafficProfile.all)
func flowIsAFunctionOfItsSeed(profile: TrafficProfile) {
    let first = digest(profile, seed: 3, updateCount: 60)
    #expect(first == digest(profile, seed: 3, updateCount: 60))
    #expect(first != digest(profile, seed: 4, updateCount: 60))
}

@Test func flowKeepsToTheTopOfTheBook() {
    var flow = flow(.topOfBook)
    var update = DepthUpdate()
    var snapshot = DepthSnapshot()
    flow.snapshot(limit: 1_000, into: &snapshot)
    var seen = TrafficStatistics(snapshot, tick: TrafficProfile.topOfBook.tick)
    for _ in 0..<500 {
        flow.next(into: &update)
        seen.count(update, tickers: 0)
    }
    #expect(seen.share(seen.withinTop[20]!) > 99.5, "\(seen.summary)")
}

@Test(arguments: TrafficProfile.all)
func flowSurvivesItsEpisodes(profile: TrafficProfile) {
    var flow = flow(profile)
    var update = DepthUpdate()
    func run(_ episode: FlowEpisode, updateCount: Int) {
        flow.episode = episode
        for _ in 0..<updateCount {
            flow.next(into: &update)
            #expect(flow.book.isUncrossed)
            #expect(min(flow.book.bids.count, flow.book.asks.count) >= 20)
        }
    }
    let start = flow.book.bids.best!.price
    run(.walking(towards: .ask), updateCount: 20)
    let walkMin = 10 * profile.walkTicks / 2 * profile.tick
    #expect(flow.book.bids.best!.price.mantissa <= start.mantissa - walkMin)
    run(.walking(towards: .bid), updateCount: 50)
    #expect(flow.book.bids.best!.price > start)
    let before = flow.book.asks.count
    run(.thinning, updateCount: 40)
    #expect(flow.book.asks.count < before * 97 / 100)
    run(.calm, updateCount: 100)
    #expect(profile.rankMax != .max || flow.book.asks.count > before * 6 / 10)
    flow.tickFactor = 5
    flow.print(extraPriceDecimals: 1, extraQuantityDecimals: 0)
    flow.burstLevelCount = 2_300
    run(.calm, updateCount: 1)
    #expect(update.levelCount > min(1_800, profile.levelCount / 6))
    #expect(update.scales?.priceDecimals == profile.scales.priceDecimals + 1)
    #expect(update.bids.array().allSatisfy { $0.price.mantissa % 10 == 0 })
    run(.calm, updateCount: 20)
    #expect(flow.book.bids.count <= profile.levelCount * 5 / 4 + 64)
}

@Test func quantileTablesInterpolate() {
    let table = QuantileTable([0, 10, 50, 100, 250, 500, 750, 900, 950, 990, 1_000])
    #expect(table.value(at: 0) == 0)
    #expect(table.value(at: .max) == 999)
    for percent in [1, 7, 23, 50, 77, 94, 98] {
        let found = table.value(at: UInt32(UInt64(percent) << 32 / 100))
        #expect(abs(found - Int64(10 * percent)) <= 1, "\(percent)")
    }
    let other = QuantileTable(even: 0...100)
    #expect(table.counterpart(of: 500, in: other) == 50)
    #expect(table.counterpart(of: 5_000, in: other) == 100)
    var random = SeededRandom(1)
    #expect((0..<1_000).allSatisfy { _ in (0...1_000).contains(table.draw(&random)) })
}

@Test func randomDrawsAreEvenAndFixed() {
    var random = SeededRandom(42)
    var counts = [Int](repeating: 0, count: 10)
    for _ in 0..<20_000 { counts[random.below(10)] += 1 }
    #expect(counts.allSatisfy { (1_850...2_150).contains($0) }, "\(counts)")
    var again = SeededRandom(42)
    #expect(again.next() == 1_546_998_764_402_558_742)
    #expect(SeededRandom(1, purpose: 1).isDifferent(from: SeededRandom(1, purpose: 2)))
}

extension SeededRandom {
    fileprivate func isDifferent(from other: SeededRandom) -> Bool {
        var mine = self
        var theirs = other
        return mine.next() != theirs.next()
    }
}
