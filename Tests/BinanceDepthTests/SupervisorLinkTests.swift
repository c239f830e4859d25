// Links that break, fall silent or are refused: how soon the next one is dialled.

import BinanceVenue
import FeedPlan
import MarketData
import Testing

struct SupervisorLinkTests {
    /// How long the next dial waits after connection `id` ended.
    private static func pause(
        _ h: inout SupervisorHarness, _ id: UInt16, hasDelivered: Bool,
        _ loss: ConnectionSupervisor.Loss = .lost,
        retryAfter: Int? = nil
    ) -> Int64 {
        let words = h.note(
            h.supervisor.closed(
                id, loss, hasDelivered: hasDelivered, retryAfterSeconds: retryAfter, nowMs: h.nowMs))
        #expect(words.allSatisfy { $0.hasPrefix("down") })
        let before = h.nowMs
        #expect(h.wait(atMostMs: 400_000_000) == ["open \(id + 1)"])
        return h.nowMs - before
    }

    /// A link that delivers and breaks every few seconds is dialled again at once, however often.
    @Test(arguments: [500, 1_000, 2_500, 29_000] as [Int64]) func aLinkThatFlaps(_ upMs: Int64) {
        var h = SupervisorHarness()
        _ = h.start()
        for id in 1...40 as ClosedRange<UInt16> {
            _ = h.opened(id)
            #expect(h.accepted(id) == ["up \(id)"])
            h.nowMs += upMs
            let pauseMs = SupervisorLinkTests.pause(&h, id, hasDelivered: true)
            #expect((250...500).contains(pauseMs), "after \(id): \(pauseMs)")
        }
    }

    /// One that delivers nothing, or only for a moment, is not: the pauses grow.
    @Test(arguments: [(false, 2_500), (true, 499)] as [(Bool, Int64)])
    func aLinkThatIsOfNoUse(_ hasDelivered: Bool, _ upMs: Int64) {
        var h = SupervisorHarness()
        _ = h.start()
        var pauses: [Int64] = []
        for id in 1...8 as ClosedRange<UInt16> {
            _ = h.opened(id)
            _ = h.accepted(id)
            h.nowMs += upMs
            pauses.append(SupervisorLinkTests.pause(&h, id, hasDelivered: hasDelivered))
        }
        #expect(pauses.last! >= 30_000, "\(pauses)")
    }

    /// The venue says for how long: not sooner, and not much later.
    @Test(arguments: [1, 37, 120, 1_000, 86_400]) func aToldWait(_ seconds: Int) {
        for seed in 1...20 as ClosedRange<UInt64> {
            var h = SupervisorHarness { $0.seed = seed }
            _ = h.start()
            let pauseMs = SupervisorLinkTests.pause(&h, 1, hasDelivered: false, .refused, retryAfter: seconds)
            let toldMs = Int64(seconds) * 1000
            #expect((toldMs...toldMs + max(toldMs / 10, 500)).contains(pauseMs), "\(pauseMs)")
        }
    }

    /// Told again, the wait is at least the told one, and never beyond three days.
    @Test func toldAgainAndAgain() {
        var h = SupervisorHarness()
        _ = h.start()
        for id in 1...4 as ClosedRange<UInt16> {
            let pauseMs = SupervisorLinkTests.pause(&h, id, hasDelivered: false, .refused, retryAfter: 200)
            #expect(pauseMs >= min(200_000 << Int64(id - 1), 600_000))
        }
        let pauseMs = SupervisorLinkTests.pause(&h, 5, hasDelivered: false, .refused, retryAfter: .max)
        #expect((RefusalWait.toldMaxMs...RefusalWait.toldMaxMs + 30_000).contains(pauseMs))
        #expect(SupervisorLinkTests.pause(&h, 6, hasDelivered: false, .refused, retryAfter: .min) >= 0)
    }

    /// A server that is only overloaded may say so too.
    @Test func aToldWaitWithoutARefusal() {
        var h = SupervisorHarness()
        _ = h.start()
        let pauseMs = SupervisorLinkTests.pause(&h, 1, hasDelivered: false, .lost, retryAfter: 20)
        #expect(pauseMs == 20_000)
    }

