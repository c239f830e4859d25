import Glibc
import LobRecording
import Testing

@testable import BookRecording

/// What a recorder removes, and what it must not.
@Suite struct RetentionTests {
    private static func record(
        _ options: RecorderOptions, seed: UInt64, steps: Int
    ) throws -> RecorderSummary {
        let harness = try RecorderHarness(options)
        let traffic = Traffic(harness.tap, seed: seed)
        traffic.connect()
        harness.run(traffic, steps: steps)
        return harness.stop()
    }

    /// A segment takes a quarter of what is kept, so that the limit leaves several, and a copy stays.
    @Test func segmentsFitIntoWhatIsKept() throws {
        let folder = RecordFolder()
        var options = RecorderOptions(folder: folder.path)
        options.blockNsMax = 50_000_000
        options.segmentEveryNs = 1 << 60
        options.keptBytesMax = 120_000
        let copy = folder.path + "/shard000-copy.lobrec"
        try SegmentFile(creating: copy).append([UInt8](repeating: 0, count: 200_000))
        let summary = try RetentionTests.record(options, seed: 40, steps: 1500)
        let own = try RecordingFolder.segments(in: folder.path).filter { SegmentName($0) != nil }
        let bytes = own.reduce(0) { $0 + (RecordingFolder.facts($1)?.bytes ?? 0) }
        #expect(summary.segments > 3 && own.count >= 2 && bytes <= 120_000, "\(summary), \(own)")
        #expect(RecordingFolder.facts(copy) != nil)
    }

    /// However little is to be kept, and however short: what was just closed stays.
    @Test func theNewestClosedSegmentStays() throws {
        let folder = RecordFolder()
        var options = RecorderOptions(folder: folder.path)
        options.blockNsMax = 50_000_000
        options.segmentBytesMax = 6000
        options.keptNsMax = 0
        let summary = try RetentionTests.record(options, seed: 41, steps: 800)
        let left = try RecordingFolder.segments(in: folder.path)
        #expect(summary.segments > 2 && left.count == 1, "\(summary), \(left)")
        let newest = try SegmentReader(path: #require(left.first))
        #expect(newest.isClosed && !newest.index.blocks.isEmpty)
    }

    @Test func whatIsTooLittleIsRefused() throws {
        var options = RecorderOptions(folder: "-")
        try options.validate(shardCount: 4)
        options.keptBytesMax = 4 * RecorderOptions.keptShareMin
        try options.validate(shardCount: 4)
        #expect(options.segmentBytesMax(ofShards: 4) == 4 << 20)
        let refusal = #expect(throws: RecorderError.self) { try options.validate(shardCount: 5) }
        #expect(refusal == .keepsTooLittle(bytesMin: 80 << 20))
        // The largest limit that fits is no limit to a segment.
        options.keptBytesMax = .max
        #expect(options.segmentBytesMax(ofShards: 1) == 256 << 20)
    }
}
