// Names that the venue refuses, from one connection to the next.

import BinanceVenue
import FeedPlan
import Testing

struct SupervisorRefusalTests {
    /// More names are refused than one connection finds: the next ones know them and find the rest. Then the
    /// names that were refused are asked for once more, together and then alone, and cost nothing else.
    @Test func whatIsFoundIsNotSoughtAgain() {
        let streams = (0..<1024).map { "s\($0)@depth" }
        let unwanted = Set((0..<24).map { streams[$0 * 41] })
        var h = SupervisorHarness(.usdm, streams: streams)
        var words = h.start()
        var id: UInt16 = 0
        for _ in 0..<2000 where !words.contains(where: { $0.hasPrefix("up") }) {
            if words == ["open \(id + 1)"] {
                id += 1
                words = h.opened(id)
            } else if words == ["sub \(id)"] {
                let isRefused = h.requests[id]!.last!.streams.contains(where: unwanted.contains)
                words = isRefused ? h.refused(id) : h.accepted(id)
            } else {
                words = h.wait(atMostMs: 600_000)
            }
        }
        let without = unwanted.sorted().map { "without \($0)" }.joined(separator: " ")
        #expect((2...8).contains(id) && words == ["up \(id) \(without)"])
        // The next connection: five batches of the others, one of these, and each of them alone.
        h.nowMs += 60_000
        _ = h.shutdown(id)
        id += 1
        words = h.opened(id)
        for _ in 0..<200 where words.isEmpty || words == ["sub \(id)"] {
            let isRefused = h.requests[id]!.last!.streams.contains(where: unwanted.contains)
            words = words.isEmpty ? h.wait(atMostMs: 2000) : isRefused ? h.refused(id) : h.accepted(id)
        }
        #expect(words == ["up \(id) \(without)"] && h.requests[id]!.count == 5 + 1 + unwanted.count)
    }

    /// A venue that refused everything and serves again is asked in whole batches.
    @Test func aVenueThatRefusedEverything() {
        var h = SupervisorHarness(.usdm, streams: (0..<400).map { "s\($0)@depth" })
        var words = h.start()
        var id: UInt16 = 0
        for _ in 0..<1000 where id < 4 {
            if words == ["open \(id + 1)"] {
                id += 1
                words = h.opened(id)
            } else {
                words = words == ["sub \(id)"] ? h.refused(id) : h.wait(atMostMs: 600_000)
            }
        }
        for _ in 0..<100 where words.first?.hasPrefix("up") != true {
            words = words == ["sub 4"] ? h.accepted(4) : h.wait(atMostMs: 600_000)
        }
        #expect(words == ["up 4"] && h.requests[4]!.count == 3)
        #expect(Set(h.requests[4]!.flatMap(\.streams)).count == 400)
    }
}
