// Subscribing and resubscribing: batches, pace, answers in every shape, and what a refusal leads to.

import BinanceVenue
import FeedPlan
import MarketData
import Testing

struct SupervisorRequestTests {
    static let many = (0..<1000).map { "s\($0)@depth" }

    @Test func batchesAndPace() {
        for (market, perSecond) in [(Market.spot, 3), (.usdm, 6), (.coinm, 6)] {
            var h = SupervisorHarness(market, streams: Self.many) { $0.batchNameCountMax = 50 }
            _ = h.start()
            var times = [h.nowMs]
            #expect(h.opened(1) == ["sub 1"])
            while h.requests[1]!.count < 20 {
                if h.accepted(1).isEmpty { #expect(h.wait(atMostMs: 1000) == ["sub 1"]) }
                times.append(h.nowMs)
            }
            #expect(h.accepted(1) == ["up 1"])
            #expect(h.requests[1]!.flatMap(\.streams) == Self.many)
            #expect(h.requests[1]!.map(\.id) == Array(1...20))
            for index in times.indices.dropFirst(perSecond) {
                #expect(times[index] - times[index - perSecond] >= 1000)
            }
        }
    }

    @Test func pongsTakeRoom() {
        var h = SupervisorHarness(streams: Self.many)
        _ = h.start()
        for _ in 0..<3 { #expect(h.sent(1) == []) }
        #expect(h.opened(1) == [])
        #expect(h.pass(999) == [])
        #expect(h.pass(1) == ["sub 1"])
    }

    @Test(arguments: [
        RequestID.integer(1), .text("1"),
    ]) func anIdInEitherShape(_ id: RequestID) {
        var h = SupervisorHarness()
        _ = h.start()
        _ = h.opened(1)
        #expect(h.replied(1, to: id, .accepted(.list)) == ["up 1"])
    }

    @Test func answersOfOthers() {
        var h = SupervisorHarness()
        _ = h.start()
        _ = h.opened(1)
        let ids: [RequestID?] = [.integer(2), .integer(0), .text("x"), .null, nil]
        for id in ids { #expect(h.replied(1, to: id, .accepted(.done)) == []) }
        for id in ids.prefix(3) { #expect(h.replied(1, to: id, .refused(code: 2, text: "")) == []) }
        #expect(h.reports.isEmpty)
        #expect(h.accepted(1) == ["up 1"])
        #expect(h.accepted(1) == [])  // twice
        #expect(h.refused(1) == [] && h.reports.count == 1)
    }

    @Test func refusedOnceThenAccepted() {
        for id in [RequestID.integer(1), .null, nil] {
            var h = SupervisorHarness()
            _ = h.start()
            _ = h.opened(1)
            #expect(h.replied(1, to: id, .refused(code: 2, text: "no")) == ["sub 1"])
            let first = h.requests[1]![0]
            #expect(h.reports == [.refused(1, first, code: 2, text: "no", isFinal: false)])
            #expect(h.requests[1]![1].streams == first.streams && h.requests[1]![1].id == 2)
            #expect(h.accepted(1) == ["up 1"])
        }
    }

    @Test func refusedTwice() {
        var h = SupervisorHarness(streams: ["a@depth@100ms"])
        _ = h.start()
        _ = h.opened(1)
        _ = h.refused(1)
        #expect(h.refused(1) == ["close 1"])
        #expect(h.wait(atMostMs: 1000) == ["open 2"])
        _ = h.opened(2)
        #expect(h.accepted(2) == ["up 2"])
    }

    /// The venue does not take some of the names: the others are subscribed without them, within the budget.
    @Test(arguments: [[0], [99], [3, 57], [10, 11, 12, 13, 14]]) func namesThatAreRefused(_ bad: [Int]) {
        let streams = (0..<100).map { "s\($0)@depth@100ms" }
        let unwanted = Set(bad.map { streams[$0] })
        var h = SupervisorHarness(.usdm, streams: streams)
        _ = h.start()
        _ = h.opened(1)
        var taken = Set<String>()
        var words: [String] = []
        let isUp = (["up 1"] + unwanted.sorted().map { "without \($0)" }).joined(separator: " ")
        for _ in 0..<100 where words != [isUp] {
            let names = h.requests[1]!.last!.streams
            let isRefused = names.contains(where: unwanted.contains)
            if !isRefused { taken.formUnion(names) }
            words = isRefused ? h.refused(1) : h.accepted(1)
            if words.isEmpty { words = h.wait(atMostMs: 2000) }
        }
        #expect(words == [isUp] && taken == Set(streams).subtracting(unwanted))
        #expect(h.requests[1]!.count <= 2 + 14 * bad.count)
        let told = h.reports.compactMap { report -> String? in
            if case .refused(_, let request, _, _, isFinal: true) = report { request.streams[0] } else { nil }
        }
        #expect(Set(told) == unwanted && told.count == bad.count)
        // Asked for again, each is requested alone, and a refusal costs nothing else.
        _ = h.resubscribe(unwanted.sorted())
        let sentCount = h.requests[1]!.count
        words = h.wait(atMostMs: 5000)
        for name in unwanted.sorted() {
            #expect(words == ["sub 1"] && h.requests[1]!.last!.streams == [name])
            words = h.refused(1)
        }
        #expect(words == [] && h.requests[1]!.count == sentCount + unwanted.count)
        #expect(h.wait(atMostMs: 5000) == [])
        for _ in 0..<100 {
            _ = h.resubscribe([unwanted.min()!])
            #expect(h.wait(atMostMs: 5000) == ["sub 1"] && h.refused(1) == [])
        }
        // One that is accepted at last is a stream like any other.
        let late = unwanted.min()!
        _ = h.resubscribe([late])
        #expect(h.wait(atMostMs: 5000) == ["sub 1"])
        _ = h.accepted(1)
        #expect(h.resubscribed == [late])
        _ = h.resubscribe([late])
        #expect(h.wait(atMostMs: 5000) == ["unsub 1"])
    }

    /// A venue that refuses everything is given up before long.
    @Test(arguments: [1, 2, 3, 200, 1000]) func everythingIsRefused(_ count: Int) {
        var h = SupervisorHarness(streams: (0..<count).map { "s\($0)@depth@100ms" })
        _ = h.start()
        _ = h.opened(1)
        var words: [String] = []
        for _ in 0..<100 where words != ["close 1"] {
            words = h.refused(1)
            if words.isEmpty { words = h.wait(atMostMs: 2000) }
        }
        #expect(words == ["close 1"] && h.requests[1]!.count <= 65)
    }

    /// Names that look the same and differ in their bytes are different streams: each has its own fate.
    @Test func namesAreTheirBytes() {
        let (composed, decomposed) = ("caf\u{e9}usdt@depth", "cafe\u{301}usdt@depth")
        var h = SupervisorHarness(.usdm, streams: [composed, decomposed])
        h.connect()
        #expect(h.isConnected && h.requests[1]!.flatMap(\.streams).count == 2)
        _ = h.resubscribe([decomposed])
        #expect(h.wait(atMostMs: 1000) == ["unsub 1"])
        #expect(h.requests[1]!.last!.streams.map { Array($0.utf8) } == [Array(decomposed.utf8)])
        h = SupervisorHarness(.usdm, streams: [composed, decomposed]) { $0.batchNameCountMax = 1 }
        _ = h.start()
        _ = h.opened(1)
        _ = h.refused(1)
        _ = h.refused(1)
        #expect(h.accepted(1) == ["up 1 without \(composed)"])
        #expect(h.supervisor.refused(on: 1).map { Array($0.utf8) } == [Array(composed.utf8)])
    }

    @Test func everyBatchHasItsOwnSecondChance() {
        var h = SupervisorHarness(.usdm) { $0.batchNameCountMax = 1 }
        _ = h.start()
        _ = h.opened(1)
        for _ in 0..<3 {
            if h.refused(1).isEmpty { #expect(h.wait(atMostMs: 1000) == ["sub 1"]) }
            if h.accepted(1).isEmpty { _ = h.wait(atMostMs: 1000) }
        }
        #expect(h.isConnected)
        #expect(h.requests[1]!.map(\.streams[0]) == SupervisorHarness.streams.flatMap { [$0, $0] })
    }

    @Test func noAnswerInTime() {
        var h = SupervisorHarness()
        _ = h.start()
        _ = h.opened(1)
        #expect(h.pass(9_999) == [])
        #expect(h.pass(1) == ["close 1"])
        #expect(h.reports.first == .unanswered(1, h.requests[1]![0]))
        #expect(h.wait(atMostMs: 1000) == ["open 2"])
    }

    // MARK: - Resubscribing

    @Test func gathersUnsubscribesAndSubscribes() {
        var h = SupervisorHarness(.usdm)
        h.connect()
        h.nowMs += 10_000
        #expect(h.resubscribe(["a@depth@100ms"]) == [])
        h.nowMs += 400
        #expect(h.resubscribe(["b@depth@100ms", "a@depth@100ms", "stranger@depth"]) == [])
        #expect(h.pass(99) == [])
        #expect(h.pass(1) == ["unsub 1"])
        #expect(h.accepted(1) == ["sub 1"] && h.resubscribed == [])
        #expect(h.accepted(1) == [] && h.resubscribed == ["a@depth@100ms", "b@depth@100ms"])
        let last = h.requests[1]!.suffix(2)
        #expect(
            last.map(\.streams) == [["a@depth@100ms", "b@depth@100ms"], ["a@depth@100ms", "b@depth@100ms"]])
        #expect(last.map(\.method) == [.unsubscribe, .subscribe])
        #expect(h.resubscribe(["stranger@depth"]) == [] && h.supervisor.wakeAtMs! > h.nowMs + 60_000)
    }

    @Test func refusedToUnsubscribe() {
        var h = SupervisorHarness(.usdm)
        h.connect()
        _ = h.resubscribe(["a@depth@100ms"])
        #expect(h.pass(500) == ["unsub 1"])
        #expect(h.refused(1) == ["sub 1"])
        #expect(h.accepted(1) == [])
    }

    @Test func refusedToResubscribe() {
        var h = SupervisorHarness(.usdm)
        h.connect()
        _ = h.resubscribe(["a@depth@100ms"])
        _ = h.pass(500)
        _ = h.accepted(1)
        #expect(h.refused(1) == ["sub 1"])
        #expect(h.refused(1) == ["open 2"] && h.resubscribed == [])
        #expect(h.reports.last == .replacing(1, .refused))
    }

    @Test func noAnswerWhileServing() {
        var h = SupervisorHarness(.usdm)
        h.connect()
        _ = h.resubscribe(["a@depth@100ms"])
        _ = h.pass(500)
        #expect(h.pass(10_000) == ["open 2"])
        #expect(h.reports.last == .replacing(1, .unanswered))
        #expect(h.pass(10_000) == [])
        #expect(h.accepted(1) == [])  // too late
    }

    @Test func tooManyLostStreams() {
        let streams = (0..<8).map { "s\($0)@depth" }
        var h = SupervisorHarness(.usdm, streams: streams)
        h.connect()
        for stream in [0, 0, 0, 1] {
            #expect(h.resubscribe([streams[stream], streams[stream]]) == [])
            #expect(h.wait(atMostMs: 30_000) == ["unsub 1"])
            #expect(h.accepted(1) == ["sub 1"])
            #expect(h.accepted(1) == [])
        }
        #expect(h.resubscribe([streams[1]]) == ["open 2"])
        #expect(h.reports.last == .replacing(1, .lostStreams(count: 2)))
    }

    /// A stream that lives is silent for long now and then; that adds up to nothing.
    @Test func rareSilenceIsNoLoss() {
        let streams = (0..<8).map { "s\($0)@depth" }
        var h = SupervisorHarness(.usdm, streams: streams)
        h.connect()
        for _ in 0..<5 {
            #expect(h.wait(atMostMs: 600_001) == [])
            #expect(h.resubscribe(streams) == [])
            #expect(h.wait(atMostMs: 30_000) == ["unsub 1"])
            #expect(h.accepted(1) == ["sub 1"])
            #expect(h.accepted(1) == [])
        }
        #expect(h.resubscribe(streams) == ["open 2"])
        #expect(h.reports.last == .replacing(1, .lostStreams(count: 8)))
    }

    @Test func resubscribesOnTheNewestThatIsSubscribed() {
        var h = SupervisorHarness(.usdm)
        h.replace()
        _ = h.resubscribe(["a@depth@100ms"])
        #expect(h.pass(500) == ["unsub 1"])
        h = SupervisorHarness(.usdm)
        h.overlap()
        _ = h.resubscribe(["a@depth@100ms"])
        #expect(h.pass(500) == ["unsub 2"])
    }

    // MARK: - Texts

    @Test func requestTexts() {
        let subscribe = StreamRequest(
            id: 7, method: .subscribe, streams: ["btcusdt@depth@100ms", "币安人生usdt@bookTicker"])
        #expect(
            subscribe.text
                == #"{"method":"SUBSCRIBE","params":["btcusdt@depth@100ms","币安人生usdt@bookTicker"],"id":7}"#)
        let odd = StreamRequest(id: 1, method: .unsubscribe, streams: ["a\"b\\c\u{1}"])
        #expect(odd.text == #"{"method":"UNSUBSCRIBE","params":["a\"b\\c\u0001"],"id":1}"#)
    }

    @Test func shardsAreEvenAndComplete() {
        let symbols = (0..<1000).map { SymbolName("S\($0)")! }
        for streams in 1...3 {
            let shards = ShardPlan.shards(symbols + symbols, streamsPerSymbol: streams, streamCountMax: 1024)
            #expect(shards.count == [1, 2, 3][streams - 1])
            #expect(shards.allSatisfy { $0.count * streams <= 1024 })
            #expect(Set(shards.flatMap { $0 }).count == 1000 && shards.reduce(0) { $0 + $1.count } == 1000)
            #expect(shards.map(\.count).max()! - shards.map(\.count).min()! <= 1)
        }
        let four = ShardPlan.shards(
            Array(symbols.prefix(3)), streamsPerSymbol: 2, streamCountMax: 1024, shardCountMin: 4)
        #expect(four == symbols.prefix(3).map { [$0] })
        #expect(ShardPlan.shards([], streamsPerSymbol: 1, streamCountMax: 1024).isEmpty)
    }

    @Test func streamNames() {
        var choice = StreamSelection()
        choice.partialLevelCount = 20
        let spot = Endpoints(market: .spot)!
        let name = SymbolName("BTCUSDT")
        #expect(
            choice.names(of: name, at: spot)
                == ["btcusdt@depth@100ms", "btcusdt@bookTicker", "btcusdt@depth20@100ms"])
        #expect(choice.streamsPerSymbol == 3)
        choice.depthInterval = .ms250
        #expect(choice.names(of: name, at: spot) == nil)
        choice = StreamSelection()
        choice.hasBookTicker = false
        #expect(choice.names(of: name, at: spot) == ["btcusdt@depth@100ms"])
        choice.partialLevelCount = 7
        #expect(choice.names(of: name, at: spot) == nil)
    }
}
