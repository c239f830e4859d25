// Where a recorder begins in a folder that may hold recordings already: segments that were left open are
// closed, and the numbers go on.

import LobHandoff
import LobRecording

/// The first segment of a shard, and what was missed before it.
struct RecordingPlace {
    /// What the segment begins with.
    var header: SegmentHeader
    /// The time since the last frame in the folder; nil if there is none.
    var before: RecordedGap?

    /// Makes a folder ready. Only files with the name of a segment are looked at.
    ///
    /// - Parameters:
    ///   - folder: made if it is not there.
    ///   - shardCount: a place for each.
    ///   - report: gets what was repaired, and what was left alone.
    static func prepare(
        _ folder: String, shardCount: Int, report: (RecorderEvent) -> Void
    ) throws(RecorderError) -> (lock: RecordingLock, places: [RecordingPlace]) {
        do throws(DiskError) {
            try RecordingFolder.make(folder)
            let lock = try RecordingLock(folder: folder)
            // Of a recorder that ended before the header of a segment was on the disk.
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

    /// Closes a segment if it is open, and lets the numbers of its shard go on behind it. One that cannot be
    /// read keeps nobody from recording: it stays as it is, and is told.
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
            // Killed before the header was whole: nothing is in it.
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
