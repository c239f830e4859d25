// The table of the supervisor of connections, cell by cell.

import BinanceVenue
import MarketData
import Testing

struct SupervisorTests {
    // MARK: - The supervisor as a whole

    @Test func nothingBeforeTheStart() {
        var h = SupervisorHarness()
        #expect(h.opened(1) == [] && h.closed(1) == [] && h.shutdown(1) == [] && h.sent(1) == [])
        #expect(h.accepted(1) == [] && h.resubscribe(SupervisorHarness.streams) == [] && h.pass(1) == [])
        #expect(h.supervisor.wakeAtMs == nil)
        #expect(h.start() == ["open 1"])
        #expect(h.start() == [])
    }

    @Test func stoppedBeforeTheStart() {
        var h = SupervisorHarness()
        #expect(h.stop() == [] && h.start() == [] && h.supervisor.wakeAtMs == nil)
    }

    @Test func stopClosesEverythingForGood() {
        var h = SupervisorHarness()
        h.overlap()
        #expect(h.stop() == ["close 1", "down 1", "close 2", "down 2"])
        #expect(h.start() == [] && h.closed(1) == [] && h.closed(2) == [] && h.pass(100_000_000) == [])
        #expect(h.opened(2) == [] && h.accepted(2) == [] && h.shutdown(2) == [] && h.stop() == [])
        #expect(h.supervisor.wakeAtMs == nil && h.supervisor.connectionCount == 0)
    }

    @Test func stopWhileDialling() {
        var h = SupervisorHarness()
        _ = h.start()
        #expect(h.stop() == ["close 1"])
    }

    // MARK: - Dialling

    @Test func opensSubscribesConnects() {
        var h = SupervisorHarness()
        #expect(h.start() == ["open 1"])
        #expect(h.opened(1) == ["sub 1"])
        #expect(h.requests[1]![0].streams == SupervisorHarness.streams)
        #expect(!h.isConnected)
        #expect(h.accepted(1) == ["up 1"])
        #expect(h.isConnected)
        #expect(h.reports == [.subscribed(1, streamCount: 3, afterMs: 0)])
    }

    @Test func ignoredWhileDialling() {
        var h = SupervisorHarness()
        _ = h.start()
        #expect(h.accepted(1) == [] && h.refused(1) == [] && h.shutdown(1) == [] && h.sent(1) == [])
        #expect(h.resubscribe(SupervisorHarness.streams) == [] && h.closed(7) == [] && h.opened(7) == [])
    }

    @Test func backsOffAndDoubles() {
        var h = SupervisorHarness()
        _ = h.start()
        var delays: [Int64] = []
        for id in 1...10 as ClosedRange<UInt16> {
            #expect(h.closed(id) == [])
            let before = h.nowMs
            #expect(h.wait(atMostMs: 100_000) == ["open \(id + 1)"])
            delays.append(h.nowMs - before)
        }
        for (index, delay) in delays.enumerated() {
            let full: Int64 = min(500 << Int64(index), 60_000)
            #expect((full / 2...full).contains(delay), "delay \(index) is \(delay)")
        }
    }

    @Test func notOpenedInTime() {
        var h = SupervisorHarness()
        _ = h.start()
        #expect(h.pass(59_999) == [])
        #expect(h.pass(1) == ["close 1"])
        #expect(h.reports.first == .notOpened(1))
        #expect(h.wait(atMostMs: 1000) == ["open 2"])
        #expect(h.closed(1) == [])  // the shell's word comes late
    }

    @Test func refusedForItsRate() {
        var h = SupervisorHarness()
        _ = h.start()
        #expect(h.closed(1, .refused) == [])
        let before = h.nowMs
        #expect(h.wait(atMostMs: 200_000) == ["open 2"])
        #expect((60_000...90_000).contains(h.nowMs - before))
    }

    /// Who knocks on during a ban makes it longer.
    @Test func refusedAgainAndAgain() {
        var h = SupervisorHarness()
        _ = h.start()
        var id: UInt16 = 1
        for waitMs in [60_000, 120_000, 240_000, 480_000, 600_000, 600_000] as [Int64] {
            let before = h.nowMs
            #expect(h.closed(id, .refused) == [])
            id += 1
            #expect(h.wait(atMostMs: 4_000_000) == ["open \(id)"])
            #expect((waitMs...waitMs * 3 / 2).contains(h.nowMs - before))
        }
        _ = h.opened(id)
        _ = h.accepted(id)
        let before = h.nowMs
        #expect(h.closed(id, .refused) == ["down \(id)"])
        #expect(h.wait(atMostMs: 200_000) == ["open \(id + 1)"])
        #expect((60_000...90_000).contains(h.nowMs - before))
    }

