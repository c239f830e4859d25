// A venue that sends checksums with its updates: the engine is given the rule as a value, and believes no
// book that has another one.

import BinanceVenue
import BookEngine
import DepthBook
import Foundation
import MarketData
import TestSupport
import Testing

private let btc: SymbolName = "BTCUSDT"

@Suite struct VenueChecksumTests {
    /// The rule of a venue: ten levels, asks before bids, digits alone.
    private static let rule = BookChecksum(
        levelCount: 10, order: .asksThenBids, numbers: .digits, separator: nil)

    private static func update(_ id: Int, bids: String, checksum: String) -> String {
        "{\"e\":\"depthUpdate\",\"E\":1700000000000,\"s\":\"BTCUSDT\",\"U\":\(id),\"u\":\(id),"
            + "\"b\":\(bids),\"a\":[],\"checksum\":\(checksum)}"
    }

    private static func checksum(_ text: String) -> UInt32 { CRC32.value(of: Array(text.utf8).span, .ieee) }

    /// The texts of the book behind update 11: ask 10.0:1.0, bids 9.6:2.0 and 9.5:1.0; and behind update 12,
    /// which adds the bid 9.7:3.0.
    @Test func oneWrongChecksumEndsTheTrust() {
        let (first, second) = (
            VenueChecksumTests.checksum("1001096209510"), VenueChecksumTests.checksum("10010973096209510")
        )
        for (told, isRight) in [(second, true), (second ^ 1, false), (first, false)] {
            var h = EngineHarness { $0.checksum = VenueChecksumTests.rule }
            h.frame(.connected)
            h.snapshot(10, bids: ["9.5:1.0"], asks: ["10.0:1.0"])
            h.message(VenueChecksumTests.update(11, bids: "[[\"9.6\",\"2.0\"]]", checksum: "\(first)"))
            #expect(h.status().state == .live)
            h.message(VenueChecksumTests.update(12, bids: "[[\"9.7\",\"3.0\"]]", checksum: "\(told)"))
            let counters = h.status().counters
            #expect(counters.checksumsCompared == 2 && counters.checksumsAgreed == (isRight ? 2 : 1))
            #expect(h.status().state == (isRight ? .live : .stale), "\(told)")
            #expect(h.status().reason == (isRight ? .none : .mismatch))
        }
    }

    /// Also of updates that wait for the snapshot, and of those that a candidate gets.
    @Test(arguments: [false, true]) func kept(_ isRight: Bool) {
        let right = VenueChecksumTests.checksum("1001096209510")
        let told = isRight ? right : right ^ 1
        let update = VenueChecksumTests.update(11, bids: "[[\"9.6\",\"2.0\"]]", checksum: "\(told)")
        var h = EngineHarness { $0.checksum = VenueChecksumTests.rule }
        h.frame(.connected)
        h.message(update)
        h.snapshot(10, bids: ["9.5:1.0"], asks: ["10.0:1.0"])
        #expect((h.status().state == .live) == isRight)
        #expect(h.status().counters.checksumsCompared == 1)
        // A candidate whose snapshot lacks a level is refused by the update that waited for it, before it is
        // compared with anything.
        var g = EngineHarness {
            $0.checksum = VenueChecksumTests.rule
            $0.auditEveryNs = 1_000_000_000
        }
        g.frame(.connected)
        g.snapshot(10, bids: ["9.5:1.0"], asks: ["10.0:1.0"])
        g.message(VenueChecksumTests.update(11, bids: "[[\"9.6\",\"2.0\"]]", checksum: "\(right)"))
        var isAsked = false
        for _ in 0..<40 where !isAsked {
            g.tick(afterNs: 250_000_000)
            isAsked = g.requests().contains(.ask(btc, .audit, attempt: 0))
        }
        #expect(isAsked)
        g.message(VenueChecksumTests.update(12, bids: "[]", checksum: "\(right)"))
        let before = g.status().counters.auditsCompared
        g.snapshot(11, bids: isRight ? ["9.6:2.0", "9.5:1.0"] : ["9.6:2.0"], asks: ["10.0:1.0"])
        #expect(g.status().state == .live && g.book(.bid) == ["9.6:2.0", "9.5:1.0"])
        #expect(g.status().counters.auditsCompared - before == (isRight ? 1 : 0))
    }

    /// Without a rule nothing is compared, and an update without a checksum says nothing of the one before.
    @Test func whatIsNotAskedForIsNotCompared() {
        var h = EngineHarness()
        h.frame(.connected)
        h.snapshot(10, bids: ["9.5:1.0"], asks: ["10.0:1.0"])
        h.message(VenueChecksumTests.update(11, bids: "[[\"9.6\",\"2.0\"]]", checksum: "5"))
        #expect(h.status().state == .live && h.status().counters.checksumsCompared == 0)
        h = EngineHarness { $0.checksum = VenueChecksumTests.rule }
        h.frame(.connected)
        h.snapshot(10, bids: ["9.5:1.0"], asks: ["10.0:1.0"])
        let right = VenueChecksumTests.checksum("1001096209510")
        h.message(VenueChecksumTests.update(11, bids: "[[\"9.6\",\"2.0\"]]", checksum: "\(right)"))
        h.update(12, 12, bids: ["9.7:1.0"])
        #expect(h.status().state == .live && h.status().counters.checksumsCompared == 1)
        h.message(VenueChecksumTests.update(13, bids: "[]", checksum: "4294967296"))
        #expect(h.engine.counters.malformed == 1)
    }

