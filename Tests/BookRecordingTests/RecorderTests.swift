import BookEngine
import DepthBook
import Foundation
import LobHandoff
import LobRecording
import MarketData
import Synchronization
import TestSupport
import Testing

@testable import BookRecording

@Suite struct RecorderTests {
    private static func options(_ folder: RecordFolder) -> RecorderOptions {
        var options = RecorderOptions(folder: folder.path)
        (options.baseEveryNs, options.baseFramesMin) = (3_000_000_000, 0)
        options.segmentEveryNs = 7_000_000_000
        options.syncEveryNs = 50_000_000
        options.retryEveryNs = 50_000_000
        return options
    }

    /// Records some seconds of traffic.
    private static func record(
        _ options: RecorderOptions, seed: UInt64, steps: Int = 2000, _ meanwhile: (Int) -> Void = { _ in }
    ) throws -> (traffic: Traffic, summary: RecorderSummary, events: [String]) {
        let harness = try RecorderHarness(options)
        let traffic = Traffic(harness.tap, seed: seed)
        traffic.connect()
        for step in 0..<steps {
            traffic.step()
            meanwhile(step)
        }
        let summary = harness.stop()
        return (traffic, summary, harness.events.take())
    }

    /// Records some seconds of traffic, with a disk that is in trouble meanwhile until the recorder says so.
    private static func record(
        _ options: RecorderOptions, seed: UInt64, trouble: SharedFlag, _ complaint: String
    ) throws -> (traffic: Traffic, summary: RecorderSummary, events: [String]) {
        let harness = try RecorderHarness(options)
        let traffic = Traffic(harness.tap, seed: seed)
        traffic.connect()
        harness.run(traffic, steps: 500)
        trouble.isOn = true
        #expect(harness.run(traffic, until: complaint))
        for _ in 0..<200 { traffic.step() }
        trouble.isOn = false
        #expect(harness.run(traffic, until: "recording again"))
        harness.run(traffic, steps: 500)
        let summary = harness.stop()
        return (traffic, summary, harness.events.take())
    }

    /// The same book after every update, from the beginning and from every base in the middle.
    @Test(arguments: 1...(ProcessInfo.processInfo.environment["LOB_SEEDS"].flatMap { UInt64($0) } ?? 3))
    func aReplayArrivesAtTheSameBooks(_ seed: UInt64) throws {
        let folder = RecordFolder()
        let (traffic, summary, _) = try RecorderTests.record(RecorderTests.options(folder), seed: seed)
        #expect(summary.frames == traffic.frameCount && summary.lostFrames == 0)
        let streams = try RecordedStream.all(at: folder.path)
        #expect(
            streams.count == 1 && streams[0].segments.count >= 3 && streams[0].areClosed
        )

