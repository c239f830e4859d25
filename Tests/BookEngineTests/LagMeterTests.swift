// How late an update is: any event time, connections that are late from their beginning, wrong times.

import TestSupport
import Testing

@testable import BookEngine

private let second: Int64 = 1_000_000_000

/// Updates ten times a second, each so much late.
private struct Updates {
    private var meter = LagMeter()
    private var nowNs = 1_790_000_000 * second

    init() { meter.isSteady = true }

    mutating func lagNs(_ source: UInt16, lateNs: Int64) -> Int64 {
        nowNs += second / 10
        return meter.lagNs(eventTimeUs: (nowNs - lateNs) / 1000, on: source, nowNs: nowNs)
    }
}

@Suite struct LagMeterTests {
    /// Whatever updates say of their times, a lag is a time that can be doubled. With unbounded lags every
    /// one of these seeds fails.
    @Test(arguments: 0..<20 as Range<UInt64>) func anyEventTime(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var meter = LagMeter()
        meter.isSteady = seed % 2 == 0
        var nowNs: Int64 = 1_790_000_000 * second
        let odd: [Int64] = [1, 9_200_000_000_000_000, .max / 1000, .max / 1001, 1_700_000_000_000_000]
        for _ in 0..<2_000 {
            nowNs += Int64(random.next() % 100_000_000)
            meter.isExact = random.next() % 4 != 0
            let formerNs = meter.floorNs
            for _ in 0..<(1 + random.next() % 12) {
                let jitterUs = Int64(random.next() % 5_000_000) - 2_000_000
                let isOdd = random.next() % 4 == 0
                let eventUs = isOdd ? odd[Int(random.next() % 5)] : nowNs / 1000 + jitterUs
                if random.next() % 8 == 0 {
                    meter.wentBack(byUs: odd[Int(random.next() % 5)], sinceFloorNs: formerNs)
                }
                let lagNs = meter.lagNs(eventTimeUs: eventUs, on: 1, nowNs: nowNs)
                #expect((0...3_600 * second).contains(lagNs))
            }
        }
    }

    /// A first connection late from its beginning beside one that is in time: the usual lateness is that of
    /// the second, once eight of its updates in a row say so, whatever comes between on the first.
    @Test(arguments: [7, 8]) func aFastConnectionBesideASlowOne(_ count: Int) {
        var updates = Updates()
        for _ in 0..<20 { #expect(updates.lagNs(1, lateNs: 6 * second) == 0) }
        for _ in 0..<count {
            #expect(updates.lagNs(2, lateNs: 0) == 0)
            _ = updates.lagNs(1, lateNs: 6 * second)
        }
        #expect(updates.lagNs(1, lateNs: 6 * second) == (count == 8 ? 6 * second : 0))
    }

    /// Two that are in time, in turn, after a beginning that was late.
    @Test func twoFastConnectionsInTurn() {
        var updates = Updates()
        for _ in 0..<20 { #expect(updates.lagNs(1, lateNs: 6 * second) == 0) }
        for number in 0..<8 { #expect(updates.lagNs(number % 2 == 0 ? 2 : 3, lateNs: 0) == 0) }
        #expect(updates.lagNs(2, lateNs: 6 * second) == 6 * second)
    }

    /// One wrong event time now and then makes nothing late.
    @Test func wrongEventTimesAreNotInARow() {
        var meter = LagMeter()
        meter.isSteady = true
        var nowNs = 1_790_000_000 * second
        for number in 0..<200 {
            nowNs += second / 10
            let isWrong = number % 5 == 4
            let eventUs = nowNs / 1000 + (isWrong ? 3_600_000_000 : 0)
            #expect(meter.lagNs(eventTimeUs: eventUs, on: 1, nowNs: nowNs) == 0)
        }
    }
}
