// What `lob record-info` draws where a recording holds no book, and what it says of damaged files.

import BinanceVenue
import BookEngine
import BookRecording
import Foundation
import LobHandoff
import LobRecording
import MarketData
import Testing

@Suite struct CoverageTests {
    static let beginNs: Int64 = 1_700_000_000_000_000_000

    /// Writes a segment of these symbols: a block each second from the beginning of its run on.
    static func write(
        _ shop: Workshop, _ number: UInt64, _ symbols: [SymbolName], second: Int64, blocks: [UInt64],
        isClosed: Bool = true, shard: UInt16 = 0, of shardCount: UInt16 = 1, market: Market = .spot,
        gaps: [RecordedGap] = []
    ) throws {
        let atNs = beginNs + second * 1_000_000_000
        let first = blocks.first ?? 0
        let header = SegmentHeader(
            startedAtNs: atNs, createdAtNs: atNs + Int64(first) * 1_000_000_000, number: number,
            firstSequence: first, shard: shard, shardCount: shardCount)
        let path = shop.folder.appendingPathComponent("rec/\(number).lobrec").path
        let writer = try SegmentWriter(path: path, header, symbols: symbols.map(\.bytes))
        let packer = try #require(ZstdBlock())
        let terms = RecordingTerms(
            market: market, symbols: symbols, EngineConfiguration(rules: market.rules))
        for sequence in blocks {
            var block = FrameBlock(symbolCount: symbols.count, isBase: sequence == first)
            let blockNs = atNs + Int64(sequence) * 1_000_000_000
            block.add(.terms, atNs: blockNs, terms.bytes)
            let empty = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
            block.add(Frame(kind: .tick, source: 0, receivedAtNs: blockNs, bytes: empty))
            for symbol in symbols.indices { block.note(symbol: symbol) }
            try writer.append(block, block.sealed(sequence: sequence, packer), sequence: sequence)
        }
        if isClosed { try writer.close(gaps: gaps, packer) }
    }

    private struct Chart: Decodable {
        struct Row: Decodable {
            var symbol: String
            var coveredNs: Int64
            var absent: [[Int64]]
        }
        var openEnd: Bool
        var unknown: [[Int64]]
        var symbols: [Row]
    }

