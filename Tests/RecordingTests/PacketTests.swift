// Packet captures: what is written is read again, and what is damaged is told and never a trap.

import Foundation
import MarketData
import TestSupport
import Testing

@testable import LobRecording

/// A message of a capture as a test compares it.
private struct Found: Equatable {
    var atNs: Int64?
    var text: String
}

private struct Reading {
    var found: [Found] = []
    var error: ReadingError?
}

private func read(_ bytes: [UInt8]) throws -> Reading {
    try withFile(bytes) { path in
        var reading = Reading()
        do throws(ReadingError) {
            var reader = try CaptureReader(path: path)
            while let line = try reader.next() {
                reading.found.append(
                    Found(
                        atNs: line.receivedAtNs,
                        text: String(decoding: unsafe line.message, as: UTF8.self)))
            }
        } catch {
            reading.error = error
        }
        return reading
    }
}

/// A capture of two connections and two bodies, with messages of every length of a frame's head.
private struct PacketFixture {
    private(set) var bytes: [UInt8] = []
    private(set) var expected: [Found] = []
    /// Where the record of each packet begins.
    private(set) var records: [Int] = []

    static let names = PacketWriter.Names(
        exchange: "BINANCE", streamURL: "wss://stream.binance.com:9443/stream",
        depthURL: "https://api.binance.com/api/v3/depth?symbol=")

    init(lengths: [Int] = [2, 125, 126, 4000, 65_535, 65_536, 140_000], symbol: SymbolName = "BTCUSDT") {
        let box = Box()
        var writer = PacketWriter(PacketFixture.names) { box.add($0) }
        var atNs: Int64 = 1_700_000_000_123_456_789
        writer.connect(1, atNs: atNs)
        for (index, length) in lengths.enumerated() {
            atNs += 1_000_003
            let text = String(repeating: "\(index % 10)", count: length)
            writer.message(Array(text.utf8), from: UInt32(index % 2 + 1), atNs: atNs)
            expected.append(Found(atNs: atNs, text: text))
            if index % 3 == 1 {
                atNs += 1
                writer.snapshot(Array("{\"lastUpdateId\":\(index)}".utf8), of: symbol, limit: 100, atNs: atNs)
                expected.append(
                    Found(
                        atNs: atNs,
                        text: "{\"symbol\":\"\(symbol)\",\"data\":{\"lastUpdateId\":\(index)}}"))
            }
        }
        writer.finish(atNs: atNs)
        bytes = box.bytes
        records = box.records
    }

    private final class Box {
        var bytes: [UInt8] = []
        var records: [Int] = []

        func add(_ more: [UInt8]) {
            if !bytes.isEmpty { records.append(bytes.count) }
            bytes += more
        }
    }
}

@Suite struct PacketTests {
    @Test func whatIsWrittenIsRead() throws {
        let fixture = PacketFixture()
        let reading = try read(fixture.bytes)
        #expect(reading.error == nil && reading.found == fixture.expected)
        // Three of each opening and each closing, two of each handshake, two of each answer, the messages,
        // and more segments of the long ones.
        #expect(fixture.records.count == 3 * 3 + 3 * 3 + 2 * 2 + 2 * 2 + 7 + 1 + 1 + 2)
    }

