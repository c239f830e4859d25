// Options and events of a recorder.

import LobHandoff
import LobRecording

/// How and where to record.
public struct RecorderOptions: Sendable {
    /// The folder of the segments; created if it does not exist.
    public var folder: String
    /// A segment is closed before it grows beyond this.
    public var segmentBytesMax = 256 << 20
    /// A segment ends at every full multiple of this time, so that hours start with a new one.
    public var segmentEveryNs: Int64 = 3_600_000_000_000
    /// A copy of every live book is written this often, if the frames since the last one have
    /// `baseFramesMin` times the bytes of the copies, after `baseWaitMax` times as long in any case, and in
    /// every segment: reading can start at each.
    public var baseEveryNs: Int64 = 300_000_000_000
    /// Copies of quiet books would otherwise be most of a recording.
    package var baseFramesMin = 32
    /// What follows damage can be verified from the next copies on only: they must not be far away.
    package var baseWaitMax: Int64 = 3
    /// A copy of every live book is also written once the frames since the last one have this many bytes and
    /// eight times those of the copies: reading continues from copies to the requested time.
    public var baseEveryBytes = 32 << 20
    /// A block is closed after this time at the latest.
    public var blockNsMax: Int64 = 1_000_000_000
    /// Blocks waiting for the disk, in addition to the one being written; a further one is lost, and listed.
    /// The copies of books at which reading can start wait in addition, once: their size is that of the
    /// books.
    public var waitingBlocksMax = 64
    /// The oldest closed segments are removed until those of the folder together are no larger than this;
    /// nil: never. Each shard has an equal share, of which a segment takes at most a quarter; the newest
    /// closed one always stays. What an earlier run with more shards has left counts as well.
    public var keptBytesMax: Int?
    /// Closed segments, except the newest of each shard, are removed when last changed longer ago than this;
    /// nil: never. Of shards that no longer exist even the newest is. Like `keptBytesMax` this applies when
    /// recording begins, when a segment is closed, and whenever the disk refuses something.
    public var keptNsMax: Int64?
    /// Written blocks are synced to the disk at least this often.
    public var syncEveryNs: Int64 = 1_000_000_000
    /// After a refusal the disk is retried this often.
    public var retryEveryNs: Int64 = 1_000_000_000
    /// How long a stop waits for a disk that completes nothing more; blocks in flight are then lost.
    public var stopNsMax: Int64 = 30_000_000_000
    /// Size of the ring between the feed and the recorder in bytes, a power of two; messages beyond it are
    /// lost, and listed.
    public var ringBytes = 1 << 25
    /// How much time is spent on packing: a level of zstd.
    package var packingLevel: Int32 = ZstdBlock.fastLevel
    /// Whether the recorder waits for the disk instead of losing anything: its frames come from a file.
    package var waitsForDisk = false
    /// A block is closed before it grows beyond this. For tests.
    package var blockBytes = SegmentLayout.blockBytes
    /// An `errno` value returned instead of each write; 0: none. For tests.
    package var fault: (@Sendable () -> Int32)?

    /// The defaults.
    public init(folder: String) { self.folder = folder }

    /// Smallest number of bytes of closed segments that a shard may be told to keep.
    static let keptShareMin = 16 << 20

    /// Bytes of closed segments each of this many shards may keep.
    func keptShare(ofShards count: Int) -> Int? { keptBytesMax.map { $0 / max(count, 1) } }

    /// A segment is closed before it grows beyond this: one larger than everything kept would be removed as
    /// soon as it is closed.
    func segmentBytesMax(ofShards count: Int) -> Int {
        min(segmentBytesMax, (keptShare(ofShards: count) ?? .max) / 4)
    }

    /// Rejects limits that cannot be kept.
    func validate(shardCount: Int) throws(RecorderError) {
        let shareMin = RecorderOptions.keptShareMin
        guard let share = keptShare(ofShards: shardCount), share < shareMin else { return }
        throw .keepsTooLittle(bytesMin: shareMin * max(shardCount, 1))
    }
}

/// Loggable events.
public enum RecorderEvent: Sendable, CustomStringConvertible {
    /// A segment of an earlier run had not been closed and now is.
    case repaired(path: String, blocks: Int, cutBytes: Int)
    /// A segment of an earlier run cannot be read or closed; it is left as it is.
    case leftAlone(reason: String)
    /// A segment is being written from now on.
    case began(path: String)
    /// The disk refuses; it is retried every second, and what is not written is listed as a gap.
    case refused(reason: String)
    /// The disk is too slow; what is not written is listed as a gap.
    case tooSlow
    /// The disk has not completed a write for so long that the recorder ends without it.
    case hung(blocks: Int, afterNs: Int64)
    /// A message or a copy of a book exceeds the size of a block.
    case tooLong(bytes: Int)
    /// Writing works again.
    case resumed(lostFrames: Int, afterNs: Int64)
    /// The recorder's book differs from what readers see.
    case contradicted(symbol: String)
    /// A segment was removed because of its age or for lack of space.
    case removed(path: String)

    /// One line for display.
    public var description: String {
        switch self {
        case .repaired(let path, let blocks, let cut):
            "closed \(path), which an earlier run had left open: \(blocks) whole blocks, \(cut) bytes cut off"
        case .leftAlone(let reason): "left alone: \(reason)"
        case .began(let path): "recording to \(path)"
        case .refused(let reason): "not recording: \(reason); the books go on, and it is tried every second"
        case .tooSlow: "not recording: the disk is too slow; the books go on"
        case .hung(let blocks, let ns):
            "the disk has not answered for \(ns / 1_000_000_000) s: the recording ends without "
                + "\(blocks) blocks, and its segment stays open"
        case .tooLong(let bytes): "not recorded: \(bytes) bytes, longer than a block can be"
        case .resumed(let frames, let ns): "recording again: \(frames) frames lost in \(ns / 1_000_000) ms"
        case .contradicted(let symbol): "the recorder's book of \(symbol) is not the one that readers see"
        case .removed(let path): "removed \(path)"
        }
    }

    /// Whether something is wrong.
    public var isTrouble: Bool {
        switch self {
        case .refused, .tooSlow, .contradicted, .leftAlone, .hung, .tooLong: true
        case .repaired, .began, .resumed, .removed: false
        }
    }
}
