// Where an update stands relative to a book.

/// Where an update stands relative to a book.
public enum Continuity: Hashable, Sendable {
    /// Everything in it is in the book already.
    case stale
    /// Applied whole, it brings the book exactly to its last id.
    case connects
    /// At least one change between the book and the update is missing, or the two are not of one chain.
    case gap
}
