// Whose snapshot is wanted, what for, and how much more than another one.

import MarketData

/// A symbol of one market.
public struct SnapshotKey: Hashable, Sendable {
    /// Its market.
    public var market: Market
    /// Its name.
    public var symbol: SymbolName

    /// The key of this symbol.
    public init(market: Market, symbol: SymbolName) {
        self.market = market
        self.symbol = symbol
    }
}

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

    /// Whether somebody waits for a book.
    var isUrgent: Bool {
        switch self {
        case .initial, .resync, .shallow, .check: true
        case .deepen, .audit: false
        }
    }
}

/// Which of two snapshots of equal priority is wanted more.
public struct SnapshotRank: Hashable, Comparable, Sendable {
    /// Proven levels left on the worse side; `.max` where the side is known whole. For an audit the times it
    /// was proven: there may be more to prove than weight, and who has waited longest comes first, however
    /// often its audits came to nothing.
    public var provenLevelCount: Int
    /// Depth updates a minute.
    public var updatesPerMinute: Int

    /// A rank; by default the last.
    public init(provenLevelCount: Int = .max, updatesPerMinute: Int = 0) {
        self.provenLevelCount = provenLevelCount
        self.updatesPerMinute = updatesPerMinute
    }

    /// Fewer levels first, then more traffic.
    public static func < (a: SnapshotRank, b: SnapshotRank) -> Bool {
        (a.provenLevelCount, b.updatesPerMinute) < (b.provenLevelCount, a.updatesPerMinute)
    }
}
