// The subtle faults: what they say is well formed where it should be, and false where it should be.

import BinanceVenue
import DepthBook
import Foundation
import MarketData
import SimulatedExchange
import Testing

@Suite struct OddityTests {
    private static let name = SymbolName("SIM0USDT")
    private static let streams = ["sim0usdt@depth@100ms", "sim0usdt@bookTicker"]

    private static func venue(
        _ profile: TrafficProfile = .spotAlt, seed: UInt64 = 1,
        _ change: (inout VenueConfiguration) -> Void = { _ in }
    ) -> Venue {
        var configuration = VenueConfiguration(
            market: profile.market, symbols: [VenueSymbol(name, profile)], seed: seed)
        change(&configuration)
        return Venue(configuration)
    }

    /// Everything that arrives within 30 s under one fault.
    private static func messages(_ fault: Fault, seed: UInt64) throws -> [[UInt8]] {
        var venue = venue(seed: seed)
        venue.faults[fault] = fault == .coarse ? FaultPlan.certain / 20 : FaultPlan.certain
        let connection = try venue.connect(streams, isCombined: true)
        venue.advance(toUs: venue.nowUs + 30_000_000)
        var messages: [[UInt8]] = []
        venue.poll(connection) { _, delivery, bytes in
            if delivery == .text { messages.append(bytes.withUnsafeBufferPointer { Array($0) }) }
        }
        return messages
    }

    private static func text(_ message: [UInt8]) -> String { String(decoding: message, as: UTF8.self) }

