// What a recorder has done, in numbers.

/// Counters of a recorder's thread.
struct RecorderCounters: Sendable {
    var frames = 0
    var books = 0
    var bases = 0
    var digests = 0
    var gaps = 0
    /// Looks at whether a book is to be believed.
    var looks = 0
    var lostFrames = 0
    var viewsCompared = 0
    var viewsAgreed = 0
    /// Copies of served books that were used as snapshots.
    var borrowed = 0
    /// What the disk had dropped when it was asked last.
    var droppedFrames = 0
    var droppedBlocks = 0
}

/// What a recording has come to.
public struct RecorderSummary: Sendable {
    /// Frames that the recorder has taken.
    public private(set) var frames = 0
    /// Frames of the feed and of the recorder that are in whole blocks on the disk.
    public private(set) var writtenFrames = 0
    /// Frames that were not written: all of them in gaps, if the disk took anything afterwards.
    public private(set) var lostFrames = 0
    /// Blocks that were written.
    public private(set) var blocks = 0
    /// Bytes that were written.
    public private(set) var bytes = 0
    /// The same, unpacked.
    public private(set) var unpackedBytes = 0
    /// Segments that were begun.
    public private(set) var segments = 0
    /// Gaps that were listed.
    public private(set) var gaps = 0
    /// Copies of books that were written.
    public private(set) var books = 0
    /// Digests that were written.
    public private(set) var digests = 0
    /// Comparisons of the recorder's books with the views that readers see.
    public private(set) var viewsCompared = 0
    /// Those that found no difference.
    public private(set) var viewsAgreed = 0
    /// Copies of served books from which books of the recorder were made, since it had missed their
    /// snapshots or lost frames.
    public private(set) var borrowed = 0

    mutating func add(_ counters: RecorderCounters, _ status: RecorderDisk.Status) {
        frames += counters.frames
        writtenFrames += status.writtenFrames
        lostFrames += counters.lostFrames + status.droppedFrames - counters.droppedFrames
        lostFrames += status.waitingFrames
        blocks += status.writtenBlocks
        bytes += status.writtenBytes
        unpackedBytes += status.unpackedBytes
        segments += status.segments
        gaps += counters.gaps
        books += counters.books
        digests += counters.digests
        viewsCompared += counters.viewsCompared
        viewsAgreed += counters.viewsAgreed
        borrowed += counters.borrowed
    }
}
