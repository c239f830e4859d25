import Glibc
import LobRecording
import MarketData
import Synchronization
import Testing

@testable import BookRecording

/// Where a gap ends, whatever was lost on the way.
@Suite struct GapEndTests {
    private static func options(_ folder: RecordFolder) -> RecorderOptions {
        var options = RecorderOptions(folder: folder.path)
        options.blockNsMax = 20_000_000
        options.segmentEveryNs = 1 << 60
        options.retryEveryNs = 20_000_000
        return options
    }

    /// A run that ends without a book: its gap ends with it, and is not there in the next one.
    @Test func aGapEndsWithItsRun() throws {
        let folder = RecordFolder()
        var ends: [Int64] = []
        // The second run is longer: both begin at the same time of the venue.
        for steps in [100, 150] {
            let harness = try RecorderHarness(GapEndTests.options(folder))
            let traffic = Traffic(harness.tap, seed: UInt64(steps))
            traffic.connect()
            for _ in 0..<steps { traffic.step(hasTrouble: false) }
            traffic.disconnect()
            ends.append(traffic.atNs)
            _ = harness.stop()
        }
        let stream = try RecordedStream.all(at: folder.path)[0]
        let gaps = try Replayed(folder.path).gaps
        #expect(Set(stream.gaps.gaps) == Set(gaps))
        let (ended, lasting) = (gaps.filter { $0.fromNs == ends[0] }, gaps.filter { $0.toNs == 0 })
        #expect(ended.contains { $0.cause == .reconnect } && lasting.contains { $0.cause == .reconnect })
        #expect(ended.allSatisfy { $0.toNs == ends[0] || $0.cause == .notRunning }, "\(ended)")
        #expect(lasting.allSatisfy { $0.fromNs > ends[0] }, "\(lasting)")
    }

    /// A disk that takes the header of a new segment and refuses its first block, again and again: every
    /// block that is missing is in a gap, and every gap ends.
    @Test(arguments: [1, 3]) func aDiskThatFlaps(_ flaps: Int) throws {
        let folder = RecordFolder()
        var options = GapEndTests.options(folder)
        let allowance = Allowance()
        options.fault = { allowance.take() ? 0 : ENOSPC }
        let harness = try RecorderHarness(options)
        let traffic = Traffic(harness.tap, seed: 52)
        traffic.connect()
        harness.run(traffic, steps: 300)
        /// Goes on until something was reported so often.
        func go(until text: String, times: Int) -> Bool {
            for _ in 0..<4000 {
                if harness.events.take().count(where: { $0.contains(text) }) >= times { return true }
                traffic.step()
                usleep(500)
            }
            return false
        }
        for flap in 0...flaps {
            allowance.set(flap == 0 ? 0 : 1)
            #expect(go(until: "not recording", times: flap + 1))
            for _ in 0..<100 { traffic.step() }
        }
        allowance.set(.max)
        #expect(go(until: "recording again", times: flaps + 1))
        harness.run(traffic, steps: 200)
        let summary = harness.stop()
        let replayed = try Replayed(folder.path)
        let losses = replayed.gaps.filter { $0.cause == .diskError }
        #expect(losses.count == flaps + 1 && losses.allSatisfy { $0.toNs > $0.fromNs }, "\(losses)")
        #expect(losses.reduce(0) { $0 + Int($1.lostFrames) } == summary.lostFrames)
        #expect(replayed.counters.unlistedBlocks == 0 && replayed.mismatches.isEmpty)
        for symbol in Traffic.symbols where traffic.engine.mark(of: symbol)?.state == .live {
            #expect(!replayed.gaps.contains { $0.symbol == symbol.bytes && $0.toNs == 0 })
        }
        #expect(try !RecordingVerification(RecordedStream.all(at: folder.path)[0]).isDamaged)
    }