    @Test func aGoodConnectionForgetsFailures() {
        var h = SupervisorHarness()
        _ = h.start()
        for id in 1...6 as ClosedRange<UInt16> {
            _ = h.closed(id)
            _ = h.wait(atMostMs: 100_000)
        }
        _ = h.opened(7)
        _ = h.accepted(7)
        h.nowMs += 29_999
        let bad = h.supervisor
        h.nowMs += 1
        _ = h.closed(7)
        guard case .waiting(_, let failures)? = h.reports.last else { return #expect(Bool(false)) }
        #expect(failures == 1)
        h.supervisor = bad
        h.nowMs -= 1
        _ = h.closed(7)
        guard case .waiting(_, let more)? = h.reports.last else { return #expect(Bool(false)) }
        #expect(more == 7)
    }

    @Test func attemptsAreBounded() {
        var h = SupervisorHarness {
            $0.attemptsPerFiveMinutesMax = 3
            $0.backoffMaxMs = 1000
        }
        let begin = h.nowMs
        _ = h.start()
        for id in 1...2 as ClosedRange<UInt16> {
            _ = h.closed(id)
            #expect(h.wait(atMostMs: 1000) == ["open \(id + 1)"])
        }
        _ = h.closed(3)
        #expect(h.wait(atMostMs: 299_000) == ["open 4"] || h.nowMs == begin + 300_000)
        #expect(h.nowMs >= begin + 300_000)
    }

    /// What a link attempts beyond the first time counts as well, even where nothing more is allowed.
    @Test func furtherAttemptsCount() {
        var h = SupervisorHarness { $0.attemptsPerFiveMinutesMax = 3 }
        let begin = h.nowMs
        _ = h.start()
        for _ in 0..<4 { h.supervisor.redialled(nowMs: h.nowMs) }
        _ = h.closed(1)
        #expect(h.wait(atMostMs: 299_999) == [] && h.wait(atMostMs: 1) == ["open 2"])
        #expect(h.nowMs == begin + 300_000)
    }

    // MARK: - Replacing

    @Test func shutdownOpensAReplacementAtOnce() {
        var h = SupervisorHarness()
        h.connect()
        #expect(h.shutdown(1) == ["open 2"])
        #expect(h.shutdown(1) == [])
        #expect(h.reports.last == .replacing(1, .shutdown))
        #expect(h.opened(2) == ["sub 2"])
        #expect(h.accepted(2) == ["up 2"])
        #expect(h.pass(2999) == [])
        #expect(h.pass(1) == ["close 1", "retired 1"])
        #expect(h.closed(1) == [])
    }

    /// The replacement lacks a stream that the older connection delivered: nothing was handed over to it.
    @Test(arguments: [false, true]) func aReplacementThatDeliversLess(_ olderLacksItToo: Bool) {
        var h = SupervisorHarness()
        func connect(_ id: UInt16, without bad: String?) {
            var words = h.opened(id)
            for _ in 0..<20 where words.first?.hasPrefix("up \(id)") != true {
                let isRefused = bad.map { h.requests[id]!.last!.streams.contains($0) } ?? false
                words = isRefused ? h.refused(id) : h.accepted(id)
                if words.isEmpty { words = h.wait(atMostMs: 1000) }
            }
        }
        _ = h.start()
        connect(1, without: olderLacksItToo ? "b@depth@100ms" : nil)
        #expect(h.shutdown(1) == ["open 2"])
        connect(2, without: "b@depth@100ms")
        #expect(h.wait(atMostMs: 5000) == ["close 1", olderLacksItToo ? "retired 1" : "down 1"])
    }

    @Test func shutdownWhileSubscribing() {
        var h = SupervisorHarness()
        _ = h.start()
        _ = h.opened(1)
        #expect(h.shutdown(1) == ["open 2"])
        #expect(h.opened(2) == ["sub 2"])
        // The older one never was connected: nothing to overlap.
        #expect(h.accepted(2) == ["up 2", "close 1"])
    }

    @Test func theOlderOneMayStillConnect() {
        var h = SupervisorHarness()
        _ = h.start()
        _ = h.opened(1)
        _ = h.shutdown(1)
        #expect(h.accepted(1) == ["up 1"])
        _ = h.opened(2)
        #expect(h.accepted(2) == ["up 2"])
        #expect(h.pass(3000) == ["close 1", "retired 1"])
    }

    @Test func shutdownOfAReplacementThatSubscribes() {
        var h = SupervisorHarness()
        h.replace()
        _ = h.opened(2)
        #expect(h.shutdown(2) == ["close 2"])
        #expect(h.wait(atMostMs: 1000) == ["open 3"])
    }

    @Test func shutdownOfAReplacementThatServes() {
        var h = SupervisorHarness()
        h.overlap()
        #expect(h.shutdown(2) == [])
        #expect(h.pass(3000) == ["close 1", "retired 1", "open 3"])
    }

    @Test func theOlderOneIsLostMeanwhile() {
        var h = SupervisorHarness()
        h.replace()
        #expect(h.closed(1) == ["down 1"])
        #expect(h.opened(2) == ["sub 2"])
        #expect(h.accepted(2) == ["up 2"])
        #expect(h.pass(10_000) == [])
        h = SupervisorHarness()
        h.overlap()
        #expect(h.closed(1) == ["down 1"])
        #expect(h.pass(10_000) == [])
    }

    @Test func theReplacementIsLost() {
        var h = SupervisorHarness()
        h.replace()
        #expect(h.closed(2) == [])
        #expect(h.wait(atMostMs: 1000) == ["open 3"])
        h = SupervisorHarness()
        h.overlap()
        #expect(h.closed(2) == ["down 2"])
        #expect(h.wait(atMostMs: 1000) == ["open 3"])
        #expect(h.pass(10_000) == [])  // the older one does not retire without it
        _ = h.opened(3)
        #expect(h.accepted(3) == ["up 3"])
        #expect(h.pass(3000) == ["close 1", "retired 1"])
    }

    @Test func renewsBeforeTheVenueDoes() {
        for market in Market.allCases {
            var ages = Set<Int64>()
            for seed in 1...40 as ClosedRange<UInt64> {
                var h = SupervisorHarness(market) { $0.seed = seed }
                h.connect()
                let begin = h.nowMs
                #expect(h.wait(atMostMs: 90_000_000) == ["open 2"])
                #expect(h.reports.last == .replacing(1, .age))
                ages.insert(h.nowMs - begin)
            }
            #expect(ages.min()! >= 86_400_000 - 3_600_000 && ages.max()! <= 86_400_000 - 600_000)
            #expect(ages.count > 30)
        }
    }
}
