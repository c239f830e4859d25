import DepthBook
import Foundation
import MarketData
import Testing

@testable import BookExports

@Suite struct ExportTests {
    private static let second: Int64 = 1_000_000_000
    private static let head = "binance,BTCUSDT,"

    /// Three bids of which the last bounds what is known, and two asks that are all.
    private func load(_ exported: inout ExportedBook, _ id: Int = 10, atNs: Int64) throws {
        try exported.load(
            id, [("10.00", "1.5"), ("9.90", "2.0"), ("9.80", "3.0")], [("10.10", "4.0"), ("10.20", "5.0")],
            limit: 3, atNs: atNs)
    }

    @Test func numbers() {
        func text(_ mantissa: Int64, _ decimals: Int) -> String {
            var text = ExportText()
            text.append(Price(mantissa), SymbolScales(priceDecimals: decimals, quantityDecimals: 0))
            return String(decoding: text.bytes, as: UTF8.self)
        }
        for mantissa in [0, 1, 9, 10, 99, 100, 12_345_678, Int64.max, -1, -1234, .min] {
            for decimals in 0...18 {
                #expect(text(mantissa, decimals) == decimalText(mantissa: mantissa, decimals: decimals))
            }
        }
    }

    @Test func theBytesOfAnIncrementalBook() throws {
        let place = ExportPlace()
        let sink = IncrementalSink(try place.file(), exchange: "binance")
        var exported = ExportedBook(sink)
        try load(&exported, atNs: ExportTests.second)
        // A level outside the proven range is not told, one of a complete side always is.
        try exported.update(
            11, 12, [("9.95", "7.0"), ("9.70", "1.0"), ("9.90", "0.0")], [("11.00", "1.0")],
            atNs: 2 * ExportTests.second)
        // A break: nothing until the next proof, which says all again.
        try exported.update(
            14, 15, [("9.95", "8.0")], atNs: 3 * ExportTests.second, isProven: false, isApplied: false)
        try exported.update(
            16, 17, [("9.95", "9.0")], atNs: 4 * ExportTests.second, isProven: false, isApplied: false)
        try load(&exported, 20, atNs: 5 * ExportTests.second)
        // One that was received again moves nothing.
        try exported.update(18, 20, [("9.95", "1.0")], atNs: 6 * ExportTests.second, isApplied: false)
        #expect(exported.exporter.beginnings == 2 && exported.exporter.breaks == 1)
        try sink.finish()
        let head = ExportTests.head
        let snapshot = ["bid,10.00,1.5", "bid,9.90,2.0", "bid,9.80,3.0", "ask,10.10,4.0", "ask,10.20,5.0"]
        #expect(
            place.lines == ["exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount"]
                + snapshot.map { "\(head)1000000,1000000,true,\($0)" }
                + ["bid,9.95,7.0", "bid,9.90,0.0", "ask,11.00,1.0"].map {
                    "\(head)2000000,2000000,false,\($0)"
                }
                // The venue's last word on the time is that of the update before.
                + snapshot.map { "\(head)2000000,5000000,true,\($0)" }, "\(place.lines)")
    }

    /// Rows of snapshots that follow each other are one snapshot: the second one is set apart.
    @Test func aBookThatBeginsTwice() throws {
        let place = ExportPlace()
        let sink = IncrementalSink(try place.file(), exchange: "binance")
        var exported = ExportedBook(sink)
        for (id, price) in [(10, "9.00"), (20, "8.00"), (30, "7.00")] {
            try exported.load(id, [(price, "1.0")], [], limit: 3, atNs: Int64(id) * ExportTests.second)
            if id == 20 {
                try exported.update(21, 21, [("8.00", "2.0")], atNs: 25 * ExportTests.second)
            }
        }
        try sink.finish()
        let rows = place.lines.dropFirst().map {
            $0.split(separator: ",").dropFirst(4).joined(separator: ",")
        }
        #expect(
            rows == [
                "true,bid,9.00,1.0", "false,bid,9.00,0.0", "true,bid,8.00,1.0", "false,bid,8.00,2.0",
                "true,bid,7.00,1.0",
            ], "\(place.lines)")
    }

    @Test func theBytesOfTopLevels() throws {
        let (place, quotes) = (ExportPlace(), ExportPlace())
        for (place, layout) in [(place, TopLevelsSink.Layout.levels(5)), (quotes, .quotes)] {
            let sink = TopLevelsSink(try place.file(), exchange: "binance", layout, isSampled: false)
            var exported = ExportedBook(sink)
            try load(&exported, atNs: ExportTests.second)
            try exported.update(11, 12, [("9.70", "1.0")], atNs: 2 * ExportTests.second)
            try exported.update(13, 13, [("10.00", "0.0")], atNs: 3 * ExportTests.second)
            try sink.finish()
        }
        let head = ExportTests.head
        #expect(
            Array(place.lines.dropFirst()) == [
                head + "1000000,1000000,10.10,4.0,10.00,1.5,10.20,5.0,9.90,2.0,,,9.80,3.0,,,,,,,,",
                head + "3000000,3000000,10.10,4.0,9.90,2.0,10.20,5.0,9.80,3.0,,,,,,,,,,,,",
            ], "\(place.lines)")
        #expect(
            quotes.lines == [
                "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount",
                head + "1000000,1000000,4.0,10.10,10.00,1.5", head + "3000000,3000000,4.0,10.10,9.90,2.0",
            ], "\(quotes.lines)")
    }

    /// Samples at full multiples, also where nothing changed, none of a book that is not proven: neither
    /// behind a break nor between the last update and the break.
    @Test func samples() throws {
        let place = ExportPlace()
        let sink = TopLevelsSink(try place.file(), exchange: "binance", .quotes, isSampled: true)
        var exported = ExportedBook(sink, .init(everyNs: ExportTests.second))
        exported.sample(atNs: 1)
        try load(&exported, atNs: ExportTests.second / 2)
        try exported.update(11, 12, [("10.05", "1.0")], atNs: ExportTests.second * 7 / 2)
        try exported.update(13, 13, [("10.06", "1.0")], atNs: ExportTests.second * 9 / 2)
        exported.sample(atNs: 6 * ExportTests.second)
        try exported.update(
            15, 16, [], atNs: ExportTests.second * 15 / 2, isProven: false, isApplied: false)
        exported.sample(atNs: 9 * ExportTests.second)
        try load(&exported, 20, atNs: ExportTests.second * 19 / 2)
        exported.sample(atNs: 10 * ExportTests.second)
        exported.sample(atNs: 11 * ExportTests.second)
        try exported.update(21, 21, [("10.07", "1.0")], atNs: ExportTests.second * 23 / 2)
        try sink.finish()
        let rows = place.lines.dropFirst().map { $0.split(separator: ",") }
        #expect(
            rows.map { $0[3] } == ["1000000", "2000000", "3000000", "4000000", "10000000", "11000000"],
            "\(place.lines)")
        // Each as the book was at that time.
        #expect(rows.map { $0[6] } == ["10.00", "10.00", "10.00", "10.05", "10.00", "10.00"])
    }

    /// Another stream has times of its own, also earlier ones.
    @Test func samplesOfASecondStream() throws {
        let place = ExportPlace()
        let sink = IncrementalSink(try place.file(), exchange: "binance")
        var exported = ExportedBook(sink, .init(everyNs: ExportTests.second))
        for id in [10, 20] {
            exported.exporter.beginStream()
            exported.sample(atNs: 1)
            try load(&exported, id, atNs: 2)
            exported.sample(atNs: 5 * ExportTests.second)
            try exported.update(id + 1, id + 1, [("10.05", "1.0")], atNs: 5 * ExportTests.second + 1)
            exported.sample(atNs: 9 * ExportTests.second)
        }
        #expect(exported.exporter.beginnings == 2 && exported.exporter.breaks == 0)
        try sink.finish()
    }

    /// Of the changes between two samples the last quantity of each price counts.
    @Test func sampledChanges() throws {
        let place = ExportPlace()
        let sink = IncrementalSink(try place.file(), exchange: "binance")
        var exported = ExportedBook(sink, .init(everyNs: ExportTests.second))
        exported.sample(atNs: 1)
        try load(&exported, atNs: 2)
        try exported.update(11, 12, [("10.05", "1.0")], atNs: ExportTests.second + 1)
        try exported.update(13, 13, [("10.05", "0.0"), ("9.90", "6.0")], atNs: ExportTests.second + 2)
        exported.sample(atNs: 2 * ExportTests.second)
        try exported.update(14, 14, [("9.90", "8.0")], atNs: 2 * ExportTests.second + 1)
        try sink.finish()
        let changes = place.lines.filter { $0.contains(",false,") }.map {
            $0.split(separator: ",").suffix(3).joined(separator: ",")
        }
        #expect(
            changes == ["bid,10.05,0.0", "bid,9.90,6.0"],
            "\(place.lines)")
    }

    @Test func whatABodyMaySay() {
        let table: [(bids: Int, asks: Int, complete: (Bool, Bool), wanted: (Int, Int))] = [
            (1000, 800, (false, true), (1000, 800)), (800, 1000, (false, true), (800, 800)),
            (1003, 998, (false, false), (998, 998)), (30, 40, (true, true), (30, 40)),
            (20, 20, (false, false), (19, 19)), (5, 3, (false, true), (4, 3)), (0, 7, (false, true), (0, 0)),
        ]
        for (bids, asks, complete, wanted) in table {
            let counts = MessageSink.counts((bids, asks), (bids: complete.0, asks: complete.1))
            #expect(counts == wanted, "\(bids), \(asks)")
        }
    }

    @Test func theBytesOfMessages() throws {
        let place = ExportPlace()
        let sink = MessageSink(try place.file(), namesSymbols: true)
        var exported = ExportedBook(sink)
        try load(&exported, atNs: 5)
        try exported.update(11, 12, [("9.95", "7.0")], atNs: 2_000_000)
        try sink.finish()
        // Three bids bound what is known, so the two asks are seen to be all.
        #expect(
            place.lines == [
                "5 {\"symbol\":\"BTCUSDT\",\"data\":{\"lastUpdateId\":10,\"bids\":[[\"10.00\",\"1.5\"],"
                    + "[\"9.90\",\"2.0\"],[\"9.80\",\"3.0\"]],\"asks\":[[\"10.10\",\"4.0\"],[\"10.20\",\"5.0\"]]}}",
                "2000000 {\"e\":\"depthUpdate\",\"E\":2,\"s\":\"BTCUSDT\",\"U\":11,\"u\":12,"
                    + "\"b\":[[\"9.95\",\"7.0\"]],\"a\":[]}",
            ], "\(place.lines)")
    }

    /// An archive as ZIP readers want it: lengths, checks and offsets that are true.
    @Test func theBytesOfAnEventArray() throws {
        let place = ExportPlace()
        let sink = EventArraySink(try place.file(isPatched: true))
        var exported = ExportedBook(sink)
        try load(&exported, atNs: ExportTests.second)
        try exported.update(11, 12, [("9.95", "7.0")], atNs: 2 * ExportTests.second)
        try sink.finish()
        let bytes = place.bytes
        func word(_ at: Int, _ count: Int = 8) -> UInt64 {
            (0..<count).reduce(0) { $0 | UInt64(bytes[at + $1]) << (8 * UInt64($1)) }
        }
        let (head, array) = (58, 320)
        #expect(
            bytes.starts(with: [0x50, 0x4B, 3, 4])
                && bytes[head..<(head + 6)].elementsEqual([0x93] + Array("NUMPY".utf8)))
        let member = Array(bytes[head..<(head + array + 8 * 64)])
        #expect(word(14, 4) == UInt64(CRC32.value(of: member.span, .ieee)))
        #expect(word(42) == UInt64(member.count) && word(50) == UInt64(member.count))
        #expect(String(decoding: member[10..<320], as: UTF8.self).contains("'shape': (8,), }"))
        // The end names the directory, which lies behind the rows.
        let directory = head + member.count
        #expect(word(directory, 4) == 0x0201_4B50 && word(directory + 16, 4) == word(14, 4))
        let end = directory + 46 + 8 + 20
        #expect(word(end, 4) == 0x0606_4B50 && word(end + 48) == UInt64(directory))
        #expect(word(bytes.count - 22, 4) == 0x0605_4B50 && bytes.count == end + 56 + 20 + 22)
        // The rows: a clear that names the bound, levels, a clear of a complete side, levels, a change.
        func row(_ index: Int) -> [UInt64] { (0..<8).map { word(head + array + 64 * index + 8 * $0) } }
        let kinds = (0..<8).map { row($0)[0] & 0xFF }
        #expect(kinds == [3, 4, 4, 4, 3, 4, 4, 1])
        #expect(row(0)[0] == 0xE000_0003 && row(4)[0] == 0xD000_0003)
        #expect(Double(bitPattern: row(0)[3]).isNaN && Double(bitPattern: row(0)[7]) == 9.8 && row(0)[6] == 0)
        #expect(Double(bitPattern: row(4)[7]).isNaN && row(4)[6] == 1)
        #expect(Double(bitPattern: row(7)[3]) == 9.95 && Double(bitPattern: row(7)[4]) == 7)
        #expect(row(7)[1] == 2_000_000_000 && row(7)[2] == 2_000_000_000)
    }

    /// Times that go back are held, and said.
    @Test func timesThatGoBack() throws {
        let place = ExportPlace()
        let sink = EventArraySink(try place.file(isPatched: true))
        var exported = ExportedBook(sink, .init(shiftNs: -500_000_000))
        try load(&exported, atNs: ExportTests.second)
        try exported.update(11, 12, [("9.95", "7.0")], atNs: 2 * ExportTests.second)
        try exported.update(13, 13, [("9.95", "8.0")], atNs: ExportTests.second)
        #expect(sink.note?.contains("received before the venue made them, by up to") == true)
        try sink.finish()
    }

    @Test func filesThatCannotBe() throws {
        #expect(throws: ExportError.self) { _ = try ExportFile(path: "/nowhere/at/all") }
        #expect(throws: ExportError.needsFile(path: "/dev/null")) {
            _ = try ExportFile(path: "/dev/null", isPatched: true)
        }
        #expect(throws: ExportError.needsFile(path: "standard output")) {
            _ = try ExportFile(path: "-", isPatched: true)
        }
        let full = try ExportFile(path: "/dev/full")
        full.write([UInt8](repeating: 1, count: 1 << 19))
        #expect(full.failure != nil)
        #expect(throws: ExportError.self) { try full.finish() }
        // Without an end nothing is there, and what was there before stays.
        let place = ExportPlace()
        for text in ["first", "second"] {
            let file = try place.file()
            file.write(text.utf8)
            if text == "first" { try file.finish() }
        }
        #expect(place.lines == ["first"] && place.neighbours.isEmpty)
    }

    /// A pipe without a reader is waited for until there is one or a stop is asked for; a slow reader is.
    @Test(.timeLimit(.minutes(10))) func aPipeWithoutAReader() throws {
        let place = ExportPlace()
        try #require(mkfifo(place.path, 0o600) == 0)
        do throws(ExportError) {
            _ = try ExportFile(path: place.path, isStopped: { true })
            Issue.record("opened")
        } catch {
            #expect(error == .interrupted)
        }
        let reader = try #require(popen("sleep 0.02; wc -c < \(place.path)", "r"))
        let file = try place.file()
        file.write([UInt8](repeating: 1, count: 1 << 20))
        try file.finish()
        var line = [CChar](repeating: 0, count: 32)
        _ = fgets(&line, 32, reader)
        pclose(reader)
        let count = atoi(line)
        #expect(count == 1 << 20)
    }

    /// Only the file that is named is replaced, and none that is being read.
    @Test func filesOfOthers() throws {
        let (place, link) = (ExportPlace(), ExportPlace())
        try Data("old".utf8).write(to: URL(fileURLWithPath: place.path))
        try Data("mine".utf8).write(to: URL(fileURLWithPath: place.path + ".tmp"))
        try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: place.path)
        for input in [place.path, link.path] {
            #expect(throws: ExportError.isInput(path: link.path)) {
                _ = try ExportFile(path: link.path, inputs: ["/nowhere/at/all", input])
            }
        }
        let file = try link.file()
        file.write("new".utf8)
        #expect(place.lines == ["old"])
        try file.finish()
        let target = try FileManager.default.destinationOfSymbolicLink(atPath: link.path)
        #expect(target == place.path && place.lines == ["new"] && place.neighbours == [".tmp"])
        let other = try Data(contentsOf: URL(fileURLWithPath: place.path + ".tmp"))
        #expect(other == Data("mine".utf8))
        try FileManager.default.removeItem(atPath: place.path + ".tmp")
        // A link that leads nowhere stays.
        try FileManager.default.removeItem(atPath: place.path)
        #expect(throws: ExportError.self) { _ = try ExportFile(path: link.path) }
        let still = try FileManager.default.destinationOfSymbolicLink(atPath: link.path)
        #expect(still == place.path)
    }
}