    /// A disk that never recovers: what is lost is in the summary all the same.
    @Test func aDiskThatNeverRecovers() throws {
        let folder = RecordFolder()
        var options = GapEndTests.options(folder)
        let allowance = Allowance()
        options.fault = { allowance.take() ? 0 : ENOSPC }
        let harness = try RecorderHarness(options)
        let traffic = Traffic(harness.tap, seed: 53)
        traffic.connect()
        harness.run(traffic, steps: 100)
        allowance.set(0)
        let before = traffic.frameCount
        for _ in 0..<100 { traffic.step() }
        let summary = harness.stop()
        #expect(summary.frames == traffic.frameCount && summary.lostFrames >= traffic.frameCount - before)
    }

    /// A replay from the middle that ends inside a gap calls no book live that was not.
    @Test func aBookInAGapIsNotLive() throws {
        let folder = RecordFolder()
        var options = GapEndTests.options(folder)
        (options.baseEveryNs, options.baseFramesMin) = (1_000_000_000, 0)
        options.waitingBlocksMax = 1000
        let harness = try RecorderHarness(options)
        let traffic = Traffic(harness.tap, seed: 54)
        traffic.connect()
        // A snapshot shows the recorder its doubt, and a replay from the middle leaves it out.
        for step in 0..<1000 {
            traffic.liesInSnapshots = step >= 500
            traffic.step(hasTrouble: false)
        }
        _ = harness.stop()
        let stream = try RecordedStream.all(at: folder.path)[0]
        let bases = stream.blocks.filter { $0.isBase && $0.sequence > 1 }
        var compared = 0
        for gap in stream.gaps.gaps where gap.toNs > gap.fromNs {
            guard let base = bases.last(where: { $0.firstAtNs < gap.fromNs }) else { continue }
            // To the end of the block in which it opens.
            let whole = try RecordingVerification(stream, toNs: gap.fromNs)
            let part = try RecordingVerification(stream, fromNs: base.firstAtNs, toNs: gap.fromNs)
            for (own, other) in zip(whole.symbols, part.symbols) where own.status.state != .live {
                #expect(other.status.state != .live, "\(gap)")
                compared += 1
            }
        }
        #expect(compared > 0, "\(stream.gaps.gaps)")
    }

    /// A replay from the middle still has the book that was given up when its gap ends: only the copy behind
    /// the gap is trusted.
    @Test func onlyACopyEndsADoubt() throws {
        let folder = RecordFolder()
        var options = GapEndTests.options(folder)
        (options.baseEveryNs, options.baseFramesMin) = (1_000_000_000, 0)
        options.waitingBlocksMax = 1000
        let driven = try DrivenRecorder(options)
        let traffic = driven.follow(seed: 55, stepCount: 500)
        traffic.liesInSnapshots = true
        for _ in 0..<800 { traffic.step(hasTrouble: false) }
        _ = driven.recorder.finish(traffic.atNs)
        let stream = try RecordedStream.all(at: folder.path)[0]
        let base = try #require(stream.blocks.first { $0.isBase && $0.sequence > 1 })
        var walk = RecordingWalk(stream, fromNs: base.firstAtNs)
        #expect(!walk.beginsAtRun)
        var engine = RecordedEngine(isExact: walk.beginsAtRun)
        var count = 0
        try walk.forEach { item in
            var before: Set<SymbolName> = []
            for symbol in Traffic.symbols where engine.isTrusted(symbol) { before.insert(symbol) }
            engine.take(item)
            guard case .frame(let frame) = item, let record = frame.record else { return true }
            let atNs = frame.receivedAtNs
            for symbol in Traffic.symbols where engine.isTrusted(symbol) && !before.contains(symbol) {
                #expect(record == .book, "\(symbol) at \(atNs)")
                count += 1
            }
            return true
        }
        // Each at the beginning, and behind a gap at least once more.
        #expect(count > Traffic.symbols.count)
    }
}

/// Writes that a disk still takes.
private final class Allowance: Sendable {
    private let left = Mutex(Int.max)

    func set(_ count: Int) { left.withLock { $0 = count } }

    func take() -> Bool {
        left.withLock { left in
            if left == 0 { return false }
            left -= left == .max ? 0 : 1
            return true
        }
    }
}
