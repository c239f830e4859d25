import Foundation
import LobRecording
import MarketData
import Testing

@testable import BookRecording

/// Damage where a reading may begin costs what lies between two bases, and is counted.
@Suite struct DamagedBaseTests {
    private static func record(_ folder: RecordFolder) throws -> Traffic {
        var options = RecorderOptions(folder: folder.path)
        (options.baseEveryNs, options.baseFramesMin) = (2_000_000_000, 0)
        options.segmentEveryNs = 1 << 60
        let driven = try DrivenRecorder(options)
        let traffic = driven.follow(seed: 90, stepCount: 1000)
        _ = driven.recorder.finish(traffic.atNs)
        return traffic
    }

    /// Flips a bit behind the header of a block.
    private static func damage(_ entry: SegmentIndex.Entry, _ path: String) throws {
        let file = URL(fileURLWithPath: path)
        var bytes = try Data(contentsOf: file)
        bytes[bytes.startIndex + Int(entry.offset) + SegmentLayout.blockHeaderLength + 3] ^= 1
        try bytes.write(to: file)
    }

    @Test func readingStartsAtTheOneBefore() throws {
        let folder = RecordFolder()
        let traffic = try DamagedBaseTests.record(folder)
        let stream = try RecordedStream.all(at: folder.path)[0]
        let blocks = stream.blocks
        let bases = blocks.indices.filter { blocks[$0].isBase }
        #expect(bases.count > 3 && stream.segments.count == 1)
        let (last, before) = (bases[bases.count - 1], bases[bases.count - 2])
        let fromNs = blocks[last].lastAtNs
        #expect(RecordingWalk(stream, fromNs: fromNs).start.block == last)
        try DamagedBaseTests.damage(blocks[last], stream.segments[0].path)
        #expect(RecordingWalk(stream, fromNs: fromNs).start.block == before)
        let part = try RecordingVerification(stream, fromNs: fromNs)
        #expect(part.damagedBlocks == 1 && part.isFaulty && part.mismatchCount == 0)
        #expect(part.counters.digestsCompared > 0 && part.counters.booksAdopted > 0)
        // Without any, from the beginning.
        for base in bases.dropLast() {
            try DamagedBaseTests.damage(blocks[base], stream.segments[0].path)
        }
        let walk = RecordingWalk(stream, fromNs: traffic.atNs)
        #expect(walk.start.block == 0)
        let none = try RecordingVerification(stream, fromNs: fromNs)
        #expect(none.damagedBlocks == bases.count && none.isFaulty)
    }
}
