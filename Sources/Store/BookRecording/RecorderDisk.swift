// The thread between a recorder and the disk: it packs blocks and writes them. Nobody waits for it.
//
// Invariants
// * At most `waitingBlocksMax` blocks of frames are on their way; one more is refused, and the recorder
//   counts it. Those of a base are taken besides, and the recorder begins none before the last one is
//   written.
// * A block is written whole or not at all, and none behind one that was not, before the next segment begins.
// * After a failure everything is dropped and counted until a new segment can be begun.

import Glibc
import LobHandoff
import LobRecording
import Synchronization

/// Writes the segments of one shard on a thread of its own.
final class RecorderDisk: @unchecked Sendable {
    /// What it has come to.
    struct Status: Sendable {
        /// Number of the segment that is open; 0 if none is.
        var openSegment: UInt64 = 0
        /// The last segment that could not be begun or continued; 0 if none.
        var failedSegment: UInt64 = 0
        /// Time of the first frame that was not written because of that.
        var failedFromNs: Int64 = 0
        /// Bytes of the open segment.
        var segmentBytes = 0
        /// Blocks on their way, those of a base excepted.
        var waitingBlocks = 0
        /// Blocks of a base on their way.
        var waitingBaseBlocks = 0
        /// Frames in all of these.
        var waitingFrames = 0
        var writtenBlocks = 0
        /// Number of the last block that was written; nil if none was.
        var lastSequence: UInt64?
        var writtenFrames = 0
        var writtenBytes = 0
        var unpackedBytes = 0
        var droppedBlocks = 0
        var droppedFrames = 0
        var segments = 0
    }

    private enum Work: Sendable {
        case begin(SegmentHeader)
        case block(FrameBlock, sequence: UInt64, isOfBase: Bool)
        case end([RecordedGap])
    }

    private let options: RecorderOptions
    private let shard: UInt16
    private let shardCount: UInt16
    private let symbols: [[UInt8]]
    private let report: @Sendable (RecorderEvent) -> Void
    private let work: CommandQueue<Work>
    private let news = Signal()
    private let isStopping = StopFlag()
    private let hasEnded = StopFlag()
    private let ending = Signal()
    private let shared = Mutex(Status())
    private var thread: PinnedThread?
    // The disk's thread's, once it runs.
    private let packer: ZstdBlock
    private var writer: SegmentWriter?
    private var lastError: DiskError?
    private var unsyncedSinceNs: Int64?

    /// Begins the first segment and starts the thread.
    ///
    /// - Throws: what the disk says to the first segment; no thread is made then.
    init(
        _ options: RecorderOptions, _ first: SegmentHeader, symbols: [[UInt8]],
        report: @escaping @Sendable (RecorderEvent) -> Void
    ) throws(RecorderError) {
        (self.options, self.symbols, self.report) = (options, symbols, report)
        (shard, shardCount) = (first.shard, first.shardCount)
        // Bounded by the counts of what waits.
        work = CommandQueue(capacity: .max)
        guard let packer = ZstdBlock() else { throw .noMemory }
        self.packer = packer
        do throws(DiskError) {
            try begin(first)
        } catch {
            throw .disk(error)
        }
        do throws(ThreadError) {
            thread = try PinnedThread("disk-\(shard)") { self.run() }
        } catch {
            throw .noThread(errno: error.errno)
        }
    }

    /// What it has come to. For any thread.
    var status: Status { shared.withLock { $0 } }

    // MARK: - For the recorder's thread

    /// Passes a block on; false if too many wait, and it is not accepted.
    func write(_ block: FrameBlock, sequence: UInt64, isOfBase: Bool) -> Bool {
        let hasRoom = shared.withLock { status in
            if !isOfBase && status.waitingBlocks >= options.waitingBlocksMax { return false }
            status.waitingBlocks += isOfBase ? 0 : 1
            status.waitingBaseBlocks += isOfBase ? 1 : 0
            status.waitingFrames += block.frameCount
            return true
        }
        if !hasRoom || !work.post(.block(block, sequence: sequence, isOfBase: isOfBase)) { return false }
        news.notify()
        return true
    }

    /// Begins a segment; `status` says when it is open or has failed.
    func begin(segment header: SegmentHeader) -> Bool {
        defer { news.notify() }
        return work.post(.begin(header))
    }

    /// Closes the open segment.
    func end(_ gaps: [RecordedGap]) -> Bool {
        defer { news.notify() }
        return work.post(.end(gaps))
    }

    /// Writes what waits and ends the thread. Once.
    ///
    /// - Returns: false if the disk answers no more; the thread then stays in its call, and ends after it.
    @discardableResult
    func stop() -> Bool {
        isStopping.raise()
        news.notify()
        guard let thread else { return true }
        self.thread = nil
        var (progress, sinceNs) = (self.progress, RecorderClock.monotonicNs)
        while !hasEnded.isRaised {
            let ticket = ending.ticket
            if hasEnded.isRaised { break }
            ending.wait(since: ticket, timeoutNs: min(100_000_000, options.stopNsMax))
            let now = RecorderClock.monotonicNs
            if self.progress != progress { (progress, sinceNs) = (self.progress, now) }
            if now - sinceNs < options.stopNsMax { continue }
            thread.detach()
            let status = status
            let blocks = status.waitingBlocks + status.waitingBaseBlocks
            report(.hung(blocks: blocks, afterNs: now - sinceNs))
            return false
        }
        thread.join()
        return true
    }

