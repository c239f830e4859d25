// The thread between a recorder and the disk: it compresses and writes blocks. Nobody waits for it.
//
// Invariants
// * At most `waitingBlocksMax` blocks of frames are in flight; a further one is refused, and the recorder
//   counts it. Those of a base are accepted in addition, and the recorder starts no base before the last one
//   is written.
// * A block is written whole or not at all, and none after one that was not, until the next segment starts.
// * After a failure everything is dropped and counted until a new segment can be started. What need not be
//   kept is removed at once, since the disk may be full: then nothing else would make room.

import Glibc
import LobHandoff
import LobRecording
import Synchronization

/// Writes the segments of one shard on its own thread.
final class RecorderDisk: @unchecked Sendable {
    /// Status of the disk thread.
    struct Status: Sendable {
        /// Number of the segment that is open; 0 if none is.
        var openSegment: UInt64 = 0
        /// The last segment that could not be started or continued; 0 if none.
        var failedSegment: UInt64 = 0
        /// Time of the first frame not written because of that.
        var failedFromNs: Int64 = 0
        /// Size of the open segment in bytes.
        var segmentBytes = 0
        /// Blocks in flight, except those of a base.
        var waitingBlocks = 0
        /// Blocks of a base in flight.
        var waitingBaseBlocks = 0
        /// Frames in all of these.
        var waitingFrames = 0
        var writtenBlocks = 0
        /// Number of the last block written; nil if none was.
        var lastSequence: UInt64?
        var writtenFrames = 0
        var writtenBytes = 0
        var unpackedBytes = 0
        var droppedBlocks = 0
        var droppedFrames = 0
        var segments = 0
        /// What was done of what was asked for.
        var doneCount = 0
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
    /// What was asked for so far. The recorder's thread's.
    private var askedCount = 0
    // Owned by the disk thread once it runs.
    private let packer: ZstdBlock
    private var writer: SegmentWriter?
    private var lastError: DiskError?
    private var unsyncedSinceNs: Int64?

    /// Starts the first segment and the thread.
    ///
    /// - Throws: the disk's error on the first segment; no thread then exists.
    init(
        _ options: RecorderOptions, _ first: SegmentHeader, symbols: [[UInt8]],
        report: @escaping @Sendable (RecorderEvent) -> Void
    ) throws(RecorderError) {
        (self.options, self.symbols, self.report) = (options, symbols, report)
        (shard, shardCount) = (first.shard, first.shardCount)
        // Bounded by the counts above.
        work = CommandQueue(capacity: .max)
        guard let packer = ZstdBlock(level: options.packingLevel) else { throw .noMemory }
        self.packer = packer
        // The disk may be full of what need not be kept.
        removeOld()
        do throws(DiskError) {
            try begin(first)
        } catch {
            throw .disk(error)
        }
        do throws(ThreadError) {
            thread = try PinnedThread("disk-\(shard)", yields: true) { self.run() }
        } catch {
            throw .noThread(errno: error.errno)
        }
    }

    /// Current status. For any thread.
    var status: Status { shared.withLock { $0 } }

    // MARK: - For the recorder's thread

    /// Submits a block; false if too many are waiting, and it is not accepted.
    func write(_ block: FrameBlock, sequence: UInt64, isOfBase: Bool) -> Bool {
        let hasRoom = shared.withLock { status in
            if !isOfBase && status.waitingBlocks >= options.waitingBlocksMax { return false }
            status.waitingBlocks += isOfBase ? 0 : 1
            status.waitingBaseBlocks += isOfBase ? 1 : 0
            status.waitingFrames += block.frameCount
            return true
        }
        if !hasRoom || !work.post(.block(block, sequence: sequence, isOfBase: isOfBase)) { return false }
        asked()
        return true
    }

    /// Starts a segment; `status` shows when it is open or has failed.
    func begin(segment header: SegmentHeader) -> Bool {
        defer { asked() }
        return work.post(.begin(header))
    }

    /// Closes the open segment.
    func end(_ gaps: [RecordedGap]) -> Bool {
        defer { asked() }
        return work.post(.end(gaps))
    }

    private func asked() {
        askedCount += 1
        news.notify()
        if options.waitsForDisk { settle() }
    }

    /// Waits until all that was asked for is done, unless nothing is for `RecorderOptions.stopNsMax`.
    private func settle() {
        var (done, sinceNs) = (status.doneCount, RecorderClock.monotonicNs)
        while done < askedCount && RecorderClock.monotonicNs - sinceNs < options.stopNsMax {
            RecorderClock.sleep(us: 20)
            let now = status.doneCount
            if now != done { (done, sinceNs) = (now, RecorderClock.monotonicNs) }
        }
    }

    /// Writes what is waiting and ends the thread. Call once.
    ///
    /// - Returns: false if the disk is unresponsive; the thread is then left in its call, and ends after it.
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

    /// Grows with everything the disk has completed.
    private var progress: Int {
        shared.withLock { $0.writtenBlocks + $0.droppedBlocks + $0.segments + Int($0.failedSegment) }
    }

    // MARK: - The thread

    private func run() {
        while true {
            let ticket = news.ticket
            let isLastTurn = isStopping.isRaised
            let taken = work.take()
            for item in taken {
                take(item)
                shared.withLock { $0.doneCount += 1 }
            }
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
            self.writer = nil
            do throws(DiskError) {
                try writer.close(gaps: gaps, packer)
                shared.withLock { $0.openSegment = 0 }
                removeOld()
            } catch {
                fail(error, segment: writer.header.number, fromNs: 0)
            }
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
            // Of consecutive failures the first gives the start time.
            if lastError == nil || status.failedFromNs == 0 { status.failedFromNs = fromNs }
        }
        // The path differs at every attempt.
        if lastError?.errno != error.errno { report(.refused(reason: error.description)) }
        lastError = error
        removeOld()
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

    /// Removes segments that are too old or exceed the limit, the longest unchanged first, but never the
    /// newest of this shard. Those of shards that an earlier run had and this one lacks are shared out among
    /// the shards. None of them may be open.
    private func removeOld() {
        if options.keptBytesMax == nil && options.keptNsMax == nil { return }
        guard let all = try? RecordingFolder.segments(in: options.folder) else { return }
        var newest: String?
        var files: [(path: String, bytes: Int, changedAtNs: Int64)] = []
        for path in all {
            guard let name = SegmentName(path), name.shard % max(Int(shardCount), 1) == Int(shard),
                let facts = RecordingFolder.facts(path)
            else { continue }
            if name.shard == Int(shard) { newest = path }
            files.append((path, facts.bytes, facts.changedAtNs))
        }
        files.sort { ($0.changedAtNs, $0.path) < ($1.changedAtNs, $1.path) }
        var bytes = files.reduce(0) { $0 + $1.bytes }
        let bytesMax = options.keptShare(ofShards: Int(shardCount)) ?? .max
        let oldestNs = options.keptNsMax.map { RecorderClock.realtimeNs &- $0 } ?? .min
        for file in files where file.path != newest {
            if bytes <= bytesMax && file.changedAtNs >= oldestNs { break }
            bytes -= file.bytes
            if (try? RecordingFolder.remove(file.path)) != nil { report(.removed(path: file.path)) }
        }
    }
}
