// What REST answers from a capture: as deep as the capture proves, and nothing of which it proves nothing.

import BinanceVenue
import Foundation
import LobRecording
import MarketData
import SimulatedExchange
import Testing

@testable import ExchangeServer

@Suite struct CapturedBookTests {
    private static let symbol = SymbolName("BTCUSDT")

    private static func update(_ id: Int, _ bids: String, _ asks: String, symbol: String = "BTCUSDT")
        -> String
    {
        "{\"e\":\"depthUpdate\",\"E\":\(1_790_000_000_000 + id),\"s\":\"\(symbol)\",\"U\":\(id),\"u\":\(id),"
            + "\"b\":[\(bids)],\"a\":[\(asks)]}"
    }

    private static let body =
        "{\"lastUpdateId\":100,\"bids\":[[\"10.0\",\"1.0\"],[\"9.0\",\"1.0\"]],\"asks\":[[\"11.0\",\"1.0\"],[\"12.0\",\"1.0\"]]}"

    /// The answer to a question for the book when all lines have been played.
    private func answer(_ lines: [String], limit: Int = 1_000) throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("captured-\(UUID())")
        try (lines.joined(separator: "\n") + "\n").write(to: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: path) }
        let capture = try CapturedMarket(try CaptureFiles(path: path.path), market: .spot)
        var venue = Venue(VenueConfiguration(market: .spot, symbols: [], seed: 1))
        let player = try CapturePlayer(capture, isUnpaced: true, into: &venue)
        player.start(atUs: 0)
        while !player.play(untilUs: .max, countMax: 1_000, into: &venue) {}
        var response = venue.begin()
        player.answer(.depth(CapturedBookTests.symbol, limit: limit), &venue, &response)
        return String(decoding: response.body, as: UTF8.self)
    }

    @Test func whatIsProvenIsServed() throws {
        let deeper = CapturedBookTests.update(
            101, "[\"8.0\",\"5.0\"],[\"9.5\",\"1.0\"]", "[\"13.0\",\"5.0\"]")
        let text = try answer([CapturedBookTests.body, deeper])
        #expect(text.contains("\"bids\":[[\"10.0\",\"1.0\"],[\"9.5\",\"1.0\"],[\"9.0\",\"1.0\"]]"), "\(text)")
        #expect(text.contains("\"asks\":[[\"11.0\",\"1.0\"],[\"12.0\",\"1.0\"]]"), "\(text)")
    }

    /// All known asks are gone: those that came since may not be the best.
    @Test func aSideOfWhichNothingIsProvenIsNotServed() throws {
        let gone = CapturedBookTests.update(
            101, "", "[\"11.0\",\"0.0\"],[\"12.0\",\"0.0\"],[\"19.0\",\"1.0\"]")
        #expect(try answer([CapturedBookTests.body, gone]).contains("-1008"))
    }

    /// Bodies in replies and envelopes, and updates in envelopes, are what is in them.
    @Test func envelopes() throws {
        let update = CapturedBookTests.update(101, "[\"10.5\",\"1.0\"]", "")
        let lines = [
            "{\"id\":1,\"status\":200,\"result\":\(CapturedBookTests.body)}",
            "{\"ts_local\":1790000000.1,\"type\":\"depthUpdate\",\"data\":\(update)}",
        ]
        #expect(
            try answer(lines).contains("\"bids\":[[\"10.5\",\"1.0\"],[\"10.0\",\"1.0\"],[\"9.0\",\"1.0\"]]"))
    }

    /// A body that names no symbol is nobody's among several, whoever spoke first.
    @Test func aBodyOfSeveralSymbols() throws {
        let other = CapturedBookTests.update(1, "[\"1.0\",\"1.0\"]", "", symbol: "ETHUSDT")
        let update = CapturedBookTests.update(101, "[\"10.5\",\"1.0\"]", "")
        #expect(try answer([CapturedBookTests.body, update, other]).contains("-1008"))
    }

    /// Frames of a raw partial depth stream are no bodies.
    @Test func framesOfPartialDepth() throws {
        let levels = { (first: Int) in (0..<5).map { "[\"\(first + $0).0\",\"1.0\"]" }.joined(separator: ",")
        }
        let frame = "{\"lastUpdateId\":100,\"bids\":[\(levels(1))],\"asks\":[\(levels(11))]}"
        #expect(
            try answer([frame, CapturedBookTests.update(101, "[\"5.0\",\"2.0\"]", "")]).contains("-1008"))
    }

    /// The first body is too old, the next one is not.
    @Test func aLaterBody() throws {
        let old = CapturedBookTests.body.replacing(":100,", with: ":50,")
        let update = CapturedBookTests.update(101, "[\"10.5\",\"1.0\"]", "")
        #expect(try answer([old, CapturedBookTests.body, update]).contains("\"lastUpdateId\":101"))
        let next = CapturedBookTests.update(102, "[\"10.5\",\"2.0\"]", "")
        let later = CapturedBookTests.body.replacing(":100,", with: ":101,")
        #expect(try answer([old, update, later, next]).contains("\"lastUpdateId\":102"))
    }

    /// A time near the end of all times is not waited for, and is no trap.
    @Test func timesBeyondReason() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("captured-\(UUID())")
        let update = CapturedBookTests.update(101, "[\"10.5\",\"1.0\"]", "")
        let late = update.replacing("\"E\":1790000000101", with: "\"E\":9223372036854775807")
        try "\(update)\n\(late)\n".write(to: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: path) }
        let capture = try CapturedMarket(try CaptureFiles(path: path.path), market: .spot)
        var venue = Venue(VenueConfiguration(market: .spot, symbols: [], seed: 1))
        let player = try CapturePlayer(capture, isUnpaced: false, into: &venue)
        player.start(atUs: 1_800_000_000_000_000)
        #expect(player.play(untilUs: 1_800_000_001_000_000, countMax: 10, into: &venue))
        #expect(player.playedCount == 1 && player.nextUs == .max)
    }
}
