// A recording made of frames from a file instead of a feed: segments like those of `lob run --record`, with
// copies and digests of the books that the frames produce.
//
// Nothing is lost: it waits for the disk, and ends with the first write error. Its clock is that of the
// frames, and periodic work is done whenever the frames have advanced by a tenth of a second, so that the
// same frames produce the same files.
//
// SAFETY: bytes of a frame are passed on during the call that lends them.

import BinanceVenue
import BookEngine
import LobHandoff
import LobRecording
import MarketData

/// Writes frames into the segments of one shard. Used by one thread.
package final class CaptureRecorder {
    /// What the frames belong to.
    package struct Subject {
        /// All symbols that appear, in the order of their numbers.
        package var symbols: [SymbolName]
        /// The market of all symbols.
        package var market: Market
        /// The configuration of the engine that builds books from the frames.
        package var engine: EngineConfiguration
        /// Whether updates overlap as those of several connections do.
        package var hasSeveralConnections: Bool

        /// A subject with these properties.
        ///
        /// - Parameters:
        ///   - symbols: all symbols that appear.
        ///   - market: the market of all symbols.
        ///   - engine: the configuration of the engine that builds books from the frames.
        ///   - hasSeveralConnections: whether updates overlap as those of several connections do.
        package init(
            symbols: [SymbolName], market: Market, engine: EngineConfiguration, hasSeveralConnections: Bool
        ) {
            (self.symbols, self.market, self.engine) = (symbols, market, engine)
            self.hasSeveralConnections = hasSeveralConnections
        }
    }

    /// The time of frames before the first known time: for a gap, 0 would mean that it lasts.
    package static let unknownNs: Int64 = 1
    /// How far the time advances before periodic work may be due.
    private static let stepNs: Int64 = 100_000_000

    private let subject: Subject
    private let options: RecorderOptions
    private var recorder: ShardRecorder?
    private var lastAtNs = CaptureRecorder.unknownNs
    private var steppedAtNs: Int64 = 0
    private let refusals = CommandQueue<String>(capacity: 16)
    /// Frames with times that no recording can hold; they get the previous time.
    package private(set) var impossibleTimes = 0

    /// Writes nothing yet: the first segment begins with the first frame.
    ///
    /// - Parameters:
    ///   - folder: an existing empty folder.
    ///   - subject: what the frames belong to.
    ///   - isOneFile: whether everything goes into one segment, whatever its length.
    package init(folder: String, _ subject: Subject, isOneFile: Bool) {
        self.subject = subject
        var options = RecorderOptions(folder: folder)
        options.waitsForDisk = true
        options.packingLevel = ZstdBlock.thoroughLevel
        // A crash loses the whole conversion in any case.
        options.blockNsMax = 60_000_000_000
        if isOneFile { (options.segmentBytesMax, options.segmentEveryNs) = (.max, .max) }
        self.options = options
    }

    deinit { recorder?.disk.stop() }

    /// Takes a frame of the feed.
    ///
    /// - Throws: the error of the disk.
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
    /// - Returns: the totals; nil if there was no frame.
    /// - Throws: the error of the disk. The folder is useless then.
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
