// What a recorder is told.

import LobHandoff
import LobRecording

/// How and where to record.
public struct RecorderOptions: Sendable {
    /// The folder of the segments; made if it is not there.
    public var folder: String
    /// A segment is closed before it grows beyond this.
    public var segmentBytesMax = 256 << 20
    /// A segment ends with every full multiple of this time, so that hours begin with a new one.
    public var segmentEveryNs: Int64 = 3_600_000_000_000
    /// A copy of every live book is written at least this often: reading may begin at each.
    public var baseEveryNs: Int64 = 300_000_000_000
    /// A copy of every live book is also written when the frames since the last one have so many bytes and
    /// eight times those of the copies: reading goes on from copies to the wanted time.
    public var baseEveryBytes = 32 << 20
    /// A block is closed after this time at the latest.
    public var blockNsMax: Int64 = 1_000_000_000
    /// Blocks that wait for the disk, over and above the one being written; a further one is lost, and
    /// listed. The copies of books that reading can begin with wait besides, once: their bytes are those of
    /// the books.
    public var waitingBlocksMax = 64
    /// Oldest closed segments are removed until all of the folder are no longer than this; nil: never. Each
    /// shard has an equal share, of which a segment takes at most a quarter; the newest closed one stays
    /// whatever its length.
    public var keptBytesMax: Int?
    /// Closed segments, except the newest of each shard, are removed when their last change is older than
    /// this; nil: never.
    public var keptNsMax: Int64?
    /// Written blocks are brought to the disk at least this often.
    public var syncEveryNs: Int64 = 1_000_000_000
    /// After a refusal the disk is tried again so often.
    public var retryEveryNs: Int64 = 1_000_000_000
    /// A stop waits so long for a disk that writes nothing more; what it has in hand is lost then.
    public var stopNsMax: Int64 = 30_000_000_000
    /// Bytes of the ring between the feed and the recorder, a power of two; messages beyond are lost, and
    /// listed.
    public var ringBytes = 1 << 25
    /// A block is closed before it grows beyond this. For tests.
    package var blockBytes = SegmentLayout.blockBytes
    /// What the disk says before each write instead of trying it, as a number of the system; 0: nothing. For
    /// tests.
    package var fault: (@Sendable () -> Int32)?

    /// The defaults.
    public init(folder: String) { self.folder = folder }

    /// Least bytes of closed segments that a shard may be told to keep.
    static let keptShareMin = 16 << 20

    /// Bytes of closed segments that each of so many shards may keep.
    func keptShare(ofShards count: Int) -> Int? { keptBytesMax.map { $0 / max(count, 1) } }

    /// A segment is closed before it grows beyond this: one that is longer than all that is kept would go as
    /// soon as it is closed.
    func segmentBytesMax(ofShards count: Int) -> Int {
        min(segmentBytesMax, (keptShare(ofShards: count) ?? .max) / 4)
    }

    /// Refuses what cannot be kept.
    func validate(shardCount: Int) throws(RecorderError) {
        let shareMin = RecorderOptions.keptShareMin
        guard let share = keptShare(ofShards: shardCount), share < shareMin else { return }
        throw .keepsTooLittle(bytesMin: shareMin * max(shardCount, 1))
    }
}

/// What is worth a line in a log.
public enum RecorderEvent: Sendable, CustomStringConvertible {
    /// A segment of an earlier run had not been closed; it is now.
    case repaired(path: String, blocks: Int, cutBytes: Int)
    /// A segment of an earlier run cannot be read or closed; it stays as it is.
    case leftAlone(reason: String)
    /// A segment is written from now on.
    case began(path: String)
    /// The disk refuses; it is tried again every second, and what is not written is listed as a gap.
    case refused(reason: String)
    /// The disk is too slow; what is not written is listed as a gap.
    case tooSlow
    /// The disk has not answered to a write for so long that the recorder ends without it.
    case hung(blocks: Int, afterNs: Int64)
    /// A message or a copy of a book is longer than a block can be.
    case tooLong(bytes: Int)
    /// It is written again.
    case resumed(lostFrames: Int, afterNs: Int64)
    /// The recorder's book is not the one that readers see.
    case contradicted(symbol: String)
    /// A segment was removed because of its age, or for want of room.
    case removed(path: String)

    /// One line for people.
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
