// Contents of a recording besides the frames of the feed.

/// Kinds of frames that only recordings have. The numbers are never reused; those below 128 are the kinds of
/// `FrameKind`.
package enum RecordKind: UInt8, CaseIterable, Sendable {
    /// Venue, symbols and configuration: what an engine needs in order to repeat the recording. First in each
    /// segment.
    case terms = 128
    /// The connections that are up, at the beginning of a segment.
    case connections = 129
    /// A whole served book: at the beginning of a segment, and where a book was replaced by another one.
    case book = 130
    /// Update id and digest of every live book, once a second.
    case digests = 131
    /// A gap, when it begins and again when it ends.
    case gap = 132
}