    @Test func onlyWhatIsKnownIsCovered() throws {
        let shop = try Workshop()
        try shop.write("rec/.keep", "")
        // Ten seconds of A and B; then of A alone, with two blocks missing, and not closed.
        try CoverageTests.write(shop, 1, ["AAAUSDT", "BBBUSDT"], second: 0, blocks: Array(0...10))
        try CoverageTests.write(
            shop, 2, ["AAAUSDT"], second: 20, blocks: [0, 1, 2, 5, 6, 7, 8, 9, 10], isClosed: false)
        let ran = try shop.run("record-info", "--json", "rec")
        let chart = try JSONDecoder().decode(Chart.self, from: Data(ran.out.utf8))
        let seconds = Dictionary(
            uniqueKeysWithValues: chart.symbols.map { ($0.symbol, $0.coveredNs / 1_000_000_000) })
        // Not the ten seconds between the runs, nor the three in which blocks are missing.
        #expect(seconds == ["AAAUSDT": 17, "BBBUSDT": 10], "\(ran.all)")
        let second = CoverageTests.beginNs + 20_000_000_000
        #expect(
            chart.symbols.first { $0.symbol == "BBBUSDT" }?.absent == [[second, second + 10_000_000_000]])
        #expect(chart.unknown == [[second + 2_000_000_000, second + 5_000_000_000]] && chart.openEnd)
        let text = try shop.run("record-info", "rec", "--svg", "c.svg")
        let rows = text.out.split(separator: "\n").filter { $0.contains("USDT") }
        #expect(rows.count == 2 && rows.allSatisfy { $0.hasSuffix("?") }, "\(text.all)")
        #expect(rows[1].contains("-----") && rows[0].contains("??") && text.out.contains("not closed"))
        let picture = try String(
            contentsOf: shop.folder.appendingPathComponent("c.svg"), encoding: .utf8)
        #expect(picture.contains("not among the symbols") && picture.contains("not known"))
    }

    /// Runs of one shard may differ in their symbols and market, and the clock may have been set back.
    @Test func runsThatDiffer() throws {
        let shop = try Workshop()
        try shop.write("rec/.keep", "")
        try CoverageTests.write(shop, 1, ["AAAUSDT"], second: 1000, blocks: [0, 1])
        try CoverageTests.write(shop, 2, ["BBBUSDT"], second: 0, blocks: [0, 1])
        let info = try shop.run("record-info", "rec", "--json")
        #expect(info.status == 0 && info.out.contains("BBBUSDT"), "\(info.all)")
        #expect(try shop.run("record-info", "rec").status == 0)
        let array = try shop.run("export", "rec", "--format", "npz", "--out", "a.npz")
        #expect(array.status == 64 && array.err.contains("2 are in it"), "\(array.all)")
        let one = try shop.run(
            "export", "rec", "--format", "tardis-l2", "--out", "-", "--symbol", "BBBUSDT")
        #expect(!one.err.contains("none of the symbols"), "\(one.all)")
        try CoverageTests.write(shop, 3, ["AAAUSD_PERP"], second: 2000, blocks: [0], market: .coinm)
        for command in ["export rec --format tardis-l2", "convert rec --to text"] {
            let mixed = try shop.run(shell: "lob \(command) --out -")
            #expect(mixed.status == 64 && mixed.err.contains("several markets"), "\(mixed.all)")
        }
        try shop.write("rec/4.lobrec", "junk")
        let partial = try shop.run("record-info", "rec")
        #expect(partial.status == 1 && partial.err.contains("left out"), "\(partial.all)")
    }

    @Test func damagedRecordingsAreNoCaptures() throws {
        let shop = try Workshop()
        try shop.write("rec/.keep", "")
        try CoverageTests.write(shop, 1, ["AAAUSDT"], second: 0, blocks: [0, 1])
        var bytes = Array(try Data(contentsOf: shop.folder.appendingPathComponent("rec/1.lobrec")))
        bytes[20] ^= 1
        try shop.write("damaged", bytes)
        try shop.write("empty.lobrec", "")
        for command in ["replay", "verify", "record-info"] {
            for file in ["damaged", "empty.lobrec"] {
                expectRefusal(try shop.run(command, file), "\(file): a damaged recording")
            }
        }
    }

    @Test func symbols() throws {
        let shop = try Workshop()
        try shop.write("rec/.keep", "")
        try CoverageTests.write(shop, 1, ["AAAUSDT", "BBBUSDT"], second: 0, blocks: [0, 1])
        let ran = try shop.run("verify", "rec", "--json", "--symbol", "bbbusdt")
        #expect(ran.status == 0 && ran.out.contains("BBBUSDT") && !ran.out.contains("AAAUSDT"), "\(ran.all)")
        #expect(try shop.run("verify", "rec", "--symbol", "a b!").status == 64)
        for command in ["verify", "replay"] {
            #expect(try shop.run(command, "rec", "--symbol", ",").status == 64)
            expectRefusal(try shop.run(command, "rec", "--symbol", "CCCUSDT"), "none of the symbols is in it")
            #expect(
                try shop.run(command, "rec", "--from", "1700000001", "--to", "1700000000").status == 64)
        }
    }

    /// A symbol that is not there is named, and the others are verified; damage is told before that.
    @Test func symbolsThatAreNotThere() throws {
        let shop = try Workshop()
        try shop.write("rec/.keep", "")
        try CoverageTests.write(shop, 1, ["AAAUSDT"], second: 0, blocks: [0, 1])
        try CoverageTests.write(shop, 2, ["BBBUSDT"], second: 0, blocks: [0], isClosed: false, shard: 1)
        for command in ["verify", "replay"] {
            let ran = try shop.run(command, "rec", "--symbol", "TYPOUSDT,AAAUSDT,BBBUSDT")
            #expect(ran.status == 1 && ran.err.contains("rec: not in it: TYPOUSDT\n"), "\(ran.all)")
            #expect(ran.out.contains("AAAUSDT") && ran.out.contains("BBBUSDT"), "\(ran.all)")
        }
        // Nothing says any more what the second shard is of.
        var bytes = Array(try Data(contentsOf: shop.folder.appendingPathComponent("rec/2.lobrec")))
        bytes[bytes.count - 1] ^= 1
        try shop.write("cut/2.lobrec", bytes)
        try shop.write("more/3.lobrec", "junk")
        #expect(try shop.run(shell: "cp rec/1.lobrec more").status == 0)
        for command in ["verify", "replay"] {
            let cut = try shop.run(command, "cut", "--symbol", "BBBUSDT")
            #expect(cut.status == 2 && !cut.err.contains("none of the symbols"), "\(cut.all)")
            let more = try shop.run(command, "more", "--symbol", "BBBUSDT")
            #expect(more.status == 2 && more.err.contains("left out"), "\(more.all)")
        }
    }

    /// A shard that was not there at that time is no fault.
    @Test func shardsOfOtherTimes() throws {
        let shop = try Workshop()
        try shop.write("rec/.keep", "")
        try CoverageTests.write(shop, 1, ["AAAUSDT"], second: 0, blocks: Array(0...10))
        try CoverageTests.write(shop, 2, ["BBBUSDT"], second: 20, blocks: [0, 1], shard: 1)
        for part in [["--to", "1700000005"], ["--from", "1700000020"], []] {
            for command in ["verify", "replay"] {
                let ran = try shop.run(shell: "lob \(command) rec \(part.joined(separator: " "))")
                #expect(ran.status == 0 && ran.err.isEmpty, "\(ran.all)")
            }
        }
        let ran = try shop.run("verify", "rec", "--to", "1700000005")
        #expect(ran.out.contains("shard 1, no frame of that time"), "\(ran.all)")
        #expect(ran.out.contains("nothing verified") && ran.out.contains("nothing disagrees"), "\(ran.all)")
    }

    /// What was not there to be verified is not called right.
    @Test func nothingIsNotVerified() throws {
        let shop = try Workshop()
        try shop.write("rec/.keep", "")
        try CoverageTests.write(shop, 1, ["AAAUSDT"], second: 0, blocks: [0, 1], isClosed: false)
        let bytes = Array(try Data(contentsOf: shop.folder.appendingPathComponent("rec/1.lobrec")))
        try shop.write("cut.lobrec", Array(bytes.prefix(80)))
        for command in ["verify", "replay"] {
            for what in ["cut.lobrec", "rec --to 1600000000", "rec --from 2030-01-01T00:00:00Z"] {
                let ran = try shop.run(shell: "lob \(command) \(what)")
                let words = what == "cut.lobrec" ? "no whole frame in it" : "no frame of that part in it"
                #expect(ran.status == 2 && ran.err.contains(words), "\(ran.all)")
                #expect(!ran.all.contains("1970") && !ran.all.contains("nothing disagrees"), "\(ran.all)")
            }
        }
        #expect(try shop.run("verify", "cut.lobrec").out.contains("16 bytes behind the last whole block"))
        mkfifo(shop.folder.appendingPathComponent("pipe.lobrec").path, 0o600)
        expectRefusal(try shop.run("record-info", "pipe.lobrec"), "not a regular file")
    }
}