    @Test func statuses() {
        for status in [403, 418, 429] { #expect(RefusalWait.isRefusal(status: status)) }
        for status in [0, 200, 400, 404, 500, 503] { #expect(!RefusalWait.isRefusal(status: status)) }
        #expect(RefusalWait.firstMs == 60_000 && RefusalWait.maxMs == 600_000)
    }

    // MARK: - Silence

    /// A busy connection that is silent is replaced, and handed over as one that may have lost something.
    @Test func fellSilent() {
        var h = SupervisorHarness()
        h.connect()
        #expect(h.note(h.supervisor.fellSilent(1, nowMs: h.nowMs)) == ["open 2"])
        #expect(h.reports.last == .replacing(1, .silent))
        #expect(h.note(h.supervisor.fellSilent(1, nowMs: h.nowMs)) == [])
        _ = h.opened(2)
        #expect(h.accepted(2) == ["up 2"])
        #expect(h.pass(3_000) == ["close 1", "down 1"])
    }

    @Test func fellSilentElsewhere() {
        var h = SupervisorHarness()
        #expect(h.note(h.supervisor.fellSilent(1, nowMs: h.nowMs)) == [])
        _ = h.start()
        #expect(h.note(h.supervisor.fellSilent(1, nowMs: h.nowMs)) == [])
        _ = h.opened(1)
        #expect(h.note(h.supervisor.fellSilent(1, nowMs: h.nowMs)) == [])
        #expect(h.note(h.supervisor.fellSilent(9, nowMs: h.nowMs)) == [])
        #expect(h.accepted(1) == ["up 1"])
        _ = h.stop()
        #expect(h.note(h.supervisor.fellSilent(1, nowMs: h.nowMs)) == [])
    }

    // MARK: - Quiet streams

    /// One resubscription of a stream dooms nothing, however many streams have one: only a stream that is
    /// silent again soon after it counts.
    @Test(arguments: [1, 2, 33, 99, 1024]) func quietStreams(_ count: Int) {
        let streams = (0..<count).map { "s\($0)@depth" }
        var h = SupervisorHarness(.usdm, streams: streams) { $0.batchNameCountMax = 1024 }
        h.connect()
        for round in 0..<4 {
            // All at once, then one after another within the ten minutes, then late.
            if round > 0 { #expect(h.wait(atMostMs: 600_001) == []) }
            #expect(h.resubscribe(streams) == [])
            while !h.wait(atMostMs: 20_000).isEmpty { while !h.accepted(1).isEmpty {} }
            #expect(!h.reports.contains { if case .replacing = $0 { true } else { false } })
        }
    }

    // MARK: - Times without end

    @Test func neverIsNoTrap() {
        var h = SupervisorHarness {
            $0.answerLimitMs = .max
            $0.dialLimitMs = .max
            $0.overlapMs = .max
            $0.coalesceMs = .max
            $0.provenAfterMs = .max
            $0.backoffMaxMs = .max
            $0.refusedWaitMs = .max
            $0.refusedWaitMaxMs = .max
            $0.lostWithinMs = .max
        }
        h.overlap()
        #expect(h.resubscribe(SupervisorHarness.streams) == [])
        #expect(h.pass(86_000_000).contains("open 3") == false || h.supervisor.connectionCount <= 2)
        #expect(h.supervisor.wakeAtMs != nil)
        #expect(h.closed(2, .refused).first == "down 2" || h.supervisor.connectionCount == 1)
        _ = h.stop()
    }

    @Test func wrongTerms() {
        let good = ConnectionSupervisor.Configuration(market: .spot)
        #expect(throws: Never.self) { try good.validate(streamCount: 1024) }
        #expect(throws: ConfigurationError(field: "streams", value: "1025", legal: "1 … 1024")) {
            try good.validate(streamCount: 1025)
        }
        #expect(throws: ConfigurationError(field: "streams", value: "0", legal: "1 … 1024")) {
            try good.validate(streamCount: 0)
        }
        var wrong = good
        wrong.renewalJitterMs = .max
        #expect(throws: ConfigurationError.self) { try wrong.validate() }
        wrong = good
        wrong.terms.messagesPerSecondMax = .max
        #expect(throws: ConfigurationError.self) { try wrong.validate() }
    }
}
