// Purpose and urgency of a snapshot.

/// Purpose of a snapshot, most urgent first.
public enum SnapshotPriority: Int, CaseIterable, Comparable, Sendable {
    /// The first book of a symbol.
    case initial
    /// The book was lost, or must be proven before it is trusted again.
    case resync
    /// A good book whose best price is no longer proven on some side.
    case shallow
    /// A silent stream: is it merely quiet?
    case check
    /// More levels for a good book.
    case deepen
    /// Proof of a good book.
    case audit

    /// More urgent first.
    public static func < (a: SnapshotPriority, b: SnapshotPriority) -> Bool { a.rawValue < b.rawValue }

    /// Whether it is useless if older than the first update that is buffered for it.
    var awaitsUpdates: Bool { self != .check }

    /// Whether a book depends on it.
    var isUrgent: Bool {
        switch self {
        case .initial, .resync, .shallow, .check: true
        case .deepen, .audit: false
        }
    }
}
