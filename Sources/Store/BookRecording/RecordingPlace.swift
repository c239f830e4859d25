// Where a recorder starts in a folder that may already hold recordings: segments left open are closed, and
// numbering continues.

import LobHandoff
import LobRecording

/// The first segment of a shard, and the gap before it.
struct RecordingPlace {
    /// Header of the segment.
    var header: SegmentHeader
    /// The time since the last frame in the folder; nil if there is none.
    var before: RecordedGap?

    /// Prepares a folder. Only files named like segments are considered.
    ///
    /// - Parameters:
    ///   - folder: created if it does not exist.
    ///   - shardCount: number of places to return.
    ///   - report: receives what was repaired, and what was left alone.
    static func prepare(
        _ folder: String, shardCount: Int, report: (RecorderEvent) -> Void
    ) throws(RecorderError) -> (lock: RecordingLock, places: [RecordingPlace]) {
        do throws(DiskError) {
            try RecordingFolder.make(folder)
            let lock = try RecordingLock(folder: folder)
            // Left by a recorder that ended before the header of a segment was on the disk.
            for path in try RecordingFolder.files(in: folder, suffix: SegmentLayout.hiddenSuffix)
            where SegmentName(String(path.dropLast(SegmentLayout.hiddenSuffix.count))) != nil {
                try? RecordingFolder.remove(path)
            }
            let paths = try RecordingFolder.segments(in: folder)
            let atNs = RecorderClock.realtimeNs
            var places = (0..<shardCount).map { shard in
                RecordingPlace(
                    header: SegmentHeader(
                        startedAtNs: atNs, createdAtNs: atNs, number: 1, firstSequence: 0,
                        shard: UInt16(clamping: shard), shardCount: UInt16(clamping: shardCount)))
            }
            for path in paths { visit(path, &places, report) }
            return (lock, places)
        } catch {
            throw .disk(error)
        }
    }

    /// Closes a segment if it is open, and continues the numbering of its shard after it. An unreadable one
    /// does not prevent recording: it is left as it is, and reported.
    private static func visit(
        _ path: String, _ places: inout [RecordingPlace], _ report: (RecorderEvent) -> Void
    ) {
        guard let name = SegmentName(path) else { return }
        if places.indices.contains(name.shard) { places[name.shard].goOn(behind: name.number) }
        do throws(SegmentError) {
            guard let packer = ZstdBlock() else { return }
            if let repair = try SegmentWriter.repair(path: path, packer) {
                report(.repaired(path: path, blocks: repair.blockCount, cutBytes: repair.cutBytes))
            }
            let reader = try SegmentReader(path: path)
            let shard = Int(reader.header.shard)
            if !places.indices.contains(shard) { return }
            places[shard].goOn(behind: reader.header.number)
            if let last = reader.index.blocks.last {
                var gap = RecordedGap(.notRunning, fromNs: last.lastAtNs)
                gap.toNs = places[shard].header.createdAtNs
                places[shard].before = gap
            }
        } catch {
            // Killed before the header was complete: it is empty.
            if case .damagedHeader = error, let facts = RecordingFolder.facts(path),
                facts.bytes < SegmentLayout.headerLength, (try? RecordingFolder.remove(path)) != nil
            {
                report(.repaired(path: path, blocks: 0, cutBytes: facts.bytes))
            } else {
                report(.leftAlone(reason: error.description))
            }
        }
    }

    private mutating func goOn(behind number: UInt64) { header.number = max(header.number, number + 1) }
}
