import Glibc
import LobHandoff
import LobRecording
import MarketData
import Testing

@testable import BookRecording

/// Where a recorder meets a limit: of a block, of the queue, of the disk's patience.
@Suite struct RecorderLimitTests {
    /// A message that no block can hold is a hole like any other: counted, listed, and bridged by copies.
    @Test func aMessageLongerThanABlock() throws {
        let folder = RecordFolder()
        let driven = try DrivenRecorder(RecorderOptions(folder: folder.path))
        let traffic = Traffic(nil, seed: 70)
        traffic.observer = { driven.recorder.take($0) }
        driven.recorder.begin(traffic.atNs)
        traffic.connect()
        for _ in 0..<200 { traffic.step(hasTrouble: false) }
        let long = [UInt8](repeating: 0x20, count: SegmentLayout.blockBytesMax)
        traffic.emit(.message, source: 1, long)
        for _ in 0..<200 { traffic.step(hasTrouble: false) }
        let isWritten = driven.recorder.finish(traffic.atNs)
        #expect(isWritten && driven.events.take().contains { $0.contains("longer than a block") })
        let replayed = try Replayed(folder.path)
        let gaps = replayed.gaps.filter { $0.cause == .tooLong }
        #expect(gaps.count == 1 && gaps[0].lostFrames >= 1 && gaps[0].lostBlocks == 1, "\(replayed.gaps)")
        #expect(gaps.allSatisfy { $0.toNs > $0.fromNs } && replayed.mismatches.isEmpty)
        #expect(replayed.counters.unlistedBlocks == 0 && replayed.counters.booksAdopted > 0)
        #expect(driven.recorder.counters.lostFrames == Int(gaps.first?.lostFrames ?? 0))
        #expect(replayed.standings.last == traffic.standings.last)
    }

    /// The copies that reading begins with are taken whole, however few blocks may wait; a second base waits
    /// for the first.
    @Test func aBaseLargerThanTheQueue() throws {
        let folder = RecordFolder()
        var options = RecorderOptions(folder: folder.path)
        (options.waitingBlocksMax, options.blockBytes, options.baseEveryNs) = (2, 1, 1)
        options.baseFramesMin = 0
        let stuck = SharedFlag()
        options.fault = {
            while stuck.isOn { usleep(500) }
            return 0
        }
        let driven = try DrivenRecorder(options)
        stuck.isOn = true
        driven.recorder.begin(1)
        let waiting = driven.recorder.disk.status.waitingBaseBlocks
        #expect(waiting > 2 && driven.recorder.loss == nil)
        driven.take(.tick, atNs: 2_000_000_000, [UInt8](repeating: 0, count: 8))
        #expect(driven.recorder.counters.bases == 1 && driven.recorder.loss == nil)
        stuck.isOn = false
        driven.settle()
        driven.take(.tick, atNs: 4_000_000_000, [UInt8](repeating: 0, count: 8))
        #expect(driven.recorder.counters.bases == 2)
        driven.settle()
        let isWritten = driven.recorder.finish(5_000_000_000)
        #expect(isWritten && driven.recorder.counters.lostFrames == 0)
    }

    /// After many bytes reading may begin anew, whatever the time.
    @Test func aBaseAfterManyBytes() throws {
        let folder = RecordFolder()
        var options = RecorderOptions(folder: folder.path)
        options.baseEveryBytes = 20_000
        let driven = try DrivenRecorder(options)
        let traffic = Traffic(nil, seed: 71)
        traffic.observer = { driven.recorder.take($0) }
        driven.recorder.begin(traffic.atNs)
        traffic.connect()
        for _ in 0..<1000 { traffic.step(hasTrouble: false) }
        let bases = driven.recorder.counters.bases
        _ = driven.recorder.finish(traffic.atNs)
        #expect(bases > 2 && bases < 20, "\(bases) bases")
        #expect(try Replayed(folder.path).mismatches.isEmpty)
    }

