// Captures over real sockets: what is heard is what the file says, and REST follows it.

import BinanceServing
import BinanceVenue
import Foundation
import LobHandoff
import LobRecording
import LobTransport
import MarketData
import SimulatedExchange
import TestSupport
import Testing
import VenueSupport

@testable import ExchangeServer

/// A session made by the venue: what a collector would have written down of it.
private final class MadeSession {
    let market: Market
    let folder: URL
    var twin: Venue
    var lines: [(timeUs: Int64, text: String)] = []
    var snapshots: [(symbol: String, body: String)] = []
    private let connection: ConnectionID

    init(_ market: Market, seconds: Int64 = 3) throws {
        self.market = market
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("exchange-tests-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let symbols = ["BTCUSDT", "ETHUSDT"].map { VenueSymbol(SymbolName($0)!, lively(market)) }
        var configuration = VenueConfiguration(market: market, symbols: symbols, seed: 9)
        configuration.streamLatencyUs = 0...0
        configuration.snapshotLagUs = 0...0
        twin = Venue(configuration)
        let names = ["btcusdt@depth@100ms", "ethusdt@depth@100ms", "btcusdt@bookTicker"]
        connection = try twin.connect(names, isCombined: true)
        for turn in 1...(seconds * 10) {
            twin.advance(toUs: configuration.startUs + turn * 100_000)
            var heard: [(Int64, String)] = []
            twin.poll(connection) { heard.append(($0, String(decoding: $2.array, as: UTF8.self))) }
            lines += heard
            if turn != 4 { continue }
            for symbol in symbols {
                let body = twin.requestDepth(symbol: "\(symbol.name)", limit: 1_000).body
                snapshots.append(("\(symbol.name)", String(decoding: body, as: UTF8.self)))
            }
        }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func write(_ name: String, _ text: String) throws -> String {
        let file = folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try text.write(to: file, atomically: true, encoding: .utf8)
        return file.path
    }

    /// The payload inside a wrapper.
    static func payload(_ line: String) -> String {
        String(line.split(separator: ",\"data\":", maxSplits: 1)[1].dropLast())
    }

    /// Whether a REST body shows the true book at its id.
    func isTrue(_ body: [UInt8], of symbol: String) -> Bool {
        guard let json = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any],
            let id = (json["lastUpdateId"] as? NSNumber)?.int64Value
        else { return false }
        return twin.withTruth(of: SymbolName(symbol)!, at: UpdateID(id)) { book in
            zip(Side.allCases, ["bids", "asks"]).allSatisfy { side, key in
                let levels = (json[key] as? [[String]]) ?? []
                let truth = book[side].levels.suffix(levels.count).reversed().map {
                    [book.scales.text($0.price), book.scales.text($0.quantity)]
                }
                return !levels.isEmpty && levels == truth
            }
        } ?? false
    }
}

extension ExchangeTests {
    @Suite struct Captures {
        private func play(
            _ path: String, _ market: Market, _ bench: Bench, speed: Double? = 10, atOnce: Bool = false,
            stays: Bool = false
        ) throws -> ExchangeServer {
            let capture = try CapturedMarket(try CaptureFiles(path: path), market: market)
            var configuration = ExchangeServer.live(
                VenueConfiguration(market: market, symbols: [], seed: 1))
            configuration.dialect = .current(market)
            configuration.streamLatencyUs = 0...0
            var options = ExchangeServer.Options()
            options.speed = speed ?? 1
            options.isUnpaced = speed == nil
            options.playsAtOnce = atOnce
            options.staysWhenPlayed = stays
            return try ExchangeServer(playing: capture, configuration, on: bench.loop, options: options)
        }

        private static let names = "btcusdt@depth@100ms/ethusdt@depth@100ms/btcusdt@bookTicker"

