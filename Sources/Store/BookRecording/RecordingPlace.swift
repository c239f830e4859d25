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

    /// Makes a folder ready.
    ///
    /// - Parameters:
    ///   - folder: made if it is not there.
    ///   - shardCount: a place for each.
    ///   - report: gets what was repaired.
    static func prepare(
        _ folder: String, shardCount: Int, report: (RecorderEvent) -> Void
    ) throws(RecorderError) -> (lock: RecordingLock, places: [RecordingPlace]) {
        do throws(DiskError) {
            try RecordingFolder.make(folder)
            let lock = try RecordingLock(folder: folder)
            let paths = try RecordingFolder.segments(in: folder)
            let atNs = RecorderClock.realtimeNs
            var places = (0..<shardCount).map { shard in
                RecordingPlace(
                    header: SegmentHeader(
                        startedAtNs: atNs, createdAtNs: atNs, number: 1, firstSequence: 0,
                        shard: UInt16(clamping: shard), shardCount: UInt16(clamping: shardCount)))
            }
            for path in paths { try visit(path, &places, report) }
            return (lock, places)
        } catch {
            throw .disk(error)
        }
    }

    private static func visit(
        _ path: String, _ places: inout [RecordingPlace], _ report: (RecorderEvent) -> Void
    ) throws(DiskError) {
        do throws(SegmentError) {
            guard let packer = ZstdBlock() else { return }
            if let repair = try SegmentWriter.repair(path: path, packer) {
                report(.repaired(path: path, blocks: repair.blockCount, cutBytes: repair.cutBytes))
            }
            let reader = try SegmentReader(path: path)
            let shard = Int(reader.header.shard)
            if !places.indices.contains(shard) { return }
            places[shard].header.number = max(places[shard].header.number, reader.header.number + 1)
            if let last = reader.index.blocks.last {
                var gap = RecordedGap(.notRunning, fromNs: last.lastAtNs)
                gap.toNs = places[shard].header.createdAtNs
                places[shard].before = gap
            }
        } catch {
            switch error {
            case .disk(let error): throw error
            case .notASegment:
                // Killed before the header was whole: nothing is in it.
                guard let facts = RecordingFolder.facts(path), facts.bytes < SegmentLayout.headerLength else {
                    return
                }
                try RecordingFolder.remove(path)
                report(.repaired(path: path, blocks: 0, cutBytes: facts.bytes))
            // Another program's; its name is never ours.
            case .unknownVersion: return
            }
        }
    }
}
