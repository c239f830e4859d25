// `lob convert`: what goes from one form to another and back is the same.

import ArgumentParser
import BinanceVenue
import BookRecording
import Foundation
import LobRecording
import MarketData
import TestSupport
import Testing

@testable import lob

/// A capture that a stranger could have written: every form of a time and of a line that is read.
private struct GeneratedCapture {
    private(set) var lines: [String] = []
    private var random: SeededRandom
    private var atNs: Int64 = 1_790_000_000_000_000_000

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        let names = ["AAAUSDT", "BBBUSDT", "CCCUSDT"].prefix(1 + Int(random.next() % 3))
        var ids = [String: Int](uniqueKeysWithValues: names.map { ($0, 100) })
        let form = Int(random.next() % 5)
        let isSmall = random.next() % 4 == 0
        for _ in 0..<(20 + random.next() % 60) {
            atNs += Int64(random.next() % 400_000_000)
            guard let name = names.randomElement(using: &random), let id = ids[name] else { continue }
            let letters = isSmall ? name.lowercased() : name
            switch random.next() % 12 {
            case 0: add(body(id), symbol: name, form, isBody: true)
            case 1: add("{\"e\":\"depthUp", symbol: name, form)
            case 2: lines.append("no message at all")
            case 3: add(body(id, levels: 5), symbol: name, form, isBody: true)
            default:
                let last = id + 1 + Int(random.next() % 3) + (random.next() % 29 == 0 ? 4 : 0)
                ids[name] = last
                let event = Session.event(
                    random.next() % 31 == 0 ? id + 3 : id + 1, last, levels(1, 50), levels(51, 50),
                    symbol: letters, timeMs: Int(atNs / 1_000_000))
                let stream = "{\"stream\":\"\(name.lowercased())@depth\",\"data\":\(event)}"
                add(random.next() % 2 == 0 ? event : stream, symbol: name, form)
            }
        }
        for name in names { add(body(ids[name] ?? 0), symbol: name, form, isBody: true) }
    }

    private mutating func levels(_ first: Int, _ count: UInt64) -> [(String, String)] {
        (0..<(1 + random.next() % 4)).map { _ in
            ("\(first + Int(random.next() % count)).00", "\(random.next() % 3).50")
        }
    }

    private mutating func body(_ id: Int, levels count: Int = 7) -> String {
        Session.body(
            id, (0..<count).map { ("\(50 - $0).00", "1.50") }, (0..<count).map { ("\(51 + $0).00", "2.50") })
    }

    private mutating func add(_ text: String, symbol: String, _ form: Int, isBody: Bool = false) {
        let time: String
        switch form {
        case 0: time = "\(atNs) "
        case 1: time = "\(atNs / 1_000_000),"
        case 2: time = "\(atNs / 1_000_000_000).\(1000 + atNs / 1_000_000 % 1000)\t"
        case 3: time = "\(UTCStamp(ns: atNs).text.replacing(" ", with: "T"))Z "
        default: time = ""
        }
        if form == 4 {
            lines.append("{\"rx\":\(atNs),\"symbol\":\"\(symbol)\",\"msg\":\(text)}")
        } else if isBody {
            lines.append("\(time){\"symbol\":\"\(symbol)\",\"data\":\(text)}")
        } else {
            lines.append(time + text)
        }
    }
}

@Suite struct ConvertTests {
    private static func convert(_ shop: Workshop, _ arguments: String...) throws -> Int32 {
        let command = try ConvertCommand.parse(
            arguments.map { $0.hasPrefix("/") ? shop.folder.path + $0 : $0 })
        do {
            try command.convert()
            return 0
        } catch let code as ExitCode {
            return code.rawValue
        }
    }

