import Foundation
import LobRecording
import MarketData
import Testing

@testable import BookRecording

/// A replay that ends where blocks are missing or damaged knows no book there, and calls no more damaged than
/// is known to be.
@Suite struct WalkEndTests {
    private static func live(_ stream: RecordedStream, toNs: Int64 = .max) throws -> Set<SymbolName> {
        let symbols = try RecordingVerification(stream, toNs: toNs).symbols
        return Set(symbols.filter { $0.status.state == .live }.map(\.status.symbol))
    }

    /// The frame that lists a gap comes behind it: a replay that ends before reads none.
    @Test func insideAGapOfTheDisk() throws {
        let folder = RecordFolder()
        var options = RecorderOptions(folder: folder.path)
        options.segmentEveryNs = 1 << 60
        let driven = try DrivenRecorder(options)
        let traffic = driven.follow(seed: 95, stepCount: 200)
        traffic.emit(.message, source: 1, [UInt8](repeating: 0x20, count: SegmentLayout.blockBytesMax))
        for _ in 0..<100 { traffic.step(hasTrouble: false) }
        _ = driven.recorder.finish(traffic.atNs)
        let stream = try RecordedStream.all(at: folder.path)[0]
        let gap = try #require(stream.gaps.gaps.first { $0.cause == .tooLong })
        let before = try #require(stream.blocks.last { $0.lastAtNs <= gap.fromNs })
        #expect(gap.toNs > gap.fromNs + 1)
        #expect(try WalkEndTests.live(stream, toNs: before.lastAtNs) == Set(Traffic.symbols))
        let part = try RecordingVerification(stream, toNs: (gap.fromNs + gap.toNs) / 2)
        #expect(part.symbols.count == 2 && part.symbols.allSatisfy { $0.status.state == .stale })
        #expect(!part.isDamaged && part.gaps.gaps.allSatisfy { $0.cause != .damaged })
    }

    /// The same where the next segment begins behind the requested time.
    @Test func insideAMissingSegment() throws {
        let folder = RecordFolder()
        var options = RecorderOptions(folder: folder.path)
        options.segmentEveryNs = 1_000_000_000
        let driven = try DrivenRecorder(options)
        let traffic = driven.follow(seed: 96, stepCount: 500)
        _ = driven.recorder.finish(traffic.atNs)
        let stream = try RecordedStream.all(at: folder.path)[0]
        try #require(stream.segments.count > 3)
        let missing = stream.segments.count - 2
        let toNs = stream.segments[missing].header.createdAtNs + 1
        #expect(try WalkEndTests.live(stream, toNs: toNs) == Set(Traffic.symbols))
        var part = stream
        part.segments.remove(at: missing)
        #expect(try WalkEndTests.live(part, toNs: toNs).isEmpty)
    }

    /// Behind a damaged block no other one follows.
    @Test func behindADamagedBlock() throws {
        let folder = RecordFolder()
        let driven = try DrivenRecorder(RecorderOptions(folder: folder.path))
        let traffic = driven.follow(seed: 97, stepCount: 300)
        _ = driven.recorder.finish(traffic.atNs)
        let stream = try RecordedStream.all(at: folder.path)[0]
        #expect(try WalkEndTests.live(stream) == Set(Traffic.symbols))
        let segment = try #require(stream.segments.last)
        let last = try #require(stream.blocks.last)
        let file = URL(fileURLWithPath: segment.path)
        var bytes = try Data(contentsOf: file)
        bytes[bytes.startIndex + Int(last.offset) + SegmentLayout.blockHeaderLength + 3] ^= 1
        try bytes.write(to: file)
        #expect(try WalkEndTests.live(stream).isEmpty)
        #expect(try RecordingVerification(stream).damagedBlocks == 1)
    }
}
