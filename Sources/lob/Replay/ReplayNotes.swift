// What a replay reports besides its results. Notes of one kind are reported once, with their count and the
// first occurrence.

/// Complaints and notes by kind.
struct ReplayNotes {
    private struct Entry {
        var kind: String
        var first: String
        var count = 1
        var isFault: Bool
    }

    /// Maximum number of kinds; all further ones count as one.
    private static let kindCountMax = 64

    private var entries: [Entry] = []
    /// Messages that could not be used.
    private(set) var faultCount = 0

    /// Counts a message that could not be used.
    mutating func fault(_ kind: String, at origin: @autoclosure () -> String) {
        faultCount += 1
        add(kind, origin, isFault: true)
    }

    /// Counts something that is not a fault.
    mutating func note(_ kind: String, at origin: @autoclosure () -> String) {
        add(kind, origin, isFault: false)
    }

    private mutating func add(_ kind: String, _ origin: () -> String, isFault: Bool) {
        if let index = entries.firstIndex(where: { $0.kind == kind }) {
            entries[index].count += 1
        } else if entries.count < ReplayNotes.kindCountMax {
            entries.append(Entry(kind: kind, first: origin(), isFault: isFault))
        }
    }

    /// One line per kind, in the order of first occurrence.
    var lines: [String] {
        entries.map { entry in
            entry.count == 1
                ? "\(entry.first): \(entry.kind)"
                : "\(entry.kind): \(entry.count) times, the first at \(entry.first)"
        }
    }
}
