import BookEngine
import DepthBook
import LobRecording
import MarketData
import Testing

@testable import BookRecording

/// Behind a hole, or from the middle of a run, copies and snapshots are still compared where they can be.
@Suite struct CopyComparisonTests {
    @Test(arguments: [false, true], [false, true])
    func copiesAreComparedBehindAHole(_ isHole: Bool, _ isTampered: Bool) throws {
        let folder = RecordFolder()
        var options = RecorderOptions(folder: folder.path)
        (options.baseEveryNs, options.baseFramesMin) = (1_000_000_000, 0)
        let harness = try RecorderHarness(options)
        let traffic = Traffic(harness.tap, seed: 71)
        traffic.connect()
        for _ in 0..<1200 { traffic.step(hasTrouble: false) }
        _ = harness.stop()

        let stream = try RecordedStream.all(at: folder.path)[0]
        let bases = stream.blocks.filter { $0.isBase && $0.sequence > 0 }
        var walk = RecordingWalk(stream, fromNs: isHole ? .min : bases[0].firstAtNs)
        var engine = RecordedEngine(isExact: isHole)
        var mayHole = isHole
        var copies = 0
        try walk.forEach { item in
            guard case .frame(let frame) = item else {
                engine.take(item)
                return true
            }
            if mayHole && frame.receivedAtNs > bases[0].firstAtNs {
                mayHole = false
                engine.take(.hole(blocks: 1, fromNs: frame.receivedAtNs, toNs: frame.receivedAtNs))
            }
            if isTampered && !mayHole && frame.record == .book, var image = ServedImage(frame.body),
                image.symbol == Traffic.symbols[0]
            {
                copies += 1
                if copies == 3 {
                    let best = image.book.bids[0]
                    image.book.bids[0] = PriceLevel(best.price.mantissa, best.quantity.mantissa + 1)
                    var block = FrameBlock(symbolCount: 2)
                    block.add(.book, atNs: frame.receivedAtNs, image.bytes)
                    _ = FrameBlock.forEach(in: block.raw) {
                        engine.take(.frame($0))
                        return true
                    }
                    return true
                }
            }
            engine.take(item)
            return true
        }
        engine.finish()
        let counters = engine.counters
        #expect(counters.booksCompared > 10 && counters.booksAdopted >= 2)
        #expect(counters.snapshotsCompared > 0)
        #expect(counters.snapshotsAgreed == counters.snapshotsCompared || isTampered)
        #expect((engine.mismatchCount == 0) == !isTampered, "\(engine.mismatches)")
        #expect((counters.booksAgreed == counters.booksCompared) == !isTampered)
    }
}
