// `lob export` as a user runs it: what it says of its inputs, and what it leaves alone.

import BinanceVenue
import BookEngine
import BookRecording
import Foundation
import LobRecording
import MarketData
import Testing

@Suite struct ExportCommandTests {
    private static func write(_ shop: Workshop, isClosed: Bool, cut: Int = 0) throws {
        try shop.write("rec/.keep", "")
        let header = SegmentHeader(
            startedAtNs: 1_700_000_000_000_000_000, createdAtNs: 1_700_000_000_000_000_000, number: 1,
            firstSequence: 0, shard: 0, shardCount: 1)
        let path = shop.folder.appendingPathComponent("rec/1.lobrec").path
        let symbols: [SymbolName] = ["AAAUSDT"]
        let writer = try SegmentWriter(path: path, header, symbols: symbols.map(\.bytes))
        let packer = try #require(ZstdBlock())
        let terms = RecordingTerms(
            market: .spot, symbols: symbols, EngineConfiguration(rules: Market.spot.rules))
        for sequence in UInt64(0)..<2 {
            var block = FrameBlock(symbolCount: 1, isBase: sequence == 0)
            block.add(.terms, atNs: header.createdAtNs + Int64(sequence), terms.bytes)
            try writer.append(block, block.sealed(sequence: sequence, packer), sequence: sequence)
        }
        if isClosed { try writer.close(gaps: [], packer) }
        if cut == 0 { return }
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        try whole.dropLast(cut).write(to: URL(fileURLWithPath: path))
    }