        /// A file of times, messages and bodies: wrapped as they are, bare without their wrapper.
        @Test(arguments: Market.allCases) func oneFile(_ market: Market) throws {
            let made = try MadeSession(market)
            var text = made.lines.map { "\($0.timeUs)000 \($0.text)\n" }
            // Bodies of spot and USD-M name no symbol, so a file with two symbols can hold COIN-M's only.
            if market == .coinm { text.insert("\(made.lines[0].timeUs) \(made.snapshots[0].body)\n", at: 5) }
            let path = try made.write("capture", text.joined())
            let bench = try Bench()
            defer { bench.loop.close() }
            let server = try play(path, market, bench)
            let combined = try Listener(server, "/stream?streams=" + Captures.names, on: bench.loop)
            let raw = try Listener(server, "/ws/ethusdt@depth", on: bench.loop)
            bench.drive { combined.end != nil && raw.end != nil }
            #expect(combined.texts == made.lines.map(\.text))
            let eth = made.lines.map(\.text).filter { $0.hasPrefix("{\"stream\":\"ethusdt@depth") }
            // The capture began with whoever listened first.
            #expect(raw.texts == eth.suffix(raw.texts.count).map(MadeSession.payload))
            #expect(raw.texts.count > eth.count / 2)
            #expect(combined.end?.peerCode == 1001 && combined.end?.peerReason == "The capture is over")
            #expect(server.isPlayed && server.counters.playedCount == text.count)
            if market == .coinm {
                let body = try bench.get(server, "/dapi/v1/depth?symbol=BTCUSDT&limit=1000").body
                #expect(made.isTrue(body, of: "BTCUSDT"))
            }
        }

        /// A folder with times and bodies in files of their own; REST is true from the beginning to the end.
        @Test(arguments: Market.allCases) func folder(_ market: Market) throws {
            let made = try MadeSession(market)
            _ = try made.write("events.jsonl", made.lines.map { $0.text + "\n" }.joined())
            _ = try made.write(
                "recv_ts.txt", made.lines.map { "\(Double($0.timeUs) / 1e6)\n" }.joined())
            for snapshot in made.snapshots {
                _ = try made.write("snapshots/\(snapshot.symbol).json", snapshot.body)
            }
            let bench = try Bench()
            defer { bench.loop.close() }
            let server = try play(made.folder.path, market, bench)
            let base = ["/api/v3", "/fapi/v1", "/dapi/v1"][Market.allCases.firstIndex(of: market)!]
            var ids = Set<String>()
            func check() throws {
                for symbol in ["BTCUSDT", "ETHUSDT"] {
                    let body = try bench.get(server, base + "/depth?symbol=\(symbol)&limit=100")
                    #expect(made.isTrue(body.body, of: symbol))
                    ids.insert(String(body.text.prefix(40)))
                }
            }
            try check()
            #expect(ids.count == 2)
            let listener = try Listener(server, "/ws", on: bench.loop)
            bench.drive { listener.isOpen }
            bench.rest(ms: 40)
            #expect(server.counters.playedCount == 0, "it waits for somebody to listen")
            let names = Captures.names.split(separator: "/").map { "\"\($0)\"" }.joined(separator: ",")
            listener.send("{\"method\":\"SUBSCRIBE\",\"params\":[\(names)],\"id\":1}")
            while listener.end == nil {
                try check()
                bench.rest(ms: 20)
            }
            #expect(ids.count > 2, "books move")
            #expect(listener.texts.dropFirst() == made.lines.map { MadeSession.payload($0.text) }[...])
            let info = try bench.get(server, base + "/exchangeInfo").text
            #expect(info.contains("\"symbol\":\"BTCUSDT\"") && info.contains("\"symbol\":\"ETHUSDT\""))
            let tickers = try bench.get(server, base + "/ticker/bookTicker").text
            #expect(tickers.contains("\"symbol\":\"ETHUSDT\""))
            #expect(try bench.get(server, base + "/depth?symbol=NOSUCH").text.contains("-1121"))
        }

        /// Bare messages without a time: paced by their own, or as fast as they are read.
        @Test(arguments: [20.0, nil]) func bareMessages(_ speed: Double?) throws {
            let made = try MadeSession(.usdm)
            let bare = made.lines.map { MadeSession.payload($0.text) }
            let path = try made.write("bare.jsonl", bare.map { $0 + "\n" }.joined())
            let bench = try Bench()
            defer { bench.loop.close() }
            let server = try play(path, .usdm, bench, speed: speed)
            let listener = try Listener(server, "/public/stream?streams=" + Captures.names, on: bench.loop)
            let clock = ContinuousClock()
            let took = clock.measure { bench.drive { listener.end != nil } }
            #expect(listener.texts.map(MadeSession.payload) == bare)
            #expect(Set(listener.texts.map { $0.prefix { $0 != "," } }).count == 3)
            #expect(speed == nil || took > .milliseconds(100))
            // No snapshot: the symbol is listed, its book is not known.
            let answer = try bench.get(server, "/fapi/v1/depth?symbol=BTCUSDT")
            #expect(answer.status == 503 && answer.text.contains("-1008"))
        }