    @Test(arguments: 1...20 as ClosedRange<UInt64>) func unreadableMessagesKeepTheirNames(_ seed: UInt64)
        throws
    {
        var parser = MessageParser()
        for message in try Self.messages(.unreadable, seed: seed) {
            #expect(Self.text(message).hasPrefix("{\"stream\":\"sim0usdt@"))
            #expect(Self.text(message).contains("\"s\":\"SIM0USDT\""))
            #expect(throws: ParseError.self) {
                try message.withUnsafeBufferPointer { try parser.parse($0, market: .spot) }
            }
        }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>) func garbledMessagesNameNobody(_ seed: UInt64) throws {
        for message in try Self.messages(.garbled, seed: seed) {
            #expect(!Self.text(message).lowercased().contains("sim0usdt"))
        }
    }

    @Test(arguments: [Fault.mixed, .coarse])
    func decimalsDifferInsideOneMessage(_ fault: Fault) throws {
        var levelCount = 0
        var mixedCount = 0
        var messages: [[UInt8]] = []
        for seed in 1...10 as ClosedRange<UInt64> { messages += try Self.messages(fault, seed: seed) }
        for message in messages where Self.text(message).contains("@depth") {
            let object = try JSONSerialization.jsonObject(with: Data(message)) as! [String: Any]
            let data = object["data"] as! [String: Any]
            let levels = (data["b"] as! [[String]]) + (data["a"] as! [[String]])
            levelCount += levels.count
            let decimals = Set(levels.map { $0[0].split(separator: ".")[1].count })
            #expect(decimals.isSubset(of: [8, 9]))
            if decimals.count > 1 { mixedCount += 1 }
        }
        #expect(levelCount > 0 && mixedCount > 0)
    }

    @Test func absurdIDsAreOutOfThisWorld() throws {
        var kinds: Set<Bool> = []
        for seed in 1...20 as ClosedRange<UInt64> {
            for message in try Self.messages(.absurd, seed: seed) {
                let digits = Self.text(message).split(separator: "\"u\":")[1].prefix { $0.isNumber }
                #expect(UInt64(digits)! >= 1 << 62)
                kinds.insert(Int64(digits) == nil)
            }
        }
        #expect(kinds.count == 2)
    }

    /// A venue that begins anew hangs up on everybody, has other books, and numbers them from anywhere.
    @Test(arguments: 1...20 as ClosedRange<UInt64>) func theVenueBeginsAnew(_ seed: UInt64) throws {
        var venue = Self.venue(seed: seed)
        let connection = try venue.connect(Self.streams, isCombined: true)
        venue.advance(toUs: venue.nowUs + 90_000_000)
        let old = venue.shownID(of: Self.name)!
        venue.faults[.restart] = FaultPlan.certain
        venue.advance(toUs: venue.nowUs + 1_500_000)
        venue.faults = .none
        #expect(venue.restartedUs != nil)
        var isClosed = false
        venue.advance(toUs: venue.nowUs + 1_000_000)
        venue.poll(connection) { _, delivery, _ in if case .closed = delivery { isClosed = true } }
        #expect(isClosed)
        #expect(venue.shownID(of: Self.name)! < UpdateID(old.value + 5_000))
        let former = venue.withTruth(of: Self.name, at: old, isFormer: true) { $0.bids.levels }
        #expect(former != nil)
        venue.advance(toUs: venue.nowUs + 60_000_000)
        let present = venue.shownID(of: Self.name)!
        let levels = venue.withTruth(of: Self.name, at: present) { $0.bids.levels }
        #expect(levels != nil && levels != former)
    }

    @Test func falseSnapshotsSaySo() throws {
        for (fault, isCrossed) in [(Fault.contradict, false), (.crossed, true)] {
            var venue = Self.venue()
            venue.advance(toUs: venue.nowUs + 5_000_000)
            let sound = venue.requestDepth(symbol: "SIM0USDT", limit: 100)
            venue.faults[fault] = FaultPlan.certain
            let odd = venue.requestDepth(symbol: "SIM0USDT", limit: 100)
            #expect(sound.oddity == nil && odd.oddity == fault && sound.body != odd.body)
            var parser = MessageParser()
            try odd.body.withUnsafeBufferPointer { try parser.parseSnapshot($0) }
            #expect((parser.snapshot.bids[0].price >= parser.snapshot.asks[0].price) == isCrossed)
        }
    }

    @Test func bansLastForMinutes() {
        var venue = Self.venue()
        venue.faults[.ban] = FaultPlan.certain
        let first = venue.requestDepth(symbol: "SIM0USDT", limit: 100)
        venue.faults = .none
        #expect(first.status == 418 && (60...180).contains(first.retryAfterSeconds!))
        #expect(venue.counters.defianceCount == 0)
        venue.advance(toUs: venue.nowUs + 30_000_000)
        let second = venue.requestDepth(symbol: "SIM0USDT", limit: 100)
        #expect(second.status == 418 && venue.counters.defianceCount == 1)
        venue.advance(toUs: venue.banEndUs!)
        let third = venue.requestDepth(symbol: "SIM0USDT", limit: 100)
        #expect(third.status == 200)
    }

    /// What a slow link carries comes ever later, in order; when it is fast again the rest comes at once.
    @Test func slowLinksFallBehind() throws {
        var venue = Self.venue(.spotBTC)
        let connection = try venue.connect(Self.streams, isCombined: true)
        venue.faults[.lag] = FaultPlan.certain
        venue.advance(toUs: venue.nowUs + 1_500_000)
        venue.faults = .none
        var late: [Int64] = []
        for _ in 0..<900 {
            venue.advance(toUs: venue.nowUs + 100_000)
            venue.poll(connection) { timeUs, _, bytes in
                let text = bytes.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
                guard let place = text.firstRange(of: "\"E\":") else { return }
                late.append(timeUs - Int64(text[place.upperBound...].prefix { $0.isNumber })! * 1000)
            }
        }
        #expect(late.max()! > 4_000_000 && late.last! < 1_000_000)
    }

    @Test func clockStepsAndLossesAreTheDrivers() {
        var venue = Self.venue()
        let calm = venue.losesBeforeRing(Self.name)
        venue.faults[.drop] = FaultPlan.certain
        venue.faults[.clock] = FaultPlan.certain / 10
        let struck = venue.losesBeforeRing(Self.name)
        let other = venue.losesBeforeRing(SymbolName("OTHERUSDT"))
        #expect(!calm && struck && !other && venue.counters[.drop] == 1)
        let steps = (Int64(0)..<2_000).map { venue.clockStepUs(inSecond: $0) }
        #expect(steps.contains { $0 > 0 } && steps.contains { $0 < 0 })
        #expect((140...260).contains(steps.count { $0 != 0 }))
    }
}
