import Glibc
import LobHandoff
import LobRecording
import MarketData
import Testing

@testable import BookRecording

/// A folder of several runs, of which nothing may be missing without a word.
@Suite struct SeveralRunsTests {
    /// Three runs of two segments and more each.
    private static func record(_ folder: RecordFolder) throws {
        for seed in UInt64(60)...62 {
            var options = RecorderOptions(folder: folder.path)
            options.blockNsMax = 50_000_000
            options.segmentEveryNs = 1_000_000_000
            let harness = try RecorderHarness(options)
            let traffic = Traffic(harness.tap, seed: seed)
            traffic.connect()
            harness.run(traffic, steps: 250)
            _ = harness.stop()
        }
    }

    @Test func aMissingSegmentIsNoticed() throws {
        let folder = RecordFolder()
        try SeveralRunsTests.record(folder)
        let stream = try RecordedStream.all(at: folder.path)[0]
        let whole = try RecordingVerification(stream)
        #expect(!whole.isDamaged, "\(whole.counters), \(whole.mismatches)")
        let runs = stream.segments.map(\.header.startedAtNs)
        #expect(Set(runs).count == 3 && runs.count >= 6)
        // Retention takes the oldest, and what is newest can have been anything: any other is missing.
        for missing in stream.segments.indices.dropLast() {
            var part = stream
            part.segments.remove(at: missing)
            let verified = try RecordingVerification(part)
            let isOldest = missing == 0
            #expect(
                (verified.counters.unlistedBlocks == 0) == isOldest && verified.mismatches.isEmpty,
                "\(missing) of \(runs.count): \(verified.counters)")
        }
    }

    /// A segment that cannot be read any more is said, wherever reading starts; the others are verified.
    @Test func aSegmentThatIsGone() throws {
        let folder = RecordFolder()
        try SeveralRunsTests.record(folder)
        let stream = try RecordedStream.all(at: folder.path)[0]
        for place in [1, stream.segments.count - 1] {
            let gone = stream.segments[place]
            try #require(rename(gone.path, gone.path + ".away") == 0)
            // Of the last one a base is wanted, and the one before it is found instead.
            for fromNs in place == 1 ? [Int64.min] : [.min, .max] {
                let verified = try RecordingVerification(stream, fromNs: fromNs)
                let error = SegmentError.disk(DiskError(path: gone.path, errno: ENOENT))
                #expect(verified.leftOut == [error] && verified.isDamaged && verified.mismatches.isEmpty)
                #expect(verified.blocks > 0)
            }
            var faults: [SegmentError] = []
            stream.forEachReader(unusable: { faults.append($0) }) { _, _ in }
            #expect(faults.count == 1)
            let alone = RecordedStream(shard: 0, segments: [gone])
            #expect(throws: SegmentError.self) { _ = try RecordingVerification(alone) }
            try #require(rename(gone.path + ".away", gone.path) == 0)
        }
    }

    /// A symbol that only an earlier run had is in the verdict.
    @Test func symbolsOfEarlierRuns() throws {
        let folder = RecordFolder()
        try SeveralRunsTests.record(folder)
        var stream = try RecordedStream.all(at: folder.path)[0]
        let before = try RecordingVerification(stream)
        let packer = try #require(ZstdBlock())
        let last = try #require(stream.segments.last)
        var header = last.header
        (header.startedAtNs, header.number, header.firstSequence) = (
            header.startedAtNs + 1_000_000_000, header.number + 1, 0
        )
        let path = folder.path + "/" + SegmentName.text(header)
        let terms = RecordingTerms(market: .spot, symbols: ["CCCUSDT"], Traffic.configuration)
        var block = FrameBlock(symbolCount: 1, isBase: true)
        block.add(.terms, atNs: header.startedAtNs, terms.bytes)
        let writer = try SegmentWriter(path: path, header, symbols: terms.symbols)
        try writer.append(block, block.sealed(sequence: 0, packer), sequence: 0)
        try writer.close(gaps: [], packer)
        stream = try RecordedStream.all(at: folder.path)[0]
        let after = try RecordingVerification(stream)
        #expect(after.symbols.map(\.status.symbol) == ["CCCUSDT"] + Traffic.symbols && !after.isDamaged)
        for (own, other) in zip(before.symbols, after.symbols.dropFirst()) {
            #expect(own.totals == other.totals && own.digest == other.digest)
            #expect(own.totals.applied > 0 && other.status.state != .live)
        }
    }
}
