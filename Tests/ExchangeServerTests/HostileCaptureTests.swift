// Captures that no honest collector writes: times, lines and numbers of symbols beyond measure.

import BinanceVenue
import Foundation
import LobRecording
import MarketData
import SimulatedExchange
import Testing

@testable import ExchangeServer

@Suite struct HostileCaptureTests {
    private static func update(_ symbol: String, eventTimeMs: Int64, _ id: Int = 5) -> String {
        "{\"e\":\"depthUpdate\",\"E\":\(eventTimeMs),\"T\":1690000000000,\"s\":\"\(symbol)\",\"U\":\(id),"
            + "\"u\":\(id + 1),\"pu\":\(id - 1),\"b\":[[\"1.00\",\"2.0\"]],\"a\":[[\"1.10\",\"3.0\"]]}"
    }

    private func capture(_ lines: [String]) throws -> CapturedMarket {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("capture-\(UUID()).txt").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try lines.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
        return try CapturedMarket(CaptureFiles(path: path), market: .usdm)
    }

    /// Plays lines from a file that is kept for as long; the times at which messages were due.
    private func dueTimes(_ lines: [String], startUs: Int64) throws -> [Int64] {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("capture-\(UUID()).txt").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try lines.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
        let capture = try CapturedMarket(CaptureFiles(path: path), market: .usdm)
        var configuration = VenueConfiguration(market: .usdm, symbols: [], seed: 1)
        configuration.dialect = .classic(.usdm)
        var venue = Venue(configuration)
        let player = try CapturePlayer(capture, isUnpaced: false, into: &venue)
        player.start(atUs: startUs)
        var times: [Int64] = []
        while let dueUs = player.nextUs {
            times.append(dueUs)
            _ = player.play(untilUs: dueUs, countMax: 1, into: &venue)
            if times.count > 10 { break }
        }
        return times
    }

    @Test(arguments: [Int64.max, Int64.max / 1_000, 5_000_000_000_000_000_000, 0] as [Int64])
    func eventTimes(_ eventTimeMs: Int64) throws {
        let sane = Self.update("BTCUSDT", eventTimeMs: 1_690_000_000_000)
        let odd = Self.update("BTCUSDT", eventTimeMs: eventTimeMs, 7)
        for lines in [[odd, odd], [sane, odd, sane], [odd, sane]] {
            let times = try dueTimes(lines, startUs: 1_700_000_000_000_000)
            #expect(
                times.count == lines.count && times == times.sorted() && times[0] == 1_700_000_000_000_000)
        }
    }

    @Test func receiveTimes() throws {
        let update = Self.update("BTCUSDT", eventTimeMs: 1_690_000_000_000)
        let times = try dueTimes(
            ["1000000000 " + update, "9223372036854775807 " + update], startUs: .max - 5)
        #expect(times == [.max - 5, .max])
    }

    @Test func moreSymbolsThanCanBeServed() throws {
        let names = (0...CapturedMarket.symbolCountMax).map { "S\($0)" }
        let lines = names.map { Self.update($0, eventTimeMs: 1_690_000_000_000) }
        #expect(try capture(Array(lines.dropLast())).symbols.count == CapturedMarket.symbolCountMax)
        do throws(CaptureError) {
            _ = try tooMany(lines)
            Issue.record("served")
        } catch {
            #expect("\(error)".hasSuffix("more than 4096 symbols; play a capture of fewer"), "\(error)")
        }
    }

    private func tooMany(_ lines: [String]) throws(CaptureError) -> CapturedMarket {
        do {
            return try capture(lines)
        } catch let error as CaptureError {
            throw error
        } catch {
            throw .empty(path: "\(error)")
        }
    }

    /// A long line that is no message costs a look at its beginning; a name without an end is none.
    @Test func longForeignLines() throws {
        let length = 4 << 20
        let x = String(repeating: "x", count: length)
        let lines = [
            x, "{\"stream\":\"" + x, "{\"stream\":\"" + x + "\",\"data\":{}}", "{\"s\":\"" + x + "\"}",
            Self.update("BTCUSDT", eventTimeMs: 1_690_000_000_000),
        ]
        let clock = ContinuousClock()
        var streams: [String] = []
        let time = try clock.measure { streams = try capture(lines).streams }
        #expect(streams == ["btcusdt@depth"])
        #expect(time < .seconds(4), "\(time)")
    }
}
