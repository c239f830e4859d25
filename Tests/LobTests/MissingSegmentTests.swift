// Segments that are missing from a folder, or that cannot be read: nobody passes over them in silence.

import Foundation
import LobRecording
import MarketData
import Testing

@Suite struct MissingSegmentTests {
    private struct Chart: Decodable {
        var openEnd: Bool
        var missing: [[UInt64]]
        var unknown: [[Int64]]
    }

    private func chart(_ shop: Workshop, status: Int32 = 0) throws -> (chart: Chart, text: String) {
        let ran = try shop.run("record-info", "--json", "rec")
        #expect(ran.status == status, "\(ran.all)")
        let text = try shop.run("record-info", "rec", "--svg", "c.svg")
        #expect(text.status == status, "\(text.all)")
        return (try JSONDecoder().decode(Chart.self, from: Data(ran.out.utf8)), text.all)
    }

    /// Seconds after the beginning of the folder, as the chart has them.
    private func times(_ seconds: [Int64]) -> [Int64] {
        seconds.map { CoverageTests.beginNs + $0 * 1_000_000_000 }
    }

    /// The last segment of a run is missing: from where the run breaks off to where the next one begins, or
    /// to where the next one says that the recorder had ended.
    @Test func theEndOfARun() throws {
        for isListed in [false, true] {
            let shop = try Workshop()
            try shop.write("rec/.keep", "")
            try CoverageTests.write(shop, 1, ["AAAUSDT"], second: 0, blocks: Array(0...10))
            var gap = RecordedGap(.notRunning, fromNs: times([20])[0])
            gap.toNs = times([40])[0]
            try CoverageTests.write(
                shop, 3, ["AAAUSDT"], second: 40, blocks: Array(0...10), gaps: isListed ? [gap] : [])
            let (chart, text) = try chart(shop)
            #expect(chart.missing == [[2, 2]] && !chart.openEnd)
            #expect(chart.unknown == [times([10, isListed ? 20 : 40])])
            #expect(text.contains("missing: segment 2, ") && text.contains("#??????"), "\(text)")
            #expect(text.contains("?::::") == isListed, "\(text)")
        }
    }

    /// Segments in the middle of a run.
    @Test func theMiddleOfARun() throws {
        let shop = try Workshop()
        try shop.write("rec/.keep", "")
        try CoverageTests.write(shop, 4, ["AAAUSDT"], second: 0, blocks: Array(0...10))
        try CoverageTests.write(shop, 7, ["AAAUSDT"], second: 0, blocks: Array(30...40))
        let (chart, text) = try chart(shop)
        #expect(chart.missing == [[5, 6]] && chart.unknown == [times([10, 30])] && !chart.openEnd)
        #expect(text.contains("missing: segments 5 to 6, ") && text.contains("#??????"), "\(text)")
    }

    /// A shard of which nothing is left is named by every command; of files given one by one, nothing is
    /// known of the others.
    @Test(arguments: [
        ("record-info rec", 1), ("verify rec", 2), ("replay rec", 2), ("convert rec --out c.txt", 1),
        ("export rec --format tardis-quotes --out e.csv", 1), ("record-info rec/1.lobrec", 0),
    ])
    func aShardWithoutFiles(_ command: String, _ status: Int32) throws {
        let shop = try Workshop()
        try shop.write("rec/.keep", "")
        try CoverageTests.write(
            shop, 1, ["AAAUSDT"], second: 0, blocks: Array(0...10), shard: 0, of: 3)
        try CoverageTests.write(
            shop, 2, ["BBBUSDT"], second: 0, blocks: Array(0...10), shard: 2, of: 3)
        let ran = try shop.run(shell: "lob " + command)
        #expect(ran.status == status, "\(ran.all)")
        let isNamed = ran.all.contains("left out: rec: shard 1, of shards 0 to 2, has no file")
        #expect(isNamed == !command.contains("lobrec"), "\(ran.all)")
    }

    /// What follows on each other is whole, whatever was removed before it.
    @Test func nothingIsMissing() throws {
        let shop = try Workshop()
        try shop.write("rec/.keep", "")
        try CoverageTests.write(shop, 4, ["AAAUSDT"], second: 0, blocks: Array(5...10))
        try CoverageTests.write(shop, 5, ["AAAUSDT"], second: 0, blocks: Array(11...20))
        try CoverageTests.write(shop, 6, ["AAAUSDT"], second: 40, blocks: Array(0...10))
        let (chart, text) = try chart(shop)
        #expect(chart.missing.isEmpty && chart.unknown.isEmpty && !chart.openEnd)
        #expect(!text.contains("missing") && !text.contains("?"), "\(text)")
    }

