// What a snapshot is for, and how urgent that is.

/// What a snapshot is for, most urgent first.
public enum SnapshotPriority: Int, CaseIterable, Comparable, Sendable {
    /// The first book of a symbol.
    case initial
    /// The book was lost, or must prove itself before it is believed again.
    case resync
    /// A good book whose best price of a side is not known any more.
    case shallow
    /// A silent stream: is it merely quiet?
    case check
    /// More levels for a good book.
    case deepen
    /// Proof of a good book.
    case audit

    /// More urgent first.
    public static func < (a: SnapshotPriority, b: SnapshotPriority) -> Bool { a.rawValue < b.rawValue }

    /// Whether a book waits for it.
    var isUrgent: Bool {
        switch self {
        case .initial, .resync, .shallow, .check: true
        case .deepen, .audit: false
        }
    }
}
