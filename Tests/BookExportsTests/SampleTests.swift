// Samples where a symbol stops before others do: at the end of the requested time, at the end of its run, and
// in a silence.

import DepthBook
import MarketData
import Testing

@testable import BookExports

@Suite struct SampleTests {
    private static let second: Int64 = 1_000_000_000

    /// Two bids and two asks that are all.
    private func load(_ exported: inout ExportedBook, atNs: Int64) throws {
        try exported.load(
            10, [("10.00", "1.5"), ("9.90", "2.0")], [("10.10", "4.0"), ("10.20", "5.0")], limit: 3,
            atNs: atNs)
    }

    private func times(_ place: ExportPlace, _ symbol: String = "BTCUSDT") -> [String] {
        place.lines.map { $0.split(separator: ",") }.filter { $0[1] == symbol }.map { String($0[3]) }
    }

    /// The next update of a book proves its samples, also where it comes after the requested time: until then
    /// it is not over.
    @Test func samplesUpToTheEnd() throws {
        let place = ExportPlace()
        let sink = TopLevelsSink(try place.file(), exchange: "binance", .quotes, isSampled: true)
        var exported = ExportedBook(sink, .init(toNs: 5 * SampleTests.second, everyNs: SampleTests.second))
        exported.sample(atNs: 1)
        try load(&exported, atNs: SampleTests.second / 2)
        try exported.update(11, 12, [("10.05", "1.0")], atNs: SampleTests.second * 3 / 2)
        // Frames of others.
        for half in [9, 11, 13] as [Int64] {
            exported.sample(atNs: SampleTests.second * half / 2)
            #expect(!exported.exporter.isOver(atNs: SampleTests.second * half / 2), "\(half)")
        }
        try exported.update(13, 13, [("10.06", "1.0")], atNs: 7 * SampleTests.second)
        #expect(exported.exporter.isOver(atNs: 7 * SampleTests.second))
        try sink.finish()
        #expect(times(place) == ["1000000", "2000000", "3000000", "4000000", "5000000"], "\(place.lines)")
    }

    /// What is not proven after the requested time either is not written, and is not waited for.
    @Test func samplesOfABreakBehindTheEnd() throws {
        let place = ExportPlace()
        let sink = TopLevelsSink(try place.file(), exchange: "binance", .quotes, isSampled: true)
        var exported = ExportedBook(sink, .init(toNs: 5 * SampleTests.second, everyNs: SampleTests.second))
        exported.sample(atNs: 1)
        try load(&exported, atNs: SampleTests.second / 2)
        try exported.update(11, 12, [("10.05", "1.0")], atNs: SampleTests.second * 3 / 2)
        try exported.update(
            15, 16, [], atNs: 6 * SampleTests.second, isProven: false, isApplied: false)
        #expect(exported.exporter.isOver(atNs: 6 * SampleTests.second))
        try sink.finish()
        #expect(times(place) == ["1000000"], "\(place.lines)")
    }

    /// A book that was proven before the requested time is sampled from its beginning on.
    @Test func samplesFromTheBeginning() throws {
        let place = ExportPlace()
        let sink = TopLevelsSink(try place.file(), exchange: "binance", .quotes, isSampled: true)
        var exported = ExportedBook(
            sink, .init(fromNs: SampleTests.second * 5 / 2, everyNs: SampleTests.second))
        exported.sample(atNs: 1)
        try load(&exported, atNs: SampleTests.second / 2)
        exported.sample(atNs: SampleTests.second * 9 / 2)
        try exported.update(11, 12, [("10.05", "1.0")], atNs: SampleTests.second * 11 / 2)
        try sink.finish()
        #expect(times(place) == ["3000000", "4000000", "5000000"], "\(place.lines)")
    }

    /// A symbol whose run has ended keeps nobody waiting, and nothing of it is written after that.
    @Test func aSymbolThatIsGone() throws {
        let place = ExportPlace()
        let sink = TopLevelsSink(try place.file(), exchange: "binance", .quotes, isSampled: true)
        var exported = ExportedBook(sink, .init(everyNs: SampleTests.second))
        exported.sample(atNs: 1)
        try load(&exported, atNs: SampleTests.second / 2)
        exported.show("ETHUSDT", atNs: SampleTests.second / 2)
        try exported.update(11, 12, [("10.05", "1.0")], atNs: SampleTests.second * 3 / 2)
        try exported.update(13, 13, [("10.06", "1.0")], atNs: SampleTests.second * 5 / 2)
        #expect(place.lines.isEmpty && sink.file.length < 100, "the header alone")
        exported.exporter.end("ETHUSDT", isBreak: true)
        try exported.update(14, 14, [("10.07", "1.0")], atNs: SampleTests.second * 7 / 2)
        exported.sample(atNs: 4 * SampleTests.second)
        #expect(exported.exporter.breaks == 1 && exported.exporter.disordered == 0)
        let early = sink.file.length
        #expect(early > 200, "three rows: \(early)")
        exported.exporter.finish()
        try sink.finish()
        #expect(times(place) == ["1000000", "2000000", "3000000"] && times(place, "ETHUSDT").isEmpty)
    }

    /// Samples of a long silence are written while they are made, as soon as too much is waiting.
    @Test func theBoundOfALongSilence() throws {
        let sink = HeavySink(try ExportFile(path: "/dev/null"))
        var exported = ExportedBook(sink, .init(everyNs: SampleTests.second))
        exported.sample(atNs: 1)
        try load(&exported, atNs: SampleTests.second / 2)
        exported.show("ETHUSDT", atNs: SampleTests.second / 2)
        try exported.update(11, 12, [("10.05", "1.0")], atNs: 200 * SampleTests.second + 1)
        #expect(sink.count == 200)
        // What is being added and what the file's own buffer holds are not counted exactly.
        #expect(sink.waitingBytesMax <= 66 << 20, "\(sink.waitingBytesMax)")
        #expect(sink.waitingBytesMax >= 60 << 20 && exported.exporter.disordered > 100)
        try sink.finish()
    }
}

/// Writes a mebibyte for each sample, and watches how much of it waits.
private final class HeavySink: BookSink {
    let file: ExportFile
    private let piece = [UInt8](repeating: 1, count: 1 << 20)
    private(set) var (count, waitingBytesMax) = (0, 0)

    init(_ file: ExportFile) { self.file = file }

    func begin(_ book: borrowing OrderBook, _ moment: ExportMoment) { write() }

    func change(
        _ changes: ExportedChanges, _ book: borrowing OrderBook, _ moment: ExportMoment,
        _ message: Span<UInt8>
    ) { write() }

    private func write() {
        waitingBytesMax = max(waitingBytesMax, count * piece.count - file.length)
        count += 1
        file.write(piece)
    }

    func finish() throws(ExportError) { try file.finish() }
}