    /// The first packets, byte by byte: an opening segment, and its answer.
    @Test func packetsAreThoseOfTheLayout() {
        let bytes = PacketFixture(lengths: [2]).bytes
        #expect(
            Array(bytes[0..<24]) == [
                0x4D, 0x3C, 0xB2, 0xA1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0,
            ])
        let packet = Array(bytes[40..<94])
        #expect(Array(packet[12..<18]) == [8, 0, 0x45, 0, 0, 40])
        #expect(Array(packet[26..<38]) == [10, 0, 0, 1, 10, 0, 0, 2, 0x9C, 0x40, 0, 80])
        #expect(Array(packet[38..<50]) == [0, 0, 0, 0, 0, 0, 0, 0, 0x50, 2, 0xFF, 0xFF])
        // Both checks make the sum of what they cover nothing.
        #expect((try? PacketSegment(packet, link: 1))?.isRight == true)
    }

    /// The other orders of bytes and units of times, and packets that begin with their IP header.
    @Test func otherHeads() throws {
        let fixture = PacketFixture(lengths: [2, 300])
        func rewritten(isBig: Bool, inMicroseconds: Bool, isRaw: Bool) -> [UInt8] {
            func number(_ value: UInt32) -> [UInt8] {
                let bytes = (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
                return isBig ? bytes.reversed() : bytes
            }
            var made = number(inMicroseconds ? 0xA1B2_C3D4 : 0xA1B2_3C4D)
            made += [UInt8](repeating: 0, count: 16) + number(isRaw ? 101 : 1)
            for (index, begin) in fixture.records.enumerated() {
                let end = index + 1 < fixture.records.count ? fixture.records[index + 1] : fixture.bytes.count
                let old = (0..<4).map { word in
                    PacketFile.number(
                        fixture.bytes[(begin + 4 * word)..<(begin + 4 * word + 4)], isBigEndian: false)
                }
                let packet = fixture.bytes[(begin + 16 + (isRaw ? 14 : 0))..<end]
                made += number(old[0]) + number(inMicroseconds ? old[1] / 1000 : old[1])
                made += number(UInt32(packet.count)) + number(UInt32(packet.count)) + packet
            }
            return made
        }
        for isBig in [false, true] {
            for inMicroseconds in [false, true] {
                for isRaw in [false, true] {
                    let reading = try read(
                        rewritten(isBig: isBig, inMicroseconds: inMicroseconds, isRaw: isRaw))
                    let expected = fixture.expected.map {
                        inMicroseconds
                            ? Found(atNs: ($0.atNs ?? 0) / 1000 * 1000, text: $0.text) : $0
                    }
                    #expect(reading.error == nil && reading.found == expected)
                }
            }
        }
    }

    @Test func foreignAndEmptyCaptures() throws {
        var bytes = PacketFixture(lengths: [2]).bytes
        bytes[20] = 113
        guard case .foreign(_, let format, _) = try read(bytes).error else {
            Issue.record("a foreign link is read")
            return
        }
        #expect(format.contains("113"))
        guard case .foreign(_, _, let advice) = try read(Array(bytes[..<20]) + [1, 0, 0, 0]).error else {
            Issue.record("an empty capture is read")
            return
        }
        #expect(advice.contains("no WebSocket message"))
        #expect(try read(Array(bytes[..<12])).error != nil)
        // A packet longer than any, and one whose length is beyond the file.
        bytes[20] = 1
        for length: [UInt8] in [[0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 3, 0]] {
            var long = bytes
            long.replaceSubrange((fixtureRecord + 8)..<(fixtureRecord + 12), with: length)
            guard case .damaged = try read(long).error else {
                Issue.record("a packet that cannot be is read")
                return
            }
        }
    }

    private var fixtureRecord: Int { PacketFile.headerLength }

    /// Segments that come twice change nothing; one that is missing ends its conversation and no other.
    @Test func repeatedAndMissingSegments() throws {
        let fixture = PacketFixture()
        func packets(_ change: (Int, [UInt8]) -> [[UInt8]]) -> [UInt8] {
            var made = Array(fixture.bytes[..<PacketFile.headerLength])
            for (index, begin) in fixture.records.enumerated() {
                let end = index + 1 < fixture.records.count ? fixture.records[index + 1] : fixture.bytes.count
                for packet in change(index, Array(fixture.bytes[begin..<end])) { made += packet }
            }
            return made
        }
        let twice = try read(packets { _, packet in [packet, packet] })
        #expect(twice.error == nil && twice.found == fixture.expected)
        // The first message of the first connection: what follows in it is lost, the second goes on.
        let missing = try read(packets { index, packet in index == 5 ? [] : [packet] })
        let odd = fixture.expected.filter { found in
            found.text.hasPrefix("{") || "13579".contains(found.text.prefix(1))
        }
        #expect(missing.found == odd)
        guard case .damaged(_, _, let reason) = missing.error else {
            Issue.record("a missing segment is not told")
            return
        }
        #expect(reason.contains("are missing before packet"))
    }

    /// Any end and any flipped bit: no trap, and what is delivered is a beginning of the truth, or told.
    @Test func cutsAndFlips() throws {
        let fixture = PacketFixture(lengths: [2, 125, 300, 90, 4000, 7])
        var random = SeededRandom(seed: 5)
        // As many as CI wants; a few each day.
        let flipCount = ProcessInfo.processInfo.environment["LOB_HOSTILE"].flatMap { Int($0) } ?? 200
        for _ in 0..<(flipCount / 10) {
            let length = Int(random.next() % UInt64(fixture.bytes.count))
            let reading = try read(Array(fixture.bytes[..<length]))
            #expect(fixture.expected.starts(with: reading.found), "cut at \(length)")
            let isEnd = fixture.records.contains(length)
            #expect(isEnd || length == 0 || reading.error != nil, "cut at \(length)")
        }
        var counts = (told: 0, harmless: 0, timeOnly: 0, silent: 0)
        for _ in 0..<flipCount {
            let bit = Int(random.next() % UInt64(8 * fixture.bytes.count))
            var bytes = fixture.bytes
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            let reading = try read(bytes)
            if reading.error != nil {
                counts.told += 1
            } else if reading.found == fixture.expected {
                counts.harmless += 1
            } else if reading.found.map(\.text) == fixture.expected.map(\.text) {
                counts.timeOnly += 1
            } else {
                counts.silent += 1
            }
        }
        // The layout has no check over times. Nothing else may be wrong without a word, except what turns a
        // packet into one of another protocol or conversation.
        #expect(counts.silent <= flipCount / 100 && counts.told > flipCount * 3 / 4, "\(counts)")
        print("packet captures, \(flipCount) flips: \(counts)")
    }
}
