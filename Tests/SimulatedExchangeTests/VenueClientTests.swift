// A trivial client against the venue: without faults, with each fault alone, with all of them.
//
// As it goes, every book must equal the true book at its own id, inside the range its snapshot covered; when
// the faults end every book must come back; and the same seed must give the same bytes.

import BinanceVenue
import MarketData
import SimulatedExchange
import Testing

/// A lively profile with a small book, so that short runs meet many updates.
private func lively(_ market: Market) -> TrafficProfile {
    var profile = TrafficProfile.spotAlt
    profile.market = market
    profile.updateGapUs = QuantileTable(even: 100_000...400_000)
    profile.insertPerMille = 200
    profile.deletePerMille = 200
    if market != .spot {
        profile.scales = SymbolScales(priceDecimals: 4, quantityDecimals: 0)
        profile.tick = 10
        profile.startPrice = 12_740
        profile.quantityStep = 1
        profile.quantity = QuantileTable(even: 1...50_000)
        profile.ids = TrafficProfile.usdmBTC.ids
    }
    return profile
}

private struct Run {
    var client: DictionaryClient
    var counters: VenueCounters
    var wrong: String?
    var isSyncedAtEnd = false
}

private func run(
    _ market: Market, _ faults: FaultPlan, seed: UInt64, faultySeconds: Int64, calmSeconds: Int64,
    limit: Int = 500, resyncSeconds: Int64? = nil
) -> Run {
    let names = ["NEXOUSDT", "ABC_PERP"].map { SymbolName($0)! }
    var configuration = VenueConfiguration(
        market: market, symbols: names.map { VenueSymbol($0, lively(market)) }, seed: seed)
    configuration.faults = faults
    var venue = Venue(configuration)
    var run = Run(
        client: DictionaryClient(names, isFutures: market != .spot, limit: limit), counters: venue.counters)
    if let resyncSeconds { run.client.resyncPeriodUs = resyncSeconds * 1_000_000 }
    for turn in 0..<((faultySeconds + calmSeconds) * 10) {
        if turn == faultySeconds * 10 {
            venue.faults = .none
            run.client.resyncPeriodUs = .max
        }
        venue.advance(toUs: configuration.startUs + turn * 100_000)
        if let wrong = run.client.turn(&venue), run.wrong == nil { run.wrong = wrong }
    }
    run.isSyncedAtEnd = run.client.isSynced
    run.counters = venue.counters
    return run
}

@Test(arguments: Market.allCases)
func clientFollowsAFaultlessVenue(market: Market) {
    let first = run(market, .none, seed: 11, faultySeconds: 0, calmSeconds: 40)
    #expect(first.wrong == nil)
    #expect(first.isSyncedAtEnd && first.client.malformed == 0)
    #expect(first.client.books.values.allSatisfy { $0.gaps == 0 && $0.applied > 80 })
    #expect(first.client.compared > 50)
    let again = run(market, .none, seed: 11, faultySeconds: 0, calmSeconds: 40)
    #expect(again.client.digest == first.client.digest)
    let other = run(market, .none, seed: 12, faultySeconds: 0, calmSeconds: 10)
    #expect(other.client.digest != first.client.digest)
}

@Test(arguments: Fault.allCases.filter { !$0.isSubtle })
func clientSurvivesEachFaultAlone(fault: Fault) {
    let market: Market = fault.rawValue % 2 == 0 ? .spot : .usdm
    var plan = FaultPlan.none
    switch fault.opportunity {
    case .frame: plan[fault] = FaultPlan.certain / 30
    case .connectionSecond, .symbolSecond, .consumerSecond, .venueSecond:
        plan[fault] = FaultPlan.certain / 6
    case .subscription, .request: plan[fault] = FaultPlan.certain / 2
    }
    let seed = 1_000 + UInt64(fault.rawValue)
    let note = Comment(rawValue: "\(plan), \(market.name), seed \(seed)")
    let calmSeconds: Int64 = fault == .halt ? 65 : 22
    func again() -> Run {
        run(
            market, plan, seed: seed, faultySeconds: 20, calmSeconds: calmSeconds, limit: 100,
            resyncSeconds: fault.opportunity == .request ? 3 : nil)
    }
    let first = again()
    #expect(first.wrong == nil, note)
    #expect(first.isSyncedAtEnd, note)
    #expect(fault == .pause || first.counters[fault] > 0, note)
    for other in Fault.allCases where other != fault { #expect(first.counters[other] == 0, note) }
    #expect(again().client.digest == first.client.digest, note)
    print(
        "\(fault.name): struck \(first.counters[fault]), frames \(first.client.frames),",
        "malformed \(first.client.malformed), closes \(first.client.closes),",
        "failures \(first.client.failures),",
        "gaps \(first.client.books.values.map(\.gaps)), compared \(first.client.compared)")
}

@Test(arguments: Market.allCases, [UInt64(1)])
func clientSurvivesAllFaultsTogether(market: Market, seed: UInt64) {
    var plan = FaultPlan.all
    for fault in Fault.allCases { plan[fault] = min(plan[fault] * 8, FaultPlan.certain / 5) }
    let run = run(market, plan, seed: seed, faultySeconds: 40, calmSeconds: 75, limit: 100)
    #expect(run.wrong == nil, "\(plan), seed \(seed)")
    #expect(run.isSyncedAtEnd, "\(plan), seed \(seed)")
    #expect(run.client.books.values.contains { $0.gaps > 0 })
}

/// The checker must bite: a client that overlooks one lost level is found out.
@Test func aWrongBookIsFoundOut() {
    let name = SymbolName("NEXOUSDT")
    let configuration = VenueConfiguration(
        market: .spot, symbols: [VenueSymbol(name, lively(.spot))], seed: 5)
    var venue = Venue(configuration)
    var client = DictionaryClient([name], isFutures: false, limit: 100)
    var wrong: String?
    for turn in 0..<300 {
        venue.advance(toUs: configuration.startUs + Int64(turn) * 100_000)
        wrong = wrong ?? client.turn(&venue)
        if turn == 200 {
            #expect(wrong == nil && client.isSynced)
            let best = client.books["NEXOUSDT"]!.sides[0].keys.max()!
            client.books["NEXOUSDT"]!.sides[0][best - 40_000_000] = 1
        }
    }
    #expect(wrong != nil)
}