        @Test func playsAtOnceIfAsked() throws {
            let made = try MadeSession(.spot, seconds: 1)
            let path = try made.write("c.jsonl", made.lines.map { "\($0.timeUs) \($0.text)\n" }.joined())
            let bench = try Bench()
            defer { bench.loop.close() }
            let server = try play(path, .spot, bench, atOnce: true)
            bench.drive { server.isPlayed }
            #expect(server.counters.playedCount == made.lines.count)
        }

        /// Those who listen stay connected, others may come, and REST answers with the last book.
        @Test func staysIfAsked() throws {
            let made = try MadeSession(.spot, seconds: 1)
            _ = try made.write("events.jsonl", made.lines.map { $0.text + "\n" }.joined())
            for snapshot in made.snapshots {
                _ = try made.write("snapshots/\(snapshot.symbol).json", snapshot.body)
            }
            let bench = try Bench()
            defer { bench.loop.close() }
            let server = try play(made.folder.path, .spot, bench, speed: nil, stays: true)
            let listener = try Listener(server, "/stream?streams=" + Captures.names, on: bench.loop)
            bench.drive { server.isPlayed && listener.texts.count == made.lines.count }
            bench.rest(ms: 40)
            #expect(listener.end == nil)
            let body = try bench.get(server, "/api/v3/depth?symbol=BTCUSDT&limit=100").body
            #expect(made.isTrue(body, of: "BTCUSDT"))
            let late = try Listener(server, "/ws/btcusdt@depth", on: bench.loop)
            bench.drive { late.isOpen }
            server.shutDown()
            bench.drive { listener.end != nil && late.end != nil }
        }

        @Test func whatCannotBePlayed() throws {
            let made = try MadeSession(.spot, seconds: 1)
            let replies = try made.write("replies", "{\"result\":null,\"id\":1}\nhello\n")
            let tickers = made.lines.map(\.text).filter { $0.contains("@bookTicker") }
            let mute = try made.write("tickers", tickers.joined(separator: "\n"))
            var writer = try RecordingWriter(path: made.folder.path + "/r")
            Array(made.lines[0].text.utf8).withUnsafeBufferPointer {
                writer.write(Frame(kind: .message, source: 0, receivedAtNs: 1, bytes: $0))
            }
            try writer.finish()
            let table: [(path: String, text: String)] = [
                (mute, "\(mute): no depth update in it; is it of this market?"),
                (
                    made.folder.path + "/r",
                    "\(made.folder.path)/r: a recording of frames, which only 'lob replay' reads; play "
                        + "what it was made from"
                ),
                (replies, "\(replies): no message of a stream in it; is it of this market?"),
                (made.folder.path, "\(made.folder.path): a folder without events.jsonl or capture.txt"),
                (replies + "x", "\(replies)x: No such file or directory"),
            ]
            for row in table {
                do {
                    _ = try CapturedMarket(try CaptureFiles(path: row.path), market: .spot)
                    Issue.record("\(row.path) was taken")
                } catch {
                    #expect("\(error)" == row.text)
                }
            }
        }

        /// Every captured set plays to its end; where nothing is missing the books are known and uncrossed.
        @Test(.enabled(if: CapturedSet.root != nil, "captures are absent"), arguments: CapturedSet.sessions)
        func realSessions(_ set: CapturedSet) throws {
            let market = set.market!
            // Enough of every market and shape; the long ones would take seconds.
            if !set.name.hasPrefix("cf-") && !set.name.hasPrefix("cbf-") { return }
            let capture = try CapturedMarket(try CaptureFiles(path: set.folder.path), market: market)
            var venue = Venue(VenueConfiguration(market: market, symbols: [], seed: 1))
            let player = try CapturePlayer(capture, isUnpaced: true, into: &venue)
            player.start(atUs: 0)
            #expect(player.play(untilUs: 0, countMax: .max, into: &venue))
            #expect(player.isOver && player.damage == nil && player.playedCount == capture.messageCount)
            for symbol in capture.symbols {
                let target = RequestTarget(
                    path: venue.rules.market.requestPath + "/depth",
                    parameters: [.init("symbol", "\(symbol.name)"), .init("limit", "5")])
                var response = venue.begin()
                player.answer(try venue.rules.route(target), &venue, &response)
                if set.name.contains("-us-") && response.status == 503 { continue }
                let body = try JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any]
                let bid = (body?["bids"] as? [[String]])?.first?.first.flatMap { Double($0) }
                let ask = (body?["asks"] as? [[String]])?.first?.first.flatMap { Double($0) }
                #expect(bid != nil && ask != nil && bid! < ask!, "\(set.name) \(symbol.name)")
            }
        }
    }
}
