// Totals of a recorder.

/// Counters of a recorder's thread.
struct RecorderCounters: Sendable {
    var frames = 0
    var books = 0
    var bases = 0
    var digests = 0
    var gaps = 0
    /// Checks of whether a book is trusted.
    var looks = 0
    var lostFrames = 0
    var viewsCompared = 0
    var viewsAgreed = 0
    /// Copies of served books used as snapshots.
    var borrowed = 0
    /// What the disk had dropped at the last check.
    var droppedFrames = 0
    var droppedBlocks = 0
}

/// Result of a recording.
public struct RecorderSummary: Sendable {
    /// Frames received by the recorder.
    public private(set) var frames = 0
    /// Frames of the feed and of the recorder in complete blocks on the disk.
    public private(set) var writtenFrames = 0
    /// Frames not written: all of them in gaps, if the disk accepted anything afterwards.
    public private(set) var lostFrames = 0
    /// Blocks written.
    public private(set) var blocks = 0
    /// Bytes written.
    public private(set) var bytes = 0
    /// The same, uncompressed.
    public private(set) var unpackedBytes = 0
    /// Segments started.
    public private(set) var segments = 0
    /// Gaps listed.
    public private(set) var gaps = 0
    /// Copies of books written.
    public private(set) var books = 0
    /// Digests written.
    public private(set) var digests = 0
    /// Comparisons of the recorder's books with the views readers see.
    public private(set) var viewsCompared = 0
    /// Those without a difference.
    public private(set) var viewsAgreed = 0
    /// Copies of served books from which the recorder made books whose snapshots or frames it had missed.
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