        let whole = try Replayed(folder.path)
        #expect(
            whole.standings.count > 300 && whole.standings == traffic.standings, "\(whole.standings.count)")
        #expect(whole.mismatches.isEmpty, "\(whole.mismatches)")
        let counters = whole.counters
        #expect(counters.frames == traffic.frameCount && counters.unlistedBlocks == 0)
        #expect(counters.booksAgreed == counters.booksCompared && counters.booksAdopted == 0)
        #expect(counters.booksCompared == summary.books && summary.books > 10)
        #expect(counters.digestsAgreed == counters.digestsCompared && counters.digestsCompared > 10)
        #expect(counters.digestsCompared == summary.digests && counters.digestsUnknown == 0)
        for symbol in Traffic.symbols {
            #expect(whole.finals[symbol] == traffic.engine.withBook(symbol) { $0.digest() })
        }

        let truth = Set(traffic.standings)
        let bases = streams[0].blocks.filter { $0.isBase && $0.sequence > 0 }
        #expect(bases.count >= 4)
        for base in bases {
            let part = try Replayed(folder.path, fromNs: base.firstAtNs)
            #expect(part.mismatches.isEmpty, "\(part.mismatches)")
            #expect(part.counters.digestsAgreed == part.counters.digestsCompared)
            let strange = part.standings.filter { !truth.contains($0) }
            #expect(strange.isEmpty, "from \(base.firstAtNs): \(strange.prefix(3)), \(strange.count)")
            #expect(part.standings.last == nil || part.standings.last == traffic.standings.last)
            // What is left of a book that was lost depends on its past.
            for symbol in Traffic.symbols where traffic.engine.mark(of: symbol)?.state == .live {
                #expect(part.finals[symbol] == whole.finals[symbol], "from \(base.firstAtNs)")
            }
        }
    }

    /// Every time that a book is not to be believed is a gap, and every gap ends where it is believed again.
    @Test func gapsAreTheTimesWithoutABook() throws {
        let folder = RecordFolder()
        let (traffic, summary, _) = try RecorderTests.record(RecorderTests.options(folder), seed: 5)
        let gaps = try RecordedStream.all(at: folder.path)[0].gaps.gaps
        #expect(gaps == (try Replayed(folder.path).gaps))
        let causes = Set(gaps.map(\.cause))
        #expect(causes.isSuperset(of: [.starting, .resync, .reconnect, .unreadable]), "\(causes)")
        for symbol in Traffic.symbols {
            let own = gaps.filter { $0.symbol == symbol.bytes }
            #expect(own.first?.cause == .starting && own.count > 3)
            for (gap, next) in zip(own, own.dropFirst()) {
                #expect(gap.toNs > gap.fromNs || gap.toNs == gap.fromNs, "\(gap)")
                #expect(gap.toNs <= next.fromNs && gap.idAfter > 0 && next.idBefore >= gap.idAfter)
            }
        }
        #expect(summary.gaps >= gaps.count && traffic.standings.count > 300)
    }

    /// A disk that is too slow costs frames of the recording: counted, listed, and bridged by copies.
    @Test func aSlowDisk() throws {
        let folder = RecordFolder()
        var options = RecorderTests.options(folder)
        options.waitingBlocksMax = 2
        options.blockNsMax = 20_000_000
        let slow = SharedFlag()
        options.fault = {
            while slow.isOn { usleep(500) }
            return 0
        }
        let (traffic, summary, events) = try RecorderTests.record(options, seed: 8, trouble: slow, "too slow")
        try RecorderTests.expectBridged(folder, traffic, summary, .diskSlow)
        #expect(
            events.contains { $0.contains("too slow") } && events.contains { $0.contains("recording again") })
    }

    /// A disk that refuses: a message, the books go on, and what is missing is listed.
    @Test(arguments: [ENOSPC, EROFS, EIO]) func aDiskThatRefuses(_ number: Int32) throws {
        let folder = RecordFolder()
        var options = RecorderTests.options(folder)
        options.blockNsMax = 20_000_000
        let broken = SharedFlag()
        options.fault = { broken.isOn ? number : 0 }
        let (traffic, summary, events) = try RecorderTests.record(
            options, seed: 9, trouble: broken, "not recording")
        try RecorderTests.expectBridged(folder, traffic, summary, .diskError)
        let reason = String(cString: strerror(number))
        #expect(events.contains { $0.contains("not recording") && $0.contains(reason) }, "\(events)")
        #expect(events.contains { $0.contains("recording again") })
        // What could not be begun has left no file.
        _ = try RecordedStream.all(at: folder.path) { Issue.record("\($0)") }
    }

    /// Files that are no segments, or damaged at their first byte, cost the rest of a folder nothing.
    @Test func filesThatAreNoSegments() throws {
        let folder = RecordFolder()
        let (traffic, _, _) = try RecorderTests.record(RecorderTests.options(folder), seed: 11, steps: 300)
        let strange = ["shard000-00000009-20260101T000000Z", "shard000-00000010-20260101T000000Z"]
            .map { "\(folder.path)/\($0).lobrec" }
        _ = try SegmentFile(creating: strange[0])
        try SegmentFile(creating: strange[1]).append([UInt8](repeating: 7, count: 200))
        var unusable: [SegmentError] = []
        let streams = try RecordedStream.all(at: folder.path) { unusable.append($0) }
        #expect(unusable == strange.map { SegmentError.damagedHeader(path: $0) } && streams.count == 1)
        #expect(throws: SegmentError.self) { _ = try RecordedStream.all(at: strange[1]) }
        #expect(try Replayed(folder.path).standings == traffic.standings)
    }

    private static func expectBridged(
        _ folder: RecordFolder, _ traffic: Traffic, _ summary: RecorderSummary, _ cause: RecordedGap.Cause
    ) throws {
        #expect(summary.frames == traffic.frameCount && summary.lostFrames > 50)
        let replayed = try Replayed(folder.path)
        let listed = replayed.gaps.filter { $0.cause == cause }
        #expect(!listed.isEmpty && listed.allSatisfy { $0.toNs > $0.fromNs }, "\(replayed.gaps)")
        #expect(listed.reduce(0) { $0 + Int($1.lostFrames) } == summary.lostFrames)
        #expect(
            replayed.counters.unlistedBlocks == 0 && replayed.mismatches.isEmpty, "\(replayed.mismatches)")
        #expect(replayed.counters.digestsAgreed == replayed.counters.digestsCompared)
        let truth = Set(traffic.standings)
        #expect(replayed.standings.count > 150 && replayed.standings.allSatisfy(truth.contains))
        #expect(replayed.standings.count < traffic.standings.count)
        for symbol in Traffic.symbols where traffic.engine.mark(of: symbol)?.state == .live {
            #expect(replayed.finals[symbol] == traffic.engine.withBook(symbol) { $0.digest() })
        }
    }

    /// A file that is removed while it is written takes bytes without a word: that is noticed.
    @Test func aSegmentThatIsRemoved() throws {
        let folder = RecordFolder()
        var options = RecorderTests.options(folder)
        options.blockNsMax = 20_000_000
        let harness = try RecorderHarness(options)
        let traffic = Traffic(harness.tap, seed: 10)
        traffic.connect()
        harness.run(traffic, steps: 300)
        // Again if it has just been closed.
        for _ in 0..<20 where !harness.run(traffic, until: "recording again", stepsMax: 300) {
            unlink(try RecordingFolder.segments(in: folder.path).last ?? "")
        }
        harness.run(traffic, steps: 100)
        let summary = harness.stop()
        let events = harness.events.take()
        #expect(summary.lostFrames > 0 && events.contains { $0.contains("recording again") }, "\(events)")
        #expect(events.contains { $0.contains("not recording") && $0.contains("No such file") })
        #expect(try Replayed(folder.path).mismatches.isEmpty)
    }

    /// A disk that stands still: the book thread allocates as much as without a recorder, and takes every
    /// frame.
    @Test func theBookThreadPaysNothing() throws {
        let folder = RecordFolder()
        var options = RecorderTests.options(folder)
        options.waitingBlocksMax = 1
        options.ringBytes = 1 << 16
        let stuck = SharedFlag()
        options.fault = {
            while stuck.isOn { usleep(500) }
            return 0
        }
        let harness = try RecorderHarness(options)
        stuck.isOn = true
        let alone = try RecorderTests.book(nil)
        let recorded = try RecorderTests.book(harness.tap)
        stuck.isOn = false
        let summary = harness.stop()
        #expect(recorded.bytes == alone.bytes && recorded.frames == alone.frames && alone.frames > 3000)
        #expect(summary.lostFrames > 0 || harness.tap.droppedMessages > 0)
    }

    /// Bytes that a book thread allocates for a few thousand frames, and the frames it takes; the feed
    /// writes each to a tap as well.
    private static func book(_ tap: FrameTap?) throws -> (bytes: UInt64?, frames: Int) {
        let ring = try FrameRing(capacityBytes: 1 << 24)
        var consumer = ring.consumer
        let own = FrameTap(ring.producer)
        let traffic = Traffic(own, seed: 4)
        traffic.connect()
        for _ in 0..<5000 { traffic.step(hasTrouble: false) }
        // The same frames for the recorder, as the feed writes them: behind the book's ring.
        if let tap {
            let copy = Traffic(tap, seed: 4)
            copy.connect()
            for _ in 0..<5000 { copy.step(hasTrouble: false) }
        }
        var engine = BookEngine(Traffic.configuration)
        for symbol in Traffic.symbols { engine.addSymbol(symbol) }
        let bytes = allocatedBytes {
            while engine.doWork(&consumer) > 0 { engine.takeRequests { _ in } }
        }
        return (bytes, engine.counters.frames)
    }

    /// Folders that cannot be written are refused before anything starts.
    @Test func foldersThatCannotBe() throws {
        for path in ["/proc/nothing/here", "/dev/null/x"] {
            #expect(throws: RecorderError.self) { _ = try RecorderHarness(RecorderOptions(folder: path)) }
        }
        let folder = RecordFolder()
        var options = RecorderOptions(folder: folder.path)
        options.fault = { EROFS }
        let refusal = #expect(throws: RecorderError.self) { _ = try RecorderHarness(options) }
        #expect(refusal?.description.contains(String(cString: strerror(EROFS))) == true)
    }

    /// Two runs into one folder: the second goes on with the numbers, closes what the first left open, and
    /// lists the time between.
    @Test func aSecondRun() throws {
        let folder = RecordFolder()
        let (first, _, _) = try RecorderTests.record(RecorderTests.options(folder), seed: 20, steps: 600)
        // As if it had been killed in the middle of a block.
        let last = try #require(RecordingFolder.segments(in: folder.path).last)
        let file = try SegmentFile(appending: last)
        let kept = try SegmentReader(path: last).index.blocks
        try file.cut(to: file.length - 100)
        let (second, _, events) = try RecorderTests.record(
            RecorderTests.options(folder), seed: 21, steps: 600)
        #expect(
            events.contains { $0.contains("left open") && $0.contains("\(kept.count) whole blocks") },
            "\(events)")
        let replayed = try Replayed(folder.path)
        #expect(replayed.mismatches.isEmpty && replayed.standings == first.standings + second.standings)
        let between = replayed.gaps.filter { $0.cause == .notRunning }
        #expect(between.count == 1 && between[0].fromNs == kept.last?.lastAtNs)
        let numbers = try RecordedStream.all(at: folder.path)[0].segments.map(\.header.number)
        #expect(numbers == (1...UInt64(numbers.count)).map { $0 })
    }

    @Test func oldSegmentsAreRemoved() throws {
        let folder = RecordFolder()
        var options = RecorderTests.options(folder)
        options.segmentBytesMax = 20_000
        options.blockNsMax = 50_000_000
        options.keptBytesMax = 80_000
        let (_, summary, events) = try RecorderTests.record(options, seed: 30, steps: 4000) { step in
            if step % 20 == 0 { usleep(1000) }
        }
        let bytes = try RecordingFolder.segments(in: folder.path).reduce(0) {
            $0 + (RecordingFolder.facts($1)?.bytes ?? 0)
        }
        #expect(summary.segments > 6 && bytes < 200_000, "\(summary.segments) segments, \(bytes) bytes")
        #expect(events.contains { $0.contains("removed") })
        // What is left begins with a base and replays by itself.
        let replayed = try Replayed(folder.path)
        #expect(replayed.mismatches.isEmpty && replayed.counters.digestsAgreed > 5)
    }
}

/// A flag that a test sets and a disk reads.
final class SharedFlag: Sendable {
    private let flag = Atomic<Bool>(false)
    var isOn: Bool {
        get { flag.load(ordering: .acquiring) }
        set { flag.store(newValue, ordering: .releasing) }
    }
}
