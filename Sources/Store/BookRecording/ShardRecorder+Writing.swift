// What a shard's recorder writes, and what it does if it cannot.
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
        if loss != nil {
            loss?.lostFrames += 1
            return
        }
        if FrameBlock.isTooLong(length) { return leaveOut(frame) }
        block.add(frame)
    }

    /// A frame that no block can hold is a gap, as if it had been its own, unwritten block.
    private func leaveOut(_ frame: Frame) {
        report(.tooLong(bytes: unsafe frame.bytes.count))
        closeBlock()
        if loss != nil {
            loss?.lostFrames += 1
            return
        }
        lose(.tooLong, fromNs: frame.receivedAtNs)
        loss?.lostFrames = 1
        loss?.lostBlocks = 1
        sequence += 1
    }

    /// Adds a frame of the recorder to the block.
    ///
    /// - Returns: false if it was not added because nothing is being written, or it exceeds a block.
    @discardableResult
    func write(_ kind: RecordKind, _ atNs: Int64, _ body: [UInt8]) -> Bool {
        if block.isFull(for: body.count) { closeBlock() }
        if loss != nil || FrameBlock.isTooLong(body.count) { return false }
        block.add(kind, atNs: atNs, body)
        return true
    }

    /// Submits the block to the disk and starts another one.
    func closeBlock() {
        if block.frameCount == 0 { return }
        let full = block
        block = emptyBlock()
        bytesSinceBase += full.raw.count
        let isTaken = disk.write(full, sequence: sequence, isOfBase: isInBase)
        sequence += 1
        if isTaken { return }
        lose(.diskSlow, fromNs: full.firstAtNs)
        loss?.lostFrames += UInt64(full.frameCount)
        loss?.lostBlocks += 1
        report(.tooSlow)
    }

    private func emptyBlock(isBase: Bool = false) -> FrameBlock {
        FrameBlock(symbolCount: symbols.count, isBase: isBase, bytesMax: options.blockBytes)
    }

    /// From here on nothing is written.
    func lose(_ cause: RecordedGap.Cause, fromNs: Int64) {
        var gap = RecordedGap(cause, fromNs: fromNs)
        gap.lostFrames = UInt64(block.frameCount)
        if block.frameCount > 0 {
            gap.lostBlocks = 1
            sequence += 1
            block = emptyBlock()
        }
        loss = gap
        awaitedSegment = nil
        retryNs = RecorderClock.monotonicNs
        gaps.add(gap)
    }

    /// Checks whether writing works again.
    func recover(_ atNs: Int64) {
        let status = disk.status
        if awaitedSegment == nil && status.openSegment == header.number {
            let hasRoom = status.waitingBlocks <= options.waitingBlocksMax / 2
            if hasRoom && status.waitingBaseBlocks == 0 { resume(atNs) }
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
        // Blocks in flight when the disk failed are lost as well.
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

    /// Gaps that ended since then are in no block known to be written; nil if there are none.
    private var untoldSinceNs: Int64? {
        guard let told, (disk.status.lastSequence ?? 0) < told.sequence else { return nil }
        return told.sinceNs
    }

    /// Closes the segment and starts the next one.
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

    /// Writes a base, at which reading can start.
    ///
    /// - Parameters:
    ///   - atNs: the time.
    ///   - endedSinceNs: gaps that ended since then are listed as well: the frame that said so was not
    ///     written, even if it belonged to a base that was lost itself.
    func writeBase(_ atNs: Int64, endedSinceNs: Int64 = .max) {
        closeBlock()
        if loss != nil { return }
        block = emptyBlock(isBase: true)
        (baseAtNs, bytesSinceBase, isInBase) = (atNs, 0, true)
        write(.terms, atNs, termsBytes)
        write(.connections, atNs, ConnectionList.bytes(engine.connectedSources))
        for gap in gaps.gaps
        where gap.toNs == 0 || gap.cause == .notRunning || gap.toNs >= endedSinceNs {
            write(.gap, atNs, gap.bytes)
        }
        for slot in symbols.indices { (tracks[slot].isBased, tracks[slot].isTooLong) = (false, false) }
        for slot in symbols.indices { writeBook(slot, atNs) }
        (baseBytes, isInBase) = (bytesSinceBase + block.raw.count, false)
        counters.bases += 1
    }

    /// Writes a copy of a book if it is live and the segment does not lead to it.
    func writeBook(_ slot: Int, _ atNs: Int64) {
        let track = tracks[slot]
        guard track.isLive, !track.isBased, !track.isTooLong, let image = engine.image(of: symbols[slot])
        else { return }
        let bytes = image.bytes
        if write(.book, atNs, bytes) {
            block.note(symbol: slot)
            tracks[slot].isBased = true
            counters.books += 1
        } else if loss == nil {
            // A replay from the middle lacks it, and says so.
            tracks[slot].isTooLong = true
            report(.tooLong(bytes: bytes.count))
        }
    }

    /// Writes the digests of the live books, or of all that stand at an id.
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

    /// Finishes: final digests, the last block, the index.
    ///
    /// - Returns: false if the disk is unresponsive.
    func finish(_ atNs: Int64) -> Bool {
        for slot in symbols.indices { watch(slot, atNs) }
        // What was missed must still be listed, if the disk allows.
        let untilNs = RecorderClock.monotonicNs + 2 * options.retryEveryNs
        while loss != nil && RecorderClock.monotonicNs < untilNs {
            recover(atNs)
            RecorderClock.sleep(us: 10_000)
        }
        if loss == nil {
            for slot in symbols.indices { writeBook(slot, atNs) }
            writeDigests(atNs, ofAll: true)
            closeBlock()
        }
        counters.lostFrames += Int(loss?.lostFrames ?? 0)
        _ = disk.end(gaps.gaps)
        return disk.stop()
    }
}
