// The relation of an update to a book.

/// Where an update stands relative to a book.
public enum Continuity: Hashable, Sendable {
    /// The book already contains everything in it.
    case stale
    /// Applying it whole brings the book exactly to the update's last id.
    case connects
    /// Changes between the book and the update are missing, or the two belong to different chains.
    case gap
}
