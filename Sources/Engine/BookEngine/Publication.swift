// When readers see a book.

/// How often a book's view is published.
public enum Publication: Hashable, Sendable {
    /// After every message that changed a book.
    case perMessage
    /// When the owner calls `publish()`, normally once per batch of frames; views in between are skipped.
    case conflated
}
