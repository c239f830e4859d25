// Fault plans as text, and the promise that damaged bytes never read as another message.

import Foundation
import MarketData
import SimulatedExchange
import Testing

@Test func faultPlansReadAndPrint() throws {
    #expect(try FaultPlan("none") == .none && FaultPlan.none.description == "none")
    #expect(try FaultPlan("all") == .all && FaultPlan.all.description == "all")
    #expect(try FaultPlan("venue") == .venue && FaultPlan.venue.description == "venue")
    #expect(try FaultPlan("network") == .network && FaultPlan.network.description == "network")
    #expect(try FaultPlan("venue,cut=0,lost=1")[.lost] == FaultPlan.certain)
    let real: Set<Fault> = [.cut, .vanish, .expire, .shutdown, .stall, .stale, .fail, .slow]
    for fault in Fault.allCases {
        #expect(FaultPlan.venue[fault] == (real.contains(fault) ? fault.usualRate : 0))
        // Under an honest venue that answers.
        if [.request, .subscription, .symbolSecond, .venueSecond].contains(fault.opportunity) {
            #expect(FaultPlan.network[fault] == 0)
        }
    }
    let plan = try FaultPlan("lost=0.001,reorder=0.0005,halt=1,cut")
    #expect(plan[.lost] == 1_000_000 && plan[.reorder] == 500_000 && plan[.halt] == FaultPlan.certain)
    #expect(plan[.cut] == Fault.cut.usualRate && plan[.stall] == 0)
    #expect(plan.description == "lost=0.001,reorder=0.0005,cut=0.002,halt=1")
    #expect(try FaultPlan(plan.description) == plan)
    #expect(try FaultPlan("all,walk=0")[.walk] == 0)
    #expect(try FaultPlan("lost=0.000000001")[.lost] == 1)
    var random = SeededRandom(1)
    for _ in 0..<200 {
        var drawn = FaultPlan.none
        for fault in Fault.allCases where random.below(2) == 0 {
            drawn[fault] = Int64(random.below(Int(FaultPlan.certain) + 1))
        }
        #expect(try FaultPlan(drawn.description) == drawn)
    }
}

@Test(arguments: [
    ("", FaultPlanError.unknownFault("", offset: 0)),
    ("lost=0.1,loss=0.1", .unknownFault("loss", offset: 9)),
    ("lost,lost", .repeated(.lost, offset: 5)),
    ("lost=", .badRate("", offset: 5)),
    ("lost=1.1", .badRate("1.1", offset: 5)),
    ("cut=0.5,lost=-1", .badRate("-1", offset: 13)),
    ("lost=0.0000000001", .badRate("0.0000000001", offset: 5)),
    ("lost=1e-3", .badRate("1e-3", offset: 5)),
    ("lost,none", .misplaced("none", offset: 5)),
    ("lost,all", .misplaced("all", offset: 5)),
    ("lost,venue", .misplaced("venue", offset: 5)),
    ("all,venue", .misplaced("venue", offset: 4)),
    ("cut,network", .misplaced("network", offset: 4)),
    ("lost,", .unknownFault("", offset: 5)),
])
func faultPlansAreRefused(text: String, expected: FaultPlanError) {
    #expect(throws: expected) { try FaultPlan(text) }
    #expect(expected.description.contains("at byte") || expected.description.contains("again at byte"))
}

@Test func faultsHaveNamesAndRates() {
    #expect(Set(Fault.allCases.map(\.name)).count == Fault.allCases.count)
    #expect(Fault.lost.name == "lost" && Fault.allCases.allSatisfy { $0.usualRate > 0 })
}

@Test func faultsOfBooksNeedAnOrderFlow() throws {
    #expect(FaultPlan.none.faultsOfBooks.isEmpty)
    #expect(try FaultPlan("cut,lost,mute,fail,slow,vanish").faultsOfBooks.isEmpty)
    #expect(try FaultPlan("cut,halt,stale,frozen,fade=0").faultsOfBooks == [.stale, .frozen, .halt])
}

/// What a strict reader makes of a frame: nil, or everything that decides about levels.
private func reading(_ bytes: [UInt8]) -> [String]? {
    guard let object = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any],
        let stream = object["stream"] as? String, let fields = object["data"] as? [String: Any],
        let symbol = fields["s"] as? String, let first = fields["U"] as? NSNumber,
        let last = fields["u"] as? NSNumber, let bids = fields["b"] as? [[String]],
        let asks = fields["a"] as? [[String]]
    else { return nil }
    return [stream, symbol, "\(first)", "\(last)", "\(bids)", "\(asks)"]
}

@Test(arguments: [Fault.truncate, .corrupt])
func damagedFramesAreNoticed(fault: Fault) throws {
    var plan = FaultPlan.none
    plan[fault] = FaultPlan.certain
    let names = ["btcusdt@depth@100ms"]
    let symbol = VenueSymbol(SymbolName("BTCUSDT"), .spotAlt)
    var damagedFrames = 0
    for seed in UInt64(1)...40 {
        let configuration = VenueConfiguration(market: .spot, symbols: [symbol], seed: seed)
        var sound: [[UInt8]] = []
        var damaged: [[UInt8]] = []
        for (isDamaged, faults) in [(false, FaultPlan.none), (true, plan)] {
            var venue = Venue(configuration)
            venue.faults = faults
            let connection = try venue.connect(names, isCombined: true)
            venue.advance(toUs: configuration.startUs + 25_000_000)
            venue.poll(connection) { _, delivery, bytes in
                guard delivery == .text else { return }
                let copy = bytes.withUnsafeBufferPointer { Array($0) }
                if isDamaged { damaged.append(copy) } else { sound.append(copy) }
            }
        }
        #expect(sound.allSatisfy { reading($0) != nil })
        #expect(damaged.count == sound.count && zip(sound, damaged).allSatisfy { $0 != $1 })
        for bytes in damaged {
            damagedFrames += 1
            #expect(reading(bytes) == nil, "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
        }
    }
    print("\(fault.name): \(damagedFrames) damaged frames, none of them readable")
    #expect(damagedFrames > 400)
}

@Test func consumerStallsAreAFunctionOfTheSecond() {
    let symbol = VenueSymbol(SymbolName("BTCUSDT"), .spotAlt)
    var configuration = VenueConfiguration(market: .spot, symbols: [symbol], seed: 9)
    configuration.faults[.pause] = FaultPlan.certain / 10
    let venue = Venue(configuration)
    let stalls = (Int64(0)..<2_000).map { venue.consumerStallUs(inSecond: $0) }
    #expect((140...260).contains(stalls.count { $0 > 0 }))
    #expect(stalls.allSatisfy { $0 == 0 || (100_000...5_000_000).contains($0) })
    #expect(stalls[7] == venue.consumerStallUs(inSecond: 7))
}