    /// Copies of quiet books wait until what came since is many times as long.
    @Test func basesOfQuietBooksAreFew() throws {
        var counts: [Int] = []
        for least in [0, 4, 32] {
            let folder = RecordFolder()
            var options = RecorderOptions(folder: folder.path)
            (options.baseEveryNs, options.baseFramesMin) = (100_000_000, least)
            options.baseWaitMax = 1_000_000
            let driven = try DrivenRecorder(options)
            let traffic = Traffic(nil, seed: 73)
            traffic.observer = { driven.recorder.take($0) }
            driven.recorder.begin(traffic.atNs)
            traffic.connect()
            for _ in 0..<1000 { traffic.step(hasTrouble: false) }
            counts.append(driven.recorder.counters.bases)
            _ = driven.recorder.finish(traffic.atNs)
            let unpacked = driven.recorder.disk.status.unpackedBytes
            #expect(least == 0 || driven.recorder.baseBytes * counts.last! * least < 2 * unpacked)
            #expect(try Replayed(folder.path).mismatches.isEmpty)
        }
        #expect(counts[0] > counts[1] && counts[1] > counts[2] && counts[2] > 1, "\(counts)")
    }

    /// However quiet the books, reading may begin anew after three times as long.
    @Test func basesOfQuietBooksAreNotForgotten() throws {
        let folder = RecordFolder()
        var options = RecorderOptions(folder: folder.path)
        (options.baseEveryNs, options.baseFramesMin) = (1_000_000_000, 1_000_000)
        options.segmentEveryNs = 1 << 60
        let driven = try DrivenRecorder(options)
        let traffic = driven.follow(seed: 74, stepCount: 1000)
        // At the beginning and after 3, 6 and 9 of 10 seconds.
        #expect(driven.recorder.counters.bases == 4)
        _ = driven.recorder.finish(traffic.atNs)
        #expect(try Replayed(folder.path).mismatches.isEmpty)
    }

    /// A disk that never answers again holds nobody up for ever, and what it costs is said.
    @Test func aDiskThatHangs() throws {
        let folder = RecordFolder()
        var options = RecorderOptions(folder: folder.path)
        (options.stopNsMax, options.blockNsMax) = (100_000_000, 1)
        let stuck = SharedFlag()
        options.fault = {
            while stuck.isOn { usleep(500) }
            return 0
        }
        let harness = try RecorderHarness(options)
        let traffic = Traffic(harness.tap, seed: 72)
        traffic.connect()
        harness.run(traffic, steps: 50)
        stuck.isOn = true
        for _ in 0..<50 { traffic.step(hasTrouble: false) }
        let beganNs = RecorderClock.monotonicNs
        let summary = harness.stop()
        let tookNs = RecorderClock.monotonicNs - beganNs
        stuck.isOn = false
        #expect(tookNs < 5_000_000_000 && harness.recorder.isHung, "\(tookNs) ns")
        #expect(harness.events.take().contains { $0.contains("has not answered") })
        #expect(summary.lostFrames > 0)
        while harness.recorder.disk.status.waitingFrames > 0 { usleep(500) }
    }

    /// A message of one book leads to a look at that book, not at all of them.
    @Test func onlyWhatChangedIsLookedAt() throws {
        let folder = RecordFolder()
        let symbols = (0..<200).compactMap { SymbolName("S\($0)USDT") }
        let driven = try DrivenRecorder(RecorderOptions(folder: folder.path), symbols: symbols)
        driven.recorder.begin(1)
        driven.take(.connected, atNs: 1)
        let before = driven.recorder.counters.looks
        for id in 1...100 {
            let text =
                "{\"e\":\"depthUpdate\",\"E\":1,\"s\":\"S7USDT\",\"U\":\(id),\"u\":\(id),"
                + "\"b\":[[\"1.0\",\"1\"]],\"a\":[]}"
            driven.take(.message, atNs: Int64(id), Array(text.utf8))
        }
        let looks = driven.recorder.counters.looks - before
        #expect(looks <= 400, "\(looks) looks")
        _ = driven.recorder.finish(200)
    }
}
