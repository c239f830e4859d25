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

    /// Makes a file look as if nothing had changed it for years.
    private static func age(_ path: String) {
        let longAgo = timeval(tv_sec: 1, tv_usec: 0)
        let result = utimes(path, [longAgo, longAgo])
        #expect(result == 0)
    }

    /// Several segments of an earlier run, and options with which nothing older than an hour is kept.
    private static func earlier(
        _ folder: RecordFolder
    ) throws -> (paths: [String], options: RecorderOptions) {
        var options = RecorderOptions(folder: folder.path)
        (options.blockNsMax, options.retryEveryNs) = (50_000_000, 20_000_000)
        options.segmentBytesMax = 6000
        _ = try RetentionTests.record(options, seed: 41, steps: 800)
        options.segmentBytesMax = 256 << 20
        options.segmentEveryNs = 1 << 60
        options.keptNsMax = 3_600_000_000_000
        return (try RecordingFolder.segments(in: folder.path), options)
    }

    /// A disk that is full of what need not be kept is no reason not to begin.
    @Test func aDiskThatIsFullAtFirst() throws {
        let folder = RecordFolder()
        var (paths, options) = try RetentionTests.earlier(folder)
        let oldest = paths.removeFirst()
        #expect(paths.count > 1)
        RetentionTests.age(oldest)
        options.fault = { RecordingFolder.facts(oldest) == nil ? 0 : ENOSPC }
        let summary = try RetentionTests.record(options, seed: 43, steps: 100)
        let left = try RecordingFolder.segments(in: folder.path)
        #expect(summary.segments == 1 && left.dropLast() == paths[...], "\(left)")
    }

    /// A disk that fills: what is too old goes when a block is refused, or the beginning of a segment, and
    /// the recording goes on.
    @Test(arguments: [false, true]) func aDiskThatFills(_ isOldBefore: Bool) throws {
        let folder = RecordFolder()
        var (paths, options) = try RetentionTests.earlier(folder)
        let oldest = paths.removeFirst()
        let isFull = SharedFlag()
        options.fault = { isFull.isOn && RecordingFolder.facts(oldest) != nil ? ENOSPC : 0 }
        let harness = try RecorderHarness(options)
        let traffic = Traffic(harness.tap, seed: 44)
        traffic.connect()
        harness.run(traffic, steps: 100)
        #expect(RecordingFolder.facts(oldest) != nil)
        if isOldBefore { RetentionTests.age(oldest) }
        isFull.isOn = true
        #expect(harness.run(traffic, until: "not recording"))
        if !isOldBefore { RetentionTests.age(oldest) }
        #expect(harness.run(traffic, until: "recording again"))
        _ = harness.stop()
        let left = try RecordingFolder.segments(in: folder.path)
        #expect(left.starts(with: paths), "\(left)")
        #expect(try Replayed(folder.path).mismatches.isEmpty)
    }

    /// Segments of shards that an earlier run had and this one lacks are removed like all others, once.
    @Test(arguments: [false, true]) func shardsThatAreNoMore(_ isByAge: Bool) throws {
        let folder = RecordFolder()
        var header = SegmentHeader(
            startedAtNs: 1_700_000_000_000_000_000, createdAtNs: 1_700_000_000_000_000_000, number: 1,
            firstSequence: 0, shard: 0, shardCount: 4)
        var paths: [String] = []
        for shard in UInt16(0)..<4 {
            header.shard = shard
            let path = folder.path + "/" + SegmentName.text(header)
            try SegmentFile(creating: path).append([UInt8](repeating: 0, count: 200))
            RetentionTests.age(path)
            paths.append(path)
        }
        var options = RecorderOptions(folder: folder.path)
        // Of two shards each may keep 300 bytes.
        if isByAge { options.keptNsMax = 3_600_000_000_000 } else { options.keptBytesMax = 600 }
        (header.number, header.shardCount) = (2, 2)
        for shard in UInt16(0)..<2 {
            header.shard = shard
            let disk = try RecorderDisk(options, header, symbols: [], report: { _ in })
            disk.stop()
            let left = try RecordingFolder.segments(in: folder.path).filter { paths.contains($0) }
            let wanted = shard == 0 ? [paths[0], paths[1], paths[3]] : [paths[0], paths[1]]
            #expect(left == wanted)
        }
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
