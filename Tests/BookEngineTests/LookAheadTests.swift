// Looking ahead is a matter of time alone: the books are those of the same frames without it, whatever is
// guessed of whose they are.

import BinanceVenue
import DepthBook
import LobHandoff
import MarketData
import TestSupport
import Testing

@testable import BookEngine

@Suite struct LookAheadTests {
    private static let names = (0..<BookEngine.lookAheadCountMin + 40).map { "AB\($0)USDT" }

    private static func harness() -> EngineHarness {
        var h = EngineHarness(symbols: names)
        for name in names { h.goLive(symbol: name) }
        return h
    }

    /// One stream name in twenty is another symbol's, and one is nobody's.
    private static func messages(_ count: Int) -> [String] {
        var random = SeededRandom(seed: 3)
        var last = [Int](repeating: 10, count: names.count)
        return (0..<count).map { _ in
            let symbol = random.below(names.count)
            last[symbol] += 1
            let bid = EngineHarness.levels(["\(random.below(9) + 1).0:\(random.below(3)).0"])
            let ask = EngineHarness.levels(["\(random.below(9) + 10).0:\(random.below(3)).0"])
            let bare =
                "{\"e\":\"depthUpdate\",\"E\":1700000000000,\"s\":\"\(names[symbol])\",\"U\":\(last[symbol]),"
                + "\"u\":\(last[symbol]),\"b\":\(bid),\"a\":\(ask)}"
            let other = random.below(20)
            let stream =
                other == 0 ? names[random.below(names.count)] : other == 1 ? "ZZZUSDT" : names[symbol]
            return random.chance(0.5)
                ? bare : "{\"stream\":\"\(stream.lowercased())@depth@100ms\",\"data\":\(bare)}"
        }
    }

    @Test func booksAreTheSameAsFrameByFrame() throws {
        var single = Self.harness()
        var ahead = Self.harness()
        let ring = try FrameRing(capacityBytes: 1 << 20)
        var producer = ring.producer
        var consumer = ring.consumer
        var random = SeededRandom(seed: 4)
        var waiting = 0
        for message in Self.messages(3000) {
            single.message(message)
            let isWritten = producer.write(
                .message, source: 1, receivedAtNs: ahead.nowNs, Array(message.utf8).span)
            #expect(isWritten)
            waiting += 1
            if random.below(8) == 0 {
                while waiting > 0 {
                    let taken = ahead.engine.doWork(&consumer, limit: random.below(4) + 1)
                    waiting -= taken
                }
            }
        }
        ahead.engine.doWork(&consumer)
        for name in Self.names {
            #expect(ahead.book(.bid, name) == single.book(.bid, name))
            #expect(ahead.book(.ask, name) == single.book(.ask, name))
            #expect(ahead.status(name).counters.applied == single.status(name).counters.applied)
            #expect(ahead.status(name).state == .live || single.status(name).state != .live)
        }
        #expect(ahead.engine.counters.depthUpdates == single.engine.counters.depthUpdates)
    }

    /// A view shows no level that another symbol's view had left in the room they share.
    @Test func viewsShareARoomAndNoLevels() {
        var h = EngineHarness(symbols: ["BTCUSDT", "ETHUSDT"])
        h.goLive()
        h.goLive(symbol: "ETHUSDT")
        h.update(11, 11, bids: (1...7).map { "\($0).5:3.0" })
        h.update(11, 11, bids: ["8.0:0.0"], symbol: "ETHUSDT")
        var view = BookView()
        _ = h.engine.views(of: "ETHUSDT")!.read(into: &view)
        #expect(view.symbol == "ETHUSDT" && view.bidCount == 1 && view.askCount == 2)
        for place in 1..<BookView.levelCountMax { #expect(view.bids[place] == PriceLevel(0, 0)) }
        for place in 2..<BookView.levelCountMax { #expect(view.asks[place] == PriceLevel(0, 0)) }
        _ = h.engine.views(of: "BTCUSDT")!.read(into: &view)
        #expect(view.symbol == "BTCUSDT" && view.bidCount == 9)
    }
}

@Suite struct SymbolHintsTests {
    private static func slot(_ hints: SymbolHints, _ text: String, kind: FrameKind = .message) -> Int {
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBufferPointer {
            hints.slot(of: Frame(kind: kind, source: 0, receivedAtNs: 0, bytes: $0))
        }
    }

    private static let tail = ",\"U\":157,\"u\":160,\"b\":[[\"0.0024\",\"10\"]],\"a\":[[\"0.0026\",\"100\"]]}"

    private static func bare(_ name: String, times: String = "\"E\":1700000000000,") -> String {
        "{\"e\":\"depthUpdate\",\(times)\"s\":\"\(name)\"" + tail
    }

    private static func combined(_ name: String) -> String {
        "{\"stream\":\"\(name.lowercased())@depth@100ms\",\"data\":" + bare(name) + "}"
    }

    /// Names of every length, and more than a table holds before it grows.
    @Test func everyNameIsFoundInEveryShape() {
        var hints = SymbolHints()
        let names =
            ["A", "BTCUSDT", "1000SATS", "BTCUSD_PERP", "ABCDEFGHIJKLMNO", "BTCUSDT_250627", "ETH_USDC"]
            + (0..<600).map { "Q\($0)USDT" }
        for name in names { hints.add(SymbolName(name)!) }
        let times = "\"E\":1700000000000,\"T\":1700000000000,"
        for (slot, name) in names.enumerated() {
            #expect(Self.slot(hints, Self.combined(name)) == slot)
            #expect(Self.slot(hints, Self.bare(name)) == slot)
            #expect(Self.slot(hints, Self.bare(name, times: times)) == slot)
        }
    }

    @Test func whatCannotBeSeenIsNoSlot() {
        var hints = SymbolHints()
        for name in ["BTCUSDT", "ETHUSDT"] { hints.add(SymbolName(name)!) }
        let tail = String(repeating: " ", count: 100)
        #expect(Self.slot(hints, Self.bare("ETHUSDT")) == 1)
        for text in [
            Self.bare("XRPUSDT"), Self.combined("XRPUSDT"), Self.bare("ETHUSDT", times: ""), "{}", "", tail,
            "{\"u\":400900217,\"s\":\"ETHUSDT\",\"b\":\"25.35\",\"B\":\"31.21\",\"a\":\"25.36\"}\(tail)",
            "{\"stream\":\"ethusdt" + tail,
        ] {
            #expect(Self.slot(hints, text) == -1, "\(text)")
        }
        #expect(Self.slot(hints, Self.bare("ETHUSDT"), kind: .depthSnapshot) == -1)
        #expect(Self.slot(SymbolHints(), Self.bare("ETHUSDT")) == -1)
    }
}