@Suite struct WaitingSamplesTests {
    /// Pieces come out by their times, and those of one time in the order in which they were added.
    @Test func order() {
        var (waiting, out) = (WaitingSamples(), [UInt8]())
        for (piece, atNs) in [(3, 30), (1, 10), (4, 30), (2, 20), (5, 40)] as [(UInt8, Int64)] {
            waiting.add([piece], atNs: atNs)
        }
        waiting.add([], atNs: 0)
        waiting.release(before: 30) { out += $0 }
        #expect(out == [1, 2] && !waiting.isEmpty)
        waiting.release(before: .max) { out += $0 }
        #expect(out == [1, 2, 3, 4, 5] && waiting.isEmpty && waiting.disordered == 0)
    }

    /// A book that is silent for too long does not keep those of others for ever.
    @Test func bound() {
        var (waiting, count) = (WaitingSamples(), 0)
        let piece = [UInt8](repeating: 1, count: 1 << 20)
        for number in 0..<65 { waiting.add(piece, atNs: Int64(number)) }
        waiting.release(before: 0) { _ in count += 1 }
        #expect(count == 65 && waiting.disordered == 65 && waiting.isEmpty)
        waiting.add(piece, atNs: 1)
        waiting.release(before: 1) { _ in count += 1 }
        #expect(count == 65)
    }
}
