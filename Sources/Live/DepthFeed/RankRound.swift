// Which symbols' ranks to report next: all in rotation, a few at a time.
//
// Counting proven levels touches a book, and idle books are not in the cache: some five microseconds each.
// Four every 31 ms delay nothing, and a shard of 512 symbols takes four seconds.

import MarketData

/// A rotation through the symbols of a shard.
struct RankRound {
    private static let countAtOnce = 4
    private static let everyNs: UInt64 = 31_250_000
    private static let turnsPerLook = 64

    private var turn = 0
    private var place = 0
    private var dueNs: UInt64 = 0

    /// Whether the next few are due; called once a turn. Reads the clock only occasionally.
    mutating func isDue(_ monotonicNs: () -> UInt64) -> Bool {
        turn += 1
        if turn < RankRound.turnsPerLook { return false }
        turn = 0
        let nowNs = monotonicNs()
        if nowNs < dueNs { return false }
        dueNs = nowNs + RankRound.everyNs
        return true
    }

    /// The next few of these symbols, without duplicates.
    mutating func next(of symbols: [SymbolName]) -> [SymbolName] {
        let count = min(RankRound.countAtOnce, symbols.count)
        if count == 0 { return [] }
        let first = place % symbols.count
        place = first + count
        return (0..<count).map { symbols[(first + $0) % symbols.count] }
    }
}