    // MARK: - Captured traffic of such a venue

    /// A captured message in the shape that the engine reads, of one pair.
    private struct Step {
        var symbol: SymbolName
        var isSnapshot: Bool
        var bids: [[String]]
        var asks: [[String]]
        var checksum: UInt32?
    }

    private static func steps(limit: Int) throws -> [Step] {
        let captured = try #require(CapturedSet.named("ck-kraken-v1-2021-04-05"))
        func rows(_ value: Any?) -> [[String]] {
            (value as? [[Any]] ?? []).map { $0.prefix(2).compactMap { $0 as? String } }
        }
        return try captured.messages(limit: limit).compactMap { line in
            guard let parts = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [Any],
                let name = parts.last as? String, let symbol = SymbolName(name)
            else { return nil }
            let bodies = parts.compactMap { $0 as? [String: Any] }
            if let body = bodies.first, body["bs"] != nil {
                return Step(symbol: symbol, isSnapshot: true, bids: rows(body["bs"]), asks: rows(body["as"]))
            }
            let told = bodies.compactMap { $0["c"] as? String }.last
            return Step(
                symbol: symbol, isSnapshot: false, bids: bodies.flatMap { rows($0["b"]) },
                asks: bodies.flatMap { rows($0["a"]) }, checksum: told.flatMap { UInt32($0) })
        }
    }

    private static func text(_ rows: [[String]]) -> String {
        "[" + rows.map { "[\"\($0[0])\",\"\($0[1])\"]" }.joined(separator: ",") + "]"
    }

    /// Feeds steps until one leaves its book stale.
    ///
    /// - Parameter change: may alter a step before it is fed.
    /// - Returns: the step that did, or the number of all, and the checksums that agreed.
    private static func replay(
        _ steps: [Step], change: (Int, inout Step) -> Void = { _, _ in }
    ) -> (stoppedAt: Int, agreed: Int, reason: StaleReason) {
        let names = Set(steps.map(\.symbol))
        var h = EngineHarness(symbols: names.map { "\($0)" }) {
            $0.checksum = VenueChecksumTests.rule
            $0.levelCountMax = 1000
        }
        var ids: [SymbolName: Int] = [:]
        var agreed = 0
        h.frame(.connected)
        for (index, step) in steps.enumerated() {
            var step = step
            change(index, &step)
            h.nowNs += 1_000_000
            let id = ids[step.symbol, default: 100] + 1
            ids[step.symbol] = id
            if step.isSnapshot {
                let levels = { (rows: [[String]]) in rows.map { "\($0[0]):\($0[1])" } }
                h.snapshot(id, bids: levels(step.bids), asks: levels(step.asks), symbol: "\(step.symbol)")
                continue
            }
            let checksum = step.checksum.map { ",\"checksum\":\($0)" } ?? ""
            h.message(
                "{\"e\":\"depthUpdate\",\"E\":1700000000000,\"s\":\"\(step.symbol)\",\"U\":\(id),\"u\":\(id),"
                    + "\"b\":\(text(step.bids)),\"a\":\(text(step.asks))\(checksum)}")
            guard let mark = h.engine.mark(of: step.symbol) else { continue }
            if mark.state != .live { return (index, agreed, mark.reason) }
            agreed += step.checksum == nil ? 0 : 1
        }
        return (steps.count, agreed, .none)
    }

    @Test(.enabled(if: CapturedSet.root != nil, "no captures")) func aWholeCaptureIsBelieved() throws {
        let steps = try VenueChecksumTests.steps(limit: .max)
        let result = VenueChecksumTests.replay(steps)
        #expect(result.stoppedAt == steps.count && result.agreed == 14_496, "\(result)")
    }

    /// The last digit of a quantity that the checksum covers, in one update.
    @Test(.enabled(if: CapturedSet.root != nil, "no captures")) func oneFlippedDigitIsCaughtAtOnce() throws {
        let steps = try VenueChecksumTests.steps(limit: 3_000)
        let candidates = steps.indices.filter { !steps[$0].isSnapshot && !steps[$0].bids.isEmpty }
        var caught = 0
        for at in stride(from: 100, to: candidates.count, by: max(candidates.count / 8, 1)) {
            let victim = candidates[at]
            let result = VenueChecksumTests.replay(Array(steps.prefix(victim + 1))) { index, step in
                if index != victim { return }
                // The best bid, so that it lies within the first ten.
                let digit = step.bids[0][1].last == "7" ? "3" : "7"
                step.bids[0] = [step.bids[0][0], String(step.bids[0][1].dropLast()) + digit]
            }
            // A level beyond the first ten changes no checksum.
            if result.stoppedAt == victim && result.reason == .mismatch { caught += 1 }
            #expect(result.stoppedAt >= victim, "\(result)")
        }
        #expect(caught >= 4, "\(caught)")
    }
}
