// A recording made of frames from a file instead of a feed: segments like those of `lob run --record`,
// with copies and digests of the books that the frames make.
//
// Nothing is lost: it waits for the disk, and ends with the first refusal. Its times are those of the frames,
// and what a recorder does every so often it does whenever they have gone on by a tenth of a second, so that
// the same frames make the same files.
//
// SAFETY: bytes of a frame are passed on during the call that lends them.

import BinanceVenue
import BookEngine
import LobHandoff
import LobRecording
import MarketData

/// Writes frames into the segments of one shard. Used by one thread.
package final class CaptureRecorder {
    /// What the frames are of.
    package struct Subject {
        /// All that appear, in the order of their numbers.
        package var symbols: [SymbolName]
        /// Of all of them.
        package var market: Market
        /// How books are made of the frames.
        package var engine: EngineConfiguration
        /// Whether updates overlap as those of several connections do.
        package var hasSeveralConnections: Bool

        /// A subject of these parts.
        ///
        /// - Parameters:
        ///   - symbols: all that appear.
        ///   - market: of all.
        ///   - engine: how books are made of the frames.
        ///   - hasSeveralConnections: whether updates overlap as those of several connections do.
        package init(
            symbols: [SymbolName], market: Market, engine: EngineConfiguration, hasSeveralConnections: Bool
        ) {
            (self.symbols, self.market, self.engine) = (symbols, market, engine)
            self.hasSeveralConnections = hasSeveralConnections
        }
    }

    /// The time of frames of which none is known: 0 would say of a gap that it lasts.
    package static let unknownNs: Int64 = 1
    /// How far times go on before something may be due.
    private static let stepNs: Int64 = 100_000_000

    private let subject: Subject
    private let options: RecorderOptions
    private var recorder: ShardRecorder?
    private var lastAtNs = CaptureRecorder.unknownNs
    private var steppedAtNs: Int64 = 0
    private let refusals = CommandQueue<String>(capacity: 16)
    /// Frames whose times no recording can hold; they have the time before.
    package private(set) var impossibleTimes = 0

    /// Makes nothing yet: the first segment begins with the first frame.
    ///
    /// - Parameters:
    ///   - folder: an empty one that is there.
    ///   - subject: what the frames are of.
    ///   - isOneFile: whether all is one segment, whatever its length.
    package init(folder: String, _ subject: Subject, isOneFile: Bool) {
        self.subject = subject
        var options = RecorderOptions(folder: folder)
        options.waitsForDisk = true
        // A crash costs the whole conversion anyway.
        options.blockNsMax = 60_000_000_000
        if isOneFile { (options.segmentBytesMax, options.segmentEveryNs) = (.max, .max) }
        self.options = options
    }

    deinit { recorder?.disk.stop() }

    /// Takes a frame of the feed.
    ///
    /// - Throws: what the disk says.
    package func take(_ frame: Frame) throws(RecorderError) {
        var atNs = frame.receivedAtNs
        if !SegmentLayout.timesNs.contains(atNs) {
            impossibleTimes += 1
            atNs = lastAtNs
        }
        atNs = max(atNs, CaptureRecorder.unknownNs)
        lastAtNs = atNs
        let recorder = if let recorder { recorder } else { try begin(atNs) }
        if abs(atNs - steppedAtNs) >= CaptureRecorder.stepNs {
            steppedAtNs = atNs
            recorder.advance(atNs)
            try check(recorder)
        }
        recorder.take(
            unsafe Frame(
                kind: frame.kind, source: frame.source, receivedAtNs: atNs, bytes: frame.bytes,
                readableAfter: frame.readableAfter))
    }

    private func begin(_ atNs: Int64) throws(RecorderError) -> ShardRecorder {
        let header = SegmentHeader(
            startedAtNs: atNs, createdAtNs: atNs, number: 1, firstSequence: 0, shard: 0, shardCount: 1)
        // Its ring is not used.
        let ring: FrameRing
        do throws(FrameRingError) {
            ring = try FrameRing(capacityBytes: 1 << 16)
        } catch {
            throw .ring(error)
        }
        let stream = ShardRecorder.Stream(
            consumer: ring.consumer, symbols: subject.symbols, market: subject.market,
            engine: subject.engine, hasSeveralConnections: subject.hasSeveralConnections, views: [])
        let made = try ShardRecorder(stream, options, header, before: nil) { [refusals] event in
            if event.isTrouble { _ = refusals.post(event.description) }
        }
        made.begin(atNs)
        (recorder, steppedAtNs) = (made, atNs)
        return made
    }

    private func check(_ recorder: ShardRecorder) throws(RecorderError) {
        if recorder.loss == nil && recorder.disk.status.droppedBlocks == 0 { return }
        throw .refused(reason: refusals.take().first ?? "the disk does not answer")
    }

    /// Closes the last segment and ends the disk's thread.
    ///
    /// - Returns: what it has come to; nil if there was no frame.
    /// - Throws: what the disk says. Then the folder is of no use.
    package func finish() throws(RecorderError) -> RecorderSummary? {
        guard let recorder else { return nil }
        self.recorder = nil
        let isWritten = recorder.finish(lastAtNs)
        try check(recorder)
        if !isWritten { throw .refused(reason: "the disk does not answer") }
        var summary = RecorderSummary()
        summary.add(recorder.counters, recorder.disk.status)
        return summary
    }
}
