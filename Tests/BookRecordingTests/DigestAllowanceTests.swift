import LobRecording
import MarketData
import Testing

@testable import BookRecording

/// A replay that may read few levels for digests compares the last of each run all the same, and counts those
/// that it leaves out.
@Suite struct DigestAllowanceTests {
    private static func record(_ folder: RecordFolder, seed: UInt64) throws {
        var options = RecorderOptions(folder: folder.path)
        options.segmentEveryNs = 1 << 60
        let driven = try DrivenRecorder(options)
        let traffic = Traffic(nil, seed: seed)
        traffic.observer = { driven.recorder.take($0) }
        driven.recorder.begin(traffic.atNs)
        traffic.connect()
        for _ in 0..<800 { traffic.step(hasTrouble: false) }
        _ = driven.recorder.finish(traffic.atNs)
    }

    /// Number of digests in each record, by run.
    private static func sizes(_ stream: RecordedStream) throws -> [[Int]] {
        var sizes: [[Int]] = []
        var walk = RecordingWalk(stream)
        try walk.forEach { item in
            switch item {
            case .newRun: sizes.append([])
            case .hole: break
            case .frame(let frame):
                if frame.record == .digests {
                    sizes[sizes.count - 1].append(BookDigests(frame.body)?.entries.count ?? 0)
                }
            }
            return true
        }
        return sizes
    }

    @Test func theLastOfARunAreCompared() throws {
        let folder = RecordFolder()
        for seed in [UInt64(91), 92] { try DigestAllowanceTests.record(folder, seed: seed) }
        let stream = try RecordedStream.all(at: folder.path)[0]
        let sizes = try DigestAllowanceTests.sizes(stream)
        #expect(sizes.count == 2 && sizes.allSatisfy { $0.count > 4 }, "\(sizes)")
        let all = sizes.reduce(0) { $0 + $1.reduce(0, +) }
        let whole = try RecordingVerification(stream)
        #expect(whole.counters.digestsCompared == all && whole.counters.digestsLeftOut == 0)
        #expect(whole.counters.booksCompared > 0 && whole.counters.booksLeftOut == 0)
        // Nothing is allowed but the first record.
        let part = try RecordingVerification(stream, levelsPerFrame: 0)
        let compared = (sizes.first?.first ?? 0) + sizes.reduce(0) { $0 + ($1.last ?? 0) }
        #expect(part.counters.digestsCompared == compared && compared > 0, "\(part.counters), \(sizes)")
        #expect(part.counters.digestsLeftOut == all - compared && !part.isDamaged)
        #expect(part.counters.booksCompared == 0)
        #expect(part.counters.booksLeftOut == whole.counters.booksCompared)
    }

    /// A last digest that is not that of the book is a mismatch, however little may be read.
    @Test func aWrongLastDigestIsSeen() throws {
        let folder = RecordFolder()
        try DigestAllowanceTests.record(folder, seed: 93)
        let stream = try RecordedStream.all(at: folder.path)[0]
        var walk = RecordingWalk(stream)
        var engine = RecordedEngine(isExact: walk.beginsAtRun, levelsPerFrame: 0)
        try walk.forEach { item in
            engine.take(item)
            return true
        }
        var digests = BookDigests()
        digests.entries = [BookDigests.Entry(symbol: 0, lastUpdateID: UpdateID(1), digest: 1)]
        var block = FrameBlock(symbolCount: Traffic.symbols.count)
        for atNs in [Int64(1), 2] { block.add(.digests, atNs: atNs, digests.bytes) }
        _ = FrameBlock.forEach(in: block.raw) { frame in
            engine.take(.frame(frame))
            return true
        }
        let before = engine.mismatchCount
        engine.finish()
        let after = engine.mismatchCount
        #expect(before == 0 && after == 1)
    }
}
