// What a shard's recorder writes, and what it does when it cannot.
//
// SAFETY: bytes of a frame are copied during the call that lends them.

import BookEngine
import DepthBook
import LobHandoff
import LobRecording
import MarketData

extension ShardRecorder {
    /// Adds a frame of the feed to the block.
    func add(_ frame: Frame) {
        let length = unsafe frame.bytes.count
        if block.isFull(for: length) { closeBlock() }
        if loss != nil || FrameBlock.isTooLong(length) {
            loss?.lostFrames += 1
            return
        }
        block.add(frame)
    }

    /// Adds a frame of the recorder to the block.
    func write(_ kind: RecordKind, _ atNs: Int64, _ body: [UInt8]) {
        if block.isFull(for: body.count) { closeBlock() }
        if loss != nil || FrameBlock.isTooLong(body.count) { return }
        block.add(kind, atNs: atNs, body)
    }

    /// Passes the block on to the disk and begins another one.
    func closeBlock() {
        if block.frameCount == 0 { return }
        let full = block
        block = FrameBlock(symbolCount: symbols.count)
        let isTaken = disk.write(full, sequence: sequence)
        sequence += 1
        if isTaken { return }
        lose(.diskSlow, fromNs: full.firstAtNs)
        loss?.lostFrames += UInt64(full.frameCount)
        loss?.lostBlocks += 1
        report(.tooSlow)
    }

    /// From here on nothing is written.
    func lose(_ cause: RecordedGap.Cause, fromNs: Int64) {
        var gap = RecordedGap(cause, fromNs: fromNs)
        gap.lostFrames = UInt64(block.frameCount)
        if block.frameCount > 0 {
            gap.lostBlocks = 1
            sequence += 1
            block = FrameBlock(symbolCount: symbols.count)
        }
        loss = gap
        awaitedSegment = nil
        retryNs = RecorderClock.monotonicNs
        gaps.add(gap)
    }

    /// Looks whether it can be written again.
    func recover(_ atNs: Int64) {
        let status = disk.status
        if awaitedSegment == nil && status.openSegment == header.number {
            if status.waitingBlocks <= options.waitingBlocksMax / 2 { resume(atNs) }
            return
        }
        if let awaited = awaitedSegment {
            if status.openSegment == awaited { return resume(atNs) }
            if status.failedSegment != awaited { return }
            awaitedSegment = nil
        }
        if RecorderClock.monotonicNs < retryNs { return }
        retryNs = RecorderClock.monotonicNs + options.retryEveryNs
        nextHeader(atNs)
        if disk.begin(segment: header) { awaitedSegment = header.number }
    }

    private func nextHeader(_ atNs: Int64) {
        header.number += 1
        header.createdAtNs = atNs
        header.firstSequence = sequence
    }

    private func resume(_ atNs: Int64) {
        guard var gap = loss else { return }
        let dropped = disk.status
        // What the disk had in hand when it failed is lost as well.
        let (frames, blocks) = (dropped.droppedFrames, dropped.droppedBlocks)
        gap.lostFrames += UInt64(frames - counters.droppedFrames)
        gap.lostBlocks += UInt64(blocks - counters.droppedBlocks)
        (counters.droppedFrames, counters.droppedBlocks) = (frames, blocks)
        gap.toNs = atNs
        counters.lostFrames += Int(gap.lostFrames)
        counters.gaps += 1
        loss = nil
        awaitedSegment = nil
        gaps.add(gap)
        report(.resumed(lostFrames: Int(gap.lostFrames), afterNs: gap.toNs - gap.fromNs))
        let sinceNs = min(gap.fromNs, untoldSinceNs ?? gap.fromNs)
        writeBase(atNs, endedSinceNs: sinceNs)
        closeBlock()
        told = (sequence - 1, sinceNs)
    }

    /// Gaps that ended since then are in no block that is known to be written; nil if there are none.
    private var untoldSinceNs: Int64? {
        guard let told, (disk.status.lastSequence ?? 0) < told.sequence else { return nil }
        return told.sinceNs
    }

    /// Closes the segment and begins the next one.
    func rotate(_ atNs: Int64) {
        closeBlock()
        if loss != nil { return }
        let closing = gaps.gaps
        gaps = GapList()
        for gap in tracks.compactMap(\.gap) { gaps.add(gap) }
        if let sinceNs = untoldSinceNs { for gap in closing where gap.toNs >= sinceNs { gaps.add(gap) } }
        nextHeader(atNs)
        if !disk.end(closing) || !disk.begin(segment: header) { return lose(.diskSlow, fromNs: atNs) }
        writeBase(atNs)
    }

    /// Writes what reading can begin with.
    ///
    /// - Parameters:
    ///   - atNs: the time.
    ///   - endedSinceNs: gaps that ended since then are told as well: the frame that said so was not written,
    ///     also where it was one of a base that was lost itself.
    func writeBase(_ atNs: Int64, endedSinceNs: Int64 = .max) {
        closeBlock()
        if loss != nil { return }
        block = FrameBlock(symbolCount: symbols.count, isBase: true)
        baseAtNs = atNs
        write(.terms, atNs, termsBytes)
        write(.connections, atNs, ConnectionList.bytes(engine.connectedSources))
        for gap in gaps.gaps
        where gap.toNs == 0 || gap.cause == .notRunning || gap.toNs >= endedSinceNs {
            write(.gap, atNs, gap.bytes)
        }
        for slot in symbols.indices { tracks[slot].isBased = false }
        writeBooks(atNs)
        counters.bases += 1
    }

    /// Writes a copy of every live book that the segment does not lead on to.
    func writeBooks(_ atNs: Int64) {
        for slot in symbols.indices where tracks[slot].isLive && !tracks[slot].isBased {
            guard let image = engine.image(of: symbols[slot]) else { continue }
            write(.book, atNs, image.bytes)
            block.note(symbol: slot)
            tracks[slot].isBased = loss == nil
            counters.books += 1
        }
    }

    /// Writes the digests of the books that are live, or of all that stand at an id.
    func writeDigests(_ atNs: Int64, ofAll: Bool) {
        var digests = BookDigests()
        for slot in symbols.indices where ofAll || tracks[slot].isBased && tracks[slot].isLive {
            let entry = engine.withBook(symbols[slot]) { book in
                BookDigests.Entry(
                    symbol: UInt16(clamping: slot), lastUpdateID: book.lastUpdateID, digest: book.digest())
            }
            guard let entry, entry.lastUpdateID.value > 0 else { continue }
            digests.entries.append(entry)
        }
        if digests.entries.isEmpty { return }
        write(.digests, atNs, digests.bytes)
        counters.digests += digests.entries.count
    }

    /// The end: final digests, the last block, the index.
    func finish(_ atNs: Int64) {
        watch(atNs)
        // What was missed is still to be listed, if the disk takes it.
        let untilNs = RecorderClock.monotonicNs + 2 * options.retryEveryNs
        while loss != nil && RecorderClock.monotonicNs < untilNs {
            recover(atNs)
            RecorderClock.sleep(us: 10_000)
        }
        if loss == nil {
            writeBooks(atNs)
            writeDigests(atNs, ofAll: true)
            closeBlock()
        }
        counters.lostFrames += Int(loss?.lostFrames ?? 0)
        _ = disk.end(gaps.gaps)
        disk.stop()
    }
}
