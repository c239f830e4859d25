// Exports with samples where the input goes on behind a book: after the requested time, and in another run of
// the recorder.

import ArgumentParser
import BookExports
import BookRecording
import Foundation
import LobRecording
import Testing

@testable import lob

@Suite struct SeveralRunsExportTests {
    private static let beginMs = 1_790_000_000_000

    private static func body(_ name: String, _ id: Int, atMs: Int) -> String {
        "\(beginMs + atMs) {\"symbol\":\"\(name)\",\"data\":\(Session.body(id, [("5.00", "1.00000")]))}"
    }

    private static func event(_ name: String, _ id: Int, atMs: Int) -> String {
        let text = Session.event(
            id, id, [("5.00", "\(id).00000")], [], symbol: name, timeMs: beginMs + atMs)
        return "\(beginMs + atMs) \(text)"
    }

    /// Milliseconds of the rows of a symbol, after the beginning.
    private static func times(_ ran: Ran, _ name: String) -> [Int] {
        var times: [Int] = []
        for line in ran.out.split(separator: "\n") {
            let cells = line.split(separator: ",")
            if cells[1] == name, let us = Int(cells[3]) { times.append(us / 1000 - beginMs) }
        }
        return times
    }

    /// One symbol is silent around the end: its next update, long after it, proves its samples.
    @Test func samplesUpToTheEnd() throws {
        let shop = try Workshop()
        var lines = ["BTCUSDT", "ETHUSDT"].map { SeveralRunsExportTests.body($0, 100, atMs: 0) }
        lines.append(SeveralRunsExportTests.event("BTCUSDT", 101, atMs: 100))
        for step in 1...200 {
            lines.append(SeveralRunsExportTests.event("ETHUSDT", 100 + step, atMs: 1000 * step))
        }
        lines.append(SeveralRunsExportTests.event("BTCUSDT", 102, atMs: 200_500))
        lines.append(SeveralRunsExportTests.event("ETHUSDT", 301, atMs: 201_000))
        try shop.write("c", lines)
        #expect(try shop.run("convert", "c", "--market", "spot", "--out", "rec").status == 0)
        let wanted = Array(stride(from: 50_000, through: 100_000, by: 500))
        for input in ["c --market spot", "rec"] {
            let ran = try shop.run(
                shell: "lob export \(input) --format tardis-quotes --every 500 --from 1790000050 "
                    + "--to 1790000100 --out -")
            #expect(ran.status == 0, "\(ran.all)")
            for name in ["BTCUSDT", "ETHUSDT"] {
                let times = SeveralRunsExportTests.times(ran, name)
                #expect(times == wanted, "\(input) \(name): \(times)")
            }
        }
    }

    /// Two runs of a recorder, of which the second lacks a symbol, and may lack its shard.
    private static func record(_ shop: Workshop, isShardGone: Bool = false) throws {
        let eth = [
            body("ETHUSDT", 100, atMs: 0), event("ETHUSDT", 101, atMs: 100), event("ETHUSDT", 102, atMs: 950),
        ]
        let btc = [
            body("BTCUSDT", 100, atMs: 0), event("BTCUSDT", 101, atMs: 150),
            event("BTCUSDT", 102, atMs: 250), event("BTCUSDT", 103, atMs: 1_050),
        ]
        var second = [body("BTCUSDT", 103, atMs: 10_050)]
        for step in 0..<1_000 { second.append(event("BTCUSDT", 104 + step, atMs: 10_450 + 400 * step)) }
        // Both symbols in one file, merged by their times, or each in its own.
        var files = [(isShardGone ? btc : (eth + btc).sorted(), 1, 0), (second, 2, 0)]
        if isShardGone { files.append((eth, 1, 1)) }
        try shop.write("rec/.keep", "")
        for (place, (lines, number, shard)) in files.enumerated() {
            try shop.write("\(place)", lines)
            let file = "\(place).lobrec"
            #expect(try shop.run("convert", "\(place)", "--market", "spot", "--out", file).status == 0)
            var bytes = Array(try Data(contentsOf: shop.folder.appendingPathComponent(file)))
            var header = try SegmentHeader(bytes)
            (header.number, header.shard) = (UInt64(number), UInt16(shard))
            bytes.replaceSubrange(..<header.length, with: header.bytes)
            try shop.write("rec/\(file)", bytes)
        }
    }

    @Test(arguments: [false, true]) func samplesOfTwoRuns(_ isShardGone: Bool) throws {
        let shop = try Workshop()
        try SeveralRunsExportTests.record(shop, isShardGone: isShardGone)
        let ran = try shop.run("export", "rec", "--format", "tardis-quotes", "--every", "100", "--out", "-")
        #expect(ran.status == 0, "\(ran.all)")
        // Nothing of the ten seconds in which nobody recorded, nor of what no update has proven.
        let eth = SeveralRunsExportTests.times(ran, "ETHUSDT")
        #expect(eth == Array(stride(from: 200, through: 900, by: 100)), "\(eth)")
        let btc = SeveralRunsExportTests.times(ran, "BTCUSDT")
        let wanted =
            Array(stride(from: 200, through: 1_000, by: 100))
            + Array(stride(from: 10_500, through: 410_000, by: 100))
        #expect(btc == wanted, "\(btc.count) samples, the first \(btc.prefix(20))")
    }

    /// Nobody waits for a symbol whose run or whose whole shard has ended.
    @Test(arguments: [false, true]) func samplesThatWait(_ isShardGone: Bool) throws {
        let shop = try Workshop()
        try SeveralRunsExportTests.record(shop, isShardGone: isShardGone)
        let streams = try RecordedStream.all(at: shop.folder.appendingPathComponent("rec").path)
        let file = try ExportFile(path: "/dev/null")
        let sink = TopLevelsSink(file, exchange: "binance", .quotes, isSampled: true)
        var exporter = BookExporter(sink, .init(everyNs: 100_000_000))
        let part = try RecordedPart.parse([])
        let faults = try RecordedExport.run(streams, "rec", part, &exporter)
        #expect(!faults.isDamaged && !faults.isPartial && exporter.breaks == (isShardGone ? 1 : 2))
        let length = file.length
        exporter.finish()
        #expect(length > 100_000 && file.length - length < 1_000, "\(file.length - length) bytes waited")
        try sink.finish()
    }
}
