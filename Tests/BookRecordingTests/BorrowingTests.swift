import BookEngine
import DepthBook
import Glibc
import LobRecording
import MarketData
import Testing

@testable import BookRecording

/// A recorder that has missed something makes its books anew from copies of the served ones, and a replay
/// arrives at the same books.
@Suite struct BorrowingTests {
    private static func options(_ folder: RecordFolder) -> RecorderOptions {
        var options = RecorderOptions(folder: folder.path)
        (options.baseEveryNs, options.baseFramesMin) = (3_000_000_000, 0)
        options.segmentEveryNs = 7_000_000_000
        return options
    }

    /// A replay of a recording that lacks what the engine had before.
    private static func expectSame(_ folder: RecordFolder, _ traffic: Traffic) throws {
        let replayed = try Replayed(folder.path)
        #expect(replayed.mismatches.isEmpty, "\(replayed.mismatches)")
        #expect(replayed.counters.booksAgreed == replayed.counters.booksCompared)
        #expect(replayed.counters.booksCompared > 3 && replayed.counters.booksAdopted == 0)
        let ids = Set(traffic.standings.map { [$0.symbol.quickHash, UInt64(bitPattern: $0.id.value)] })
        #expect(
            replayed.standings.count > 50
                && replayed.standings.allSatisfy {
                    ids.contains([$0.symbol.quickHash, UInt64(bitPattern: $0.id.value)])
                })
        #expect(try !RecordingVerification(RecordedStream.all(at: folder.path)[0]).isFaulty)
    }

    /// It began after the first snapshots. Nobody asks the venue again before the next audit.
    @Test func aSlowStart() throws {
        let folder = RecordFolder()
        let harness = try RecorderHarness(BorrowingTests.options(folder), asks: true)
        let traffic = Traffic(harness.tap, seed: 61, isTapped: false)
        traffic.connect()
        for _ in 0..<110 { traffic.step(hasTrouble: false) }
        #expect(Traffic.symbols.allSatisfy { traffic.engine.mark(of: $0)?.state == .live })
        let beganNs = traffic.atNs
        traffic.beginTap()
        harness.run(traffic, steps: 400, hasTrouble: false)
        let summary = harness.stop()
        #expect(summary.borrowed >= Traffic.symbols.count && summary.frames == traffic.frameCount)
        let gaps = try RecordedStream.all(at: folder.path)[0].gaps.gaps
        for symbol in Traffic.symbols {
            let start = gaps.first { $0.symbol == symbol.bytes && $0.cause == .starting }
            #expect(start.map { $0.toNs > 0 && $0.toNs - beganNs < 1_200_000_000 } == true, "\(gaps)")
        }
        try BorrowingTests.expectSame(folder, traffic)
    }

    /// Its tap had no room for a while, and the book thread has lost nothing.
    @Test func aTapThatLosesFrames() throws {
        let folder = RecordFolder()
        let harness = try RecorderHarness(BorrowingTests.options(folder), asks: true)
        let traffic = Traffic(harness.tap, seed: 62)
        traffic.connect()
        harness.run(traffic, steps: 150, hasTrouble: false)
        traffic.loseAtTap { for _ in 0..<20 { traffic.step(hasTrouble: false) } }
        let lostNs = traffic.atNs
        harness.run(traffic, steps: 250, hasTrouble: false)
        let summary = harness.stop()
        #expect(summary.borrowed >= 1)
        let gaps = try RecordedStream.all(at: folder.path)[0].gaps.gaps
        for gap in gaps where gap.fromNs >= lostNs {
            #expect(gap.toNs > 0 && gap.toNs - lostNs < 1_200_000_000, "\(gap)")
        }
        try BorrowingTests.expectSame(folder, traffic)
    }

    /// Nobody to ask: as before, the next audit brings a book.
    @Test func withoutAnybodyToAsk() throws {
        let folder = RecordFolder()
        let harness = try RecorderHarness(BorrowingTests.options(folder))
        let traffic = Traffic(harness.tap, seed: 61, isTapped: false)
        traffic.connect()
        for _ in 0..<210 { traffic.step(hasTrouble: false) }
        traffic.beginTap()
        harness.run(traffic, steps: 400, hasTrouble: false)
        #expect(harness.stop().borrowed == 0)
        #expect(try Replayed(folder.path).mismatches.isEmpty)
    }

    @Test func aCopyIsUsedBehindTheTickFromWhichUpdatesAreKept() throws {
        let symbol = Traffic.symbols[0]
        let traffic = Traffic(nil, seed: 63)
        traffic.connect()
        for _ in 0..<100 { traffic.step(hasTrouble: false) }
        let questions = Questions()
        let lender = BookLender(.current(.spot)) { questions.add($0, $1) }
        func copy() -> BookCopy? {
            questions.answer(traffic.engine)
            return lender.due(tickNs: .max).first
        }
        let tickNs = traffic.engine.tickNs
        lender.seek([symbol], tickNs: tickNs)
        lender.seek([symbol], tickNs: tickNs)
        #expect(questions.count == 1)
        let first = try #require(copy())
        let id = first.lastUpdateID
        // It has come back by itself meanwhile.
        #expect(lender.use(first, tickNs: tickNs, liveID: id) == .none)
        #expect(lender.use(first, tickNs: tickNs + 50, liveID: nil) == .announce)
        lender.seek([symbol], tickNs: tickNs + 50)
        #expect(copy() == nil)  // the engine is not there yet
        for _ in 0..<20 { traffic.step(hasTrouble: false) }
        #expect(lender.use(first, tickNs: tickNs + 50, liveID: nil) == .none)
        lender.seek([symbol], tickNs: tickNs + 50)
        let second = try #require(copy())
        #expect(lender.use(second, tickNs: second.tickNs, liveID: second.lastUpdateID) == .none)
        #expect(lender.use(second, tickNs: second.tickNs, liveID: nil) == .announce)
        #expect(lender.use(second, tickNs: second.tickNs, liveID: nil) == .join)
        lender.seek([], tickNs: second.tickNs)
        #expect(lender.use(second, tickNs: second.tickNs, liveID: nil) == .none)
    }

    /// The questions of a lender.
    private final class Questions: @unchecked Sendable {
        private var open: [(ReplicaQuestion, @Sendable (ReplicaAnswer) -> Void)] = []
        var count: Int { open.count }

        func add(_ question: ReplicaQuestion, _ use: @escaping @Sendable (ReplicaAnswer) -> Void) -> Bool {
            open.append((question, use))
            return true
        }

        func answer(_ engine: borrowing BookEngine) {
            for (question, use) in open { use(engine.answer(question)) }
            open = []
        }
    }
}
