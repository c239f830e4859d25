import LobRecording
import MarketData
import Testing

@testable import BookRecording

/// What a recording says of itself.
@Suite struct TermsTests {
    /// Nothing of a run stands before the base that reading begins with.
    @Test func aRunBeginsWithItsTerms() throws {
        let folder = RecordFolder()
        var options = RecorderOptions(folder: folder.path)
        options.segmentEveryNs = 1 << 62
        let driven = try DrivenRecorder(options)
        let traffic = Traffic(nil, seed: 90)
        traffic.observer = { driven.recorder.take($0) }
        driven.recorder.begin(traffic.atNs)
        traffic.connect()
        for _ in 0..<50 { traffic.step(hasTrouble: false) }
        _ = driven.recorder.finish(traffic.atNs)
        let stream = try RecordedStream.all(at: folder.path)[0]
        let terms = stream.termsOfRuns.first
        #expect(terms?.symbolNames == Traffic.symbols && terms?.knownMarket == .spot)
        #expect(stream.blocks.filter(\.isBase).map(\.sequence) == [0])
        #expect(RecordingWalk(stream, fromNs: traffic.atNs).beginsAtRun)
        // The gaps before the first proof are in the base.
        let starting = stream.gaps.gaps.filter { $0.cause == .starting }
        #expect(starting.count == Traffic.symbols.count, "\(stream.gaps.gaps)")
        #expect(try !RecordingVerification(stream).isDamaged)
    }

    /// Recordings of earlier versions have a block of gaps first.
    @Test func termsBehindGaps() throws {
        let folder = RecordFolder()
        let driven = try DrivenRecorder(RecorderOptions(folder: folder.path))
        let gap = RecordedGap(.starting, of: Traffic.symbols[0].bytes, fromNs: 1)
        driven.recorder.write(.gap, 1, gap.bytes)
        driven.recorder.begin(1)
        _ = driven.recorder.finish(2)
        let stream = try RecordedStream.all(at: folder.path)[0]
        #expect(stream.blocks.count > 1 && stream.termsOfRuns.first?.symbolNames == Traffic.symbols)
    }
}