    /// Rises with everything that the disk has answered to.
    private var progress: Int {
        shared.withLock { $0.writtenBlocks + $0.droppedBlocks + $0.segments + Int($0.failedSegment) }
    }

    // MARK: - The thread

    private func run() {
        while true {
            let ticket = news.ticket
            let isLastTurn = isStopping.isRaised
            let taken = work.take()
            for item in taken { take(item) }
            syncIfDue()
            if !taken.isEmpty { continue }
            if isLastTurn { break }
            news.wait(since: ticket, timeoutNs: 200_000_000)
        }
        hasEnded.raise()
        ending.notify()
    }

    private func take(_ item: Work) {
        switch item {
        case .begin(let header):
            do throws(DiskError) {
                try begin(header)
            } catch {
                fail(error, segment: header.number, fromNs: header.createdAtNs)
            }
        case .block(let block, let sequence, let isOfBase):
            write(block, sequence)
            shared.withLock { status in
                status.waitingBlocks -= isOfBase ? 0 : 1
                status.waitingBaseBlocks -= isOfBase ? 1 : 0
                status.waitingFrames -= block.frameCount
            }
        case .end(let gaps):
            guard let writer else { return }
            do throws(DiskError) {
                try writer.close(gaps: gaps, packer)
                shared.withLock { $0.openSegment = 0 }
            } catch {
                fail(error, segment: writer.header.number, fromNs: 0)
            }
            self.writer = nil
            removeOld()
        }
    }

    private func begin(_ header: SegmentHeader) throws(DiskError) {
        writer = nil
        let path = options.folder + "/" + SegmentName.text(header)
        let writer = try SegmentWriter(path: path, header, symbols: symbols) { () throws(DiskError) in
            try meetFault(path)
        }
        RecordingFolder.sync(options.folder)
        self.writer = writer
        lastError = nil
        unsyncedSinceNs = nil
        shared.withLock { status in
            status.openSegment = header.number
            status.segmentBytes = writer.length
            status.segments += 1
        }
        report(.began(path: path))
    }

    private func meetFault(_ path: String) throws(DiskError) {
        if let number = options.fault?(), number != 0 { throw DiskError(path: path, errno: number) }
    }

    private func write(_ block: FrameBlock, _ sequence: UInt64) {
        guard let writer else { return drop(block) }
        let bytes = block.sealed(sequence: sequence, packer)
        do throws(DiskError) {
            try meetFault(writer.path)
            if !writer.isThere { throw DiskError(path: writer.path, errno: ENOENT) }
            try writer.append(block, bytes, sequence: sequence)
        } catch {
            drop(block)
            return fail(error, segment: writer.header.number, fromNs: block.firstAtNs)
        }
        unsyncedSinceNs = unsyncedSinceNs ?? RecorderClock.monotonicNs
        shared.withLock { status in
            status.writtenBlocks += 1
            status.lastSequence = sequence
            status.writtenFrames += block.frameCount
            status.writtenBytes += bytes.count
            status.unpackedBytes += block.raw.count
            status.segmentBytes = writer.length
        }
    }

    private func drop(_ block: FrameBlock) {
        shared.withLock { status in
            status.droppedBlocks += 1
            status.droppedFrames += block.frameCount
        }
    }

    private func fail(_ error: DiskError, segment: UInt64, fromNs: Int64) {
        writer = nil
        shared.withLock { status in
            status.openSegment = 0
            status.failedSegment = segment
            // Of failures without a success between them the first says since when.
            if lastError == nil || status.failedFromNs == 0 { status.failedFromNs = fromNs }
        }
        // The path is another one at every try.
        if lastError?.errno != error.errno { report(.refused(reason: error.description)) }
        lastError = error
    }

    private func syncIfDue() {
        guard let writer, let sinceNs = unsyncedSinceNs,
            RecorderClock.monotonicNs - sinceNs >= options.syncEveryNs
        else { return }
        unsyncedSinceNs = nil
        do throws(DiskError) {
            try writer.sync()
        } catch {
            fail(error, segment: writer.header.number, fromNs: RecorderClock.realtimeNs)
        }
    }

    /// Removes closed segments of this shard that are too old, or too much, but never the newest.
    private func removeOld() {
        if options.keptBytesMax == nil && options.keptNsMax == nil { return }
        guard let all = try? RecordingFolder.segments(in: options.folder) else { return }
        let own = all.filter { SegmentName($0)?.shard == Int(shard) }
        var facts = own.compactMap { path in RecordingFolder.facts(path).map { (path: path, $0) } }
        var bytes = facts.reduce(0) { $0 + $1.1.bytes }
        let bytesMax = options.keptShare(ofShards: Int(shardCount)) ?? .max
        let oldestNs = options.keptNsMax.map { RecorderClock.realtimeNs &- $0 } ?? .min
        while facts.count > 1, let oldest = facts.first, bytes > bytesMax || oldest.1.changedAtNs < oldestNs {
            facts.removeFirst()
            bytes -= oldest.1.bytes
            if (try? RecordingFolder.remove(oldest.path)) != nil { report(.removed(path: oldest.path)) }
        }
    }
}
