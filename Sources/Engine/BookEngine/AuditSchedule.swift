// When a book must be audited although nothing is in doubt.

import MarketData

/// The audit times of a symbol.
///
/// ```
/// input       effect
/// looked      the next audit is one period from now: a snapshot was compared with the book, or became it
/// agreed      likewise, and one more has agreed
/// ```
/// The period is shortened by up to a quarter, differently for each symbol and time, so that the audits of a
/// whole market do not fall due together.
struct AuditSchedule {
    /// Audits that agreed, plus other snapshots at least as deep as the book.
    private(set) var count: UInt64 = 0
    private var provenNs: Int64 = 0
    private let nameHash: UInt64

    /// The schedule of a symbol.
    init(_ name: SymbolName) { nameHash = UInt64(truncatingIfNeeded: name.quickHash) }

    /// A snapshot was compared with the book, or became it.
    mutating func looked(nowNs: Int64) { provenNs = nowNs }

    /// A snapshot agreed with the whole book, or with as much of it as an audit requests.
    mutating func agreed(nowNs: Int64) {
        provenNs = nowNs
        count &+= 1
    }

    /// When the next audit is due, on the engine's clock; nil if there are none.
    ///
    /// - Parameter everyNs: the longest period; 0 for no audits.
    func dueNs(everyNs: Int64) -> Int64? {
        if everyNs <= 0 { return nil }
        let quarterNs = everyNs / 4
        if quarterNs <= 0 { return provenNs &+ everyNs }
        var hash = (nameHash &+ count) &* 0x9E37_79B9_7F4A_7C15
        hash ^= hash &>> 32
        return provenNs &+ (everyNs &- Int64(hash % UInt64(quarterNs)))
    }
}
