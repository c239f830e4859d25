// A time in which a recording holds no book.

import LobRecording

/// A time without a book, or about which nothing is known.
struct CoverageHole {
    /// The reason.
    enum Kind: Equatable {
        /// The recording lists it.
        case listed(RecordedGap.Cause)
        /// The symbol was not recorded in this run.
        case absent
        /// Segments or blocks are missing here, or the segment was not closed: what it held is unknown.
        case unknown

        /// Its character in a timeline; `isOfAll` if it applies to every symbol.
        func mark(isOfAll: Bool) -> Character {
            switch self {
            case .listed: isOfAll ? ":" : "."
            case .absent: "-"
            case .unknown: "?"
            }
        }

        /// Text for the terminal.
        var words: String {
            switch self {
            case .listed(let cause): cause.words
            case .absent: "not among the symbols of this run"
            case .unknown: "not known: something is missing, or the segment was not closed"
            }
        }

        /// Its colour, readable on a dark background too.
        var colour: String {
            switch self {
            case .absent: "#c8c8c8"
            case .unknown: "#7b1fa2"
            case .listed(.starting), .listed(.notRunning), .listed(.unknown): "#9a9a9a"
            case .listed(.reconnect), .listed(.stall): "#d9a400"
            case .listed(.resync), .listed(.unreadable): "#d95f02"
            case .listed: "#c2185b"
            }
        }
    }

    var kind: Kind
    var fromNs: Int64
    var toNs: Int64

    init(_ kind: Kind, _ fromNs: Int64, _ toNs: Int64) {
        (self.kind, self.fromNs, self.toNs) = (kind, fromNs, max(fromNs, toNs))
    }

    /// JSON.
    var json: String { "[\(fromNs),\(toNs)]" }
}