    private static func bytes(_ shop: Workshop, _ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: shop.folder.appendingPathComponent(name)))
    }

    /// Text, recording, text, recording: the same files; and over a packet capture the same text.
    @Test func roundTrips() throws {
        var (converted, toldCount) = (0, 0)
        for seed in UInt64(0)..<12 {
            let shop = try Workshop()
            try shop.write("c.txt", GeneratedCapture(seed: seed).lines)
            let market = ["--market", "spot"]
            func run(_ from: String, _ to: String) throws -> Int32 {
                try ConvertTests.convert(shop, from, "--out", to, market[0], market[1])
            }
            let isTold = try run("/c.txt", "/1.lobrec") == 2
            toldCount += isTold ? 1 : 0
            #expect(try ConvertTests.convert(shop, "/1.lobrec", "--out", "/1.txt") == 0, "seed \(seed)")
            #expect([0, 2].contains(try run("/1.txt", "/2.lobrec")), "seed \(seed)")
            #expect(try ConvertTests.convert(shop, "/2.lobrec", "--out", "/2.txt.gz") == 0)
            #expect([0, 2].contains(try run("/2.txt.gz", "/3.lobrec")))
            let first = try ConvertTests.bytes(shop, "1.lobrec")
            #expect(first == (try ConvertTests.bytes(shop, "2.lobrec")), "seed \(seed)")
            #expect(first == (try ConvertTests.bytes(shop, "3.lobrec")), "seed \(seed)")
            #expect(try ConvertTests.convert(shop, "/1.lobrec", "--out", "/1.pcap") == 0)
            #expect([0, 2].contains(try run("/1.pcap", "/4.txt")), "seed \(seed)")
            let text = try ConvertTests.bytes(shop, "1.txt")
            #expect(text == (try ConvertTests.bytes(shop, "4.txt")), "seed \(seed)")
            converted += text.count
        }
        // Lines of no use are told.
        #expect(converted > 30_000 && toldCount > 6)
    }

    /// What a recording of a capture says of itself, and what the other commands make of it.
    @Test func recordingsOfCaptures() throws {
        let shop = try Workshop()
        let lines = Session.events.enumerated().map { "\(1_790_000_000_100 + 100 * $0.offset) \($0.element)" }
        try shop.write("c", ["1790000000000 " + Session.snapshot] + lines)
        let made = try shop.run("convert", "c", "--out", "rec")
        #expect(made.status == 0 && made.err.contains("rec: 5 frames in 1 block of 1 segment"), "\(made.all)")
        expectSession(try shop.run("replay", "--json", "rec"))
        let verified = try shop.run("verify", "rec")
        #expect(verified.status == 0 && verified.out.contains("nothing disagrees"), "\(verified.all)")
        let facts = try shop.run("record-info", "rec")
        #expect(facts.status == 0 && facts.out.contains("2026-09-21 14:13:20.000"), "\(facts.all)")
        let text = try shop.run("convert", "rec", "--out", "-", "--to", "text")
        let expected =
            (["1790000000000000000 " + Session.snapshot]
            + Session.events.enumerated().map {
                "\(1_790_000_000_100_000_000 + 100_000_000 * $0.offset) \($0.element)"
            }).joined(separator: "\n") + "\n"
        #expect(text.status == 0 && text.out == expected, "\(text.all)")
        let exported = try shop.run("export", "rec", "--format", "tardis-quotes", "--out", "-")
        #expect(exported.status == 0 && exported.out.split(separator: "\n").count > 2, "\(exported.all)")
        // A folder of a capture, whose body lies beside it.
        try shop.write("set/events.jsonl", Session.events)
        try shop.write("set/snapshot.json", Session.snapshot.replacing(",\"asks\"", with: ",\n\"asks\""))
        #expect(try shop.run("convert", "set", "--out", "set.lobrec").status == 0)
        expectSession(try shop.run("replay", "--json", "set.lobrec"))
        let bare = try shop.run("convert", "set.lobrec", "--out", "-")
        #expect(bare.status == 0 && bare.out.hasSuffix(Session.events.joined(separator: "\n") + "\n"))
    }

    /// What is there stays, and what is read as well.
    @Test func placesThatAreTaken() throws {
        let shop = try Workshop()
        try shop.write("c", [Session.snapshot] + Session.events)
        try shop.write("taken.txt", "mine")
        try shop.write("full/thing", "mine")
        #expect(try shop.run("convert", "c", "--out", "rec").status == 0)
        for (out, words) in [
            ("taken.txt", "is there already; --force"), ("rec", "is there already; --force"),
            ("full", "holds more than segments"), ("none/rec", "cannot write"),
            ("none/c.txt", "cannot write"),
        ] { expectRefusal(try shop.run("convert", "c", "--out", out), words) }
        expectRefusal(
            try shop.run("convert", "c", "--out", "c", "--to", "text", "--force"), "is itself being read")
        expectRefusal(
            try shop.run("convert", "rec", "--out", "rec", "--to", "text", "--force"), "is itself being read")
        #expect(try shop.run("convert", "c", "--out", "taken.txt", "--force").status == 0)
        #expect(try shop.run("convert", "c", "--out", "rec", "--force").status == 0)
        for arguments in [
            ["c", "--out", "x.csv"], ["rec", "--out", "other"], ["c", "rec", "--out", "x.txt"],
            ["c", "--out", "-", "--to", "pcap"],
        ] {
            let ran = try shop.run(shell: "lob convert \(arguments.joined(separator: " "))")
            #expect(ran.status == 64, "\(ran.all)")
        }
        // Nothing half is left.
        try shop.write("junk", "no message\n")
        expectRefusal(try shop.run("convert", "junk", "--out", "junk.lobrec"), "junk")
        let left = try FileManager.default.contentsOfDirectory(atPath: shop.folder.path).sorted()
        #expect(left == [".err", ".out", "c", "full", "junk", "rec", "taken.txt"], "\(left)")
    }

    /// Two sessions in one recording would be one that stands still.
    @Test func severalSessions() throws {
        let shop = try Workshop()
        let again = Session.event(5, 9, [], [("50000.20", "1.00000")], timeMs: 1_790_000_900_000)
        try shop.write("c", ([Session.snapshot] + Session.events + [again]).map { "1790000000000 \($0)" })
        expectRefusal(
            try shop.run("convert", "c", "--market", "spot", "--out", "rec"), "begin anew at 5, after 106")
        #expect(try shop.run("convert", "c", "--market", "spot", "--out", "c.pcap").status == 0)
        #expect(try shop.run("convert", "c.pcap", "--market", "spot", "--out", "-").out.contains(again))
    }

    /// Updates of several connections that were recorded together, which overlap.
    @Test func severalConnections() throws {
        let shop = try Workshop()
        let other = [
            Session.event(
                101, 104, pu: 100, [("50000.10", "1.75000"), ("50000.00", "0.00000")], [],
                timeMs: 1_790_000_000_150),
            Session.event(
                105, 106, pu: 104, [], [("50000.20", "0.00000"), ("50000.30", "2.50000")],
                timeMs: 1_790_000_000_250),
        ]
        let events = [Session.futures[0], other[0], Session.futures[1], other[1], Session.futures[2]]
        try shop.write("c", [Session.snapshot] + events)
        let replayed = try shop.run("replay", "c", "--json", "--market", "usdm")
        #expect(replayed.err.contains("like those of several connections"), "\(replayed.all)")
        #expect(try shop.run("convert", "c", "--market", "usdm", "--out", "rec").status == 0)
        let recorded = try shop.run("replay", "rec", "--json")
        #expect(
            recorded.status == replayed.status && recorded.member("digest") == replayed.member("digest"),
            "\(replayed.all)\n\(recorded.all)")
    }

    @Test(.enabled(if: CapturedSet.root != nil, "the captured sets are absent: set LOB_CAPTURES"))
    func capturedSets() throws {
        let shop = try Workshop()
        let root = try #require(CapturedSet.root)
        for name in ["cf-coinm-10sym-2021-04-17", "cf-spot-4sym-2021-10", "cf-usdm-4sym-2021-07"] {
            let set = root.appendingPathComponent(name).path
            func digests(_ path: String) throws -> [String] {
                let lines = try shop.run("replay", "--json", path).out.split(separator: "\n")
                return lines.compactMap { line in
                    line.split(separator: "\"digest\":\"").last.map { String($0.prefix(16)) }
                }
            }
            let expected = try digests(set)
            #expect(expected.count > 3)
            #expect(try shop.run("convert", set, "--out", name).status == 0)
            #expect(try digests(name) == expected)
            #expect(try shop.run("convert", name, "--out", "\(name).pcap").status == 0)
            #expect(try digests("\(name).pcap") == expected)
            #expect(try shop.run("convert", "\(name).pcap", "--out", "\(name)-2").status == 0)
            #expect(try digests("\(name)-2") == expected)
        }
    }
}