    /// A damaged file says by its name where it belongs: at the end, nobody knows how long it went on.
    @Test func aLastSegmentThatIsLeftOut() throws {
        let shop = try Workshop()
        try shop.write("rec/.keep", "")
        try CoverageTests.write(shop, 1, ["AAAUSDT"], second: 0, blocks: Array(0...10))
        try shop.write("rec/shard000-00000002-20231114T221330Z.lobrec", "junk")
        let (chart, text) = try chart(shop, status: 1)
        #expect(chart.missing == [[2, 2]] && chart.openEnd && chart.unknown.isEmpty)
        #expect(
            text.contains("left out: rec/shard000-00000002-") && text.contains("missing: segment 2, ")
                && text.contains("#?"), "\(text)")
    }

    /// A file that is gone between the look at the folder and its own turn: the first shard says so much that
    /// nobody goes on before it is read.
    @Test(arguments: ["record-info rec --json", "verify rec --json", "replay rec --json"])
    func aSegmentThatVanishes(_ command: String) throws {
        let shop = try Workshop()
        try shop.write("rec/.keep", "")
        let names = (0..<1200).compactMap { SymbolName("SYMBOL\($0)WITHALONGNAME") }
        try CoverageTests.write(shop, 1, names, second: 0, blocks: [0])
        for number in UInt64(2)...4 {
            let first = 2 * (number - 2)
            try CoverageTests.write(
                shop, number, ["AAAUSDT"], second: 0, blocks: [first, first + 1], shard: 1)
        }
        let ran = try shop.run(
            shell: "{ lob \(command); echo $? > status; } | { dd bs=1 count=1; rm rec/3.lobrec; cat; }")
        let status = try String(contentsOf: shop.folder.appendingPathComponent("status"), encoding: .utf8)
        #expect(status == (command.hasPrefix("record-info") ? "1\n" : "2\n"), "\(ran.err)")
        #expect(ran.err.contains("lob: left out: rec/3.lobrec: No such file or directory"), "\(ran.err)")
        #expect(ran.out.contains("AAAUSDT"), "the rest is read")
    }

    /// The same while a pipe has no reader yet.
    @Test(arguments: ["export rec --format text", "convert rec --to text"])
    func aSegmentThatVanishesFromAnExport(_ command: String) throws {
        let shop = try Workshop()
        var lines = ["1790000000000 \(Session.snapshot)"]
        // A second segment begins with every full hour.
        for (index, event) in Session.events.enumerated() {
            lines.append("\(1_790_000_000_000 + 3_600_000 * (index + 1)) \(event)")
        }
        try shop.write("c", lines)
        #expect(try shop.run(shell: "lob convert c --out rec --market spot").status == 0)
        #expect(mkfifo(shop.folder.appendingPathComponent("pipe").path, 0o600) == 0)
        let ran = try shop.run(
            shell: """
                { lob \(command) --out pipe; echo $? > status; } &
                sleep 4; ls rec; rm rec/shard000-00000002-*; timeout 40 cat pipe; wait
                """)
        let status = try String(contentsOf: shop.folder.appendingPathComponent("status"), encoding: .utf8)
        #expect(ran.out.contains("shard000-00000002-") && ran.out.contains("shard000-00000004-"))
        #expect(status == "1\n" && ran.err.contains("left out: rec/shard000-00000002-"), "\(ran.all)")
        #expect(ran.out.contains("lastUpdateId"), "the rest is written: \(ran.all)")
    }

    /// A file that never was a segment.
    @Test(arguments: ["export rec --format text --out -", "convert rec --to text --out -"])
    func aFileThatIsNoSegment(_ command: String) throws {
        let shop = try Workshop()
        try shop.write("c", ["1790000000000 \(Session.snapshot)", "1790000000100 \(Session.events[0])"])
        #expect(try shop.run(shell: "lob convert c --out rec --market spot").status == 0)
        #expect(try shop.run(shell: "lob \(command)").status == 0)
        try shop.write("rec/junk.lobrec", "junk")
        let ran = try shop.run(shell: "lob \(command)")
        #expect(ran.status == 1 && ran.err.contains("left out: rec/junk.lobrec"), "\(ran.all)")
        #expect(ran.out.contains("lastUpdateId"))
    }
}