    /// A recording that ends in the middle is no silent success.
    @Test func aRecordingThatIsCut() throws {
        let shop = try Workshop()
        try ExportCommandTests.write(shop, isClosed: false, cut: 10)
        let ran = try shop.run("export", "rec", "--format", "tardis-l2", "--out", "out.csv")
        // Terms alone prove no book.
        #expect(
            ran.status == 2 && ran.err.contains("not closed: rec/1.lobrec, ")
                && ran.err.contains(" bytes behind the last whole block"), "\(ran.all)")
        let closed = try Workshop()
        try ExportCommandTests.write(closed, isClosed: true)
        let whole = try closed.run("export", "rec", "--format", "tardis-l2", "--out", "out.csv")
        #expect(!whole.err.contains("not closed"), "\(whole.all)")
    }

    /// A symbol that is not there is named, and the others are written.
    @Test func symbolsThatAreNotThere() throws {
        let shop = try Workshop()
        try shop.write("c", Session.events)
        try shop.write("s", Session.snapshot)
        let export = "lob export c --market spot --snapshot s --format tardis-l2 --out -"
        let some = try shop.run(shell: "\(export) --symbol TYPOUSDT,BTCUSDT")
        #expect(some.status == 1 && some.err.contains("lob: c: not in it: TYPOUSDT\n"), "\(some.all)")
        #expect(some.out.contains("binance,BTCUSDT,"))
        let all = try shop.run(shell: "\(export) --symbol BTCUSDT")
        #expect(all.status == 0 && all.out == some.out && !all.err.contains("not in it"), "\(all.all)")
        try ExportCommandTests.write(shop, isClosed: true)
        let recorded = try shop.run(
            "export", "rec", "--format", "tardis-l2", "--out", "-", "--symbol", "TYPOUSDT,AAAUSDT")
        #expect(recorded.err.contains("lob: rec: not in it: TYPOUSDT\n"), "\(recorded.all)")
    }

    /// An archive is not compressed once more: its beginning is written last.
    @Test func anArchiveIsNotPacked() throws {
        let shop = try Workshop()
        try shop.write("c", Session.events)
        try shop.write("s", Session.snapshot)
        let ran = try shop.run(
            shell: "lob export c --market spot --snapshot s --format npz --out a.npz.gz; ls")
        #expect(ran.err.contains("name a file without .gz") && !ran.out.contains("a.npz"), "\(ran.all)")
    }

    /// A silence of years has more samples than anybody waits for: a stop is heeded.
    @Test func samplesOfALongSilence() throws {
        let shop = try Workshop()
        var lines: [String] = []
        for name in ["BTCUSDT", "ETHUSDT"] {
            let body = Session.body(100, [("5.00", "1.00000")])
            lines.append("1790000000000 {\"symbol\":\"\(name)\",\"data\":\(body)}")
        }
        for (id, atMs) in [(101, 1_790_000_000_100), (102, 3_790_000_000_000)] {
            for name in ["BTCUSDT", "ETHUSDT"] {
                let event = Session.event(
                    id, id, [("5.00", "\(id).00000")], [], symbol: name, timeMs: atMs)
                lines.append("\(atMs) \(event)")
            }
        }
        try shop.write("c", lines)
        let export = "'\(Workshop.program)' export c --format tardis-quotes --every 100 --out out.csv"
        let ran = try shop.run(shell: "timeout -k 60 --preserve-status 6 \(export)")
        #expect(ran.status == 130, "\(ran.all)")
    }

    /// No input is replaced, under whatever name.
    @Test func inputsStay() throws {
        let shop = try Workshop()
        try shop.write("c", Session.events)
        try shop.write("s", Session.snapshot)
        try ExportCommandTests.write(shop, isClosed: true)
        let arguments = ["export", "c", "--market", "spot", "--snapshot", "s", "--format", "tardis-5"]
        let linked = try shop.run(shell: "ln c link; ln -s s soft")
        #expect(linked.status == 0)
        for out in ["c", "s", "link", "soft"] {
            let ran = try shop.run(shell: "lob \(arguments.joined(separator: " ")) --out \(out)")
            expectRefusal(ran, "\(out): is itself being read")
        }
        let recorded = try shop.run(
            "export", "rec", "--format", "text", "--out", "rec/1.lobrec")
        expectRefusal(recorded, "rec/1.lobrec: is itself being read")
        let right = try shop.run(
            shell: "lob \(arguments.joined(separator: " ")) --out /dev/stdout | cat; cat c s")
        #expect(right.out.contains("binance,BTCUSDT,") && right.out.contains(Session.snapshot))
    }

    /// Samples of several symbols are in the order of time, also while one of them is silent.
    @Test func samplesOfSeveralSymbols() throws {
        let shop = try Workshop()
        var lines: [String] = []
        for (index, name) in ["BTCUSDT", "ETHUSDT"].enumerated() {
            lines.append(
                "1790000000000 {\"symbol\":\"\(name)\",\"data\":\(Session.body(100 + index, [("5.00", "1.00000")]))}"
            )
        }
        for step in 0..<40 {
            let isLate = step % 10 == 9
            for name in isLate ? ["ETHUSDT", "BTCUSDT"] : ["ETHUSDT"] {
                let first = name == "ETHUSDT" ? 102 + step : 101 + step / 10
                let event = Session.event(
                    first, first, [("5.00", "\(1 + step).00000")], [], symbol: name,
                    timeMs: 1_790_000_000_100 + 100 * step)
                lines.append("\(1_790_000_000_100 + 100 * step) \(event)")
            }
        }
        try shop.write("c", lines)
        for input in ["c", "rec"] {
            if input == "rec" { #expect(try shop.run("convert", "c", "--out", "rec").status == 0) }
            let ran = try shop.run(
                "export", input, "--format", "tardis-quotes", "--every", "50", "--out", "-")
            let rows = ran.out.split(separator: "\n").dropFirst().map { $0.split(separator: ",") }
            let times = rows.compactMap { Int($0[3]) }
            #expect(ran.status == 0 && times == times.sorted(), "\(ran.all)")
            let counts = ["BTCUSDT", "ETHUSDT"].map { name in rows.count { $0[1] == name } }
            #expect(counts.allSatisfy { $0 > 50 }, "\(counts)")
        }
    }
}
