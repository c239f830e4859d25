// How all books together stand, for `/health` and `/ready`. They are asked for without a token, and counting
// takes a look at every book: it is done at most once in `freshNs`, however often somebody asks.

/// The last count of the books. Thread: the server's.
struct Health {
    /// One count.
    struct Numbers: Equatable {
        /// Books that may be shown, and books that have begun.
        var live = 0
        var begun = 0
        /// Whether the server itself lags too far.
        var isBehind = false
    }

    private static let freshNs: UInt64 = 100_000_000
    private var numbers = Numbers()
    private var countedNs: UInt64?

    /// The numbers, counted now if the last count is too old.
    mutating func numbers(nowNs: UInt64, _ count: () -> Numbers) -> Numbers {
        if let countedNs, nowNs - countedNs < Health.freshNs { return numbers }
        (numbers, countedNs) = (count(), nowNs)
        return numbers
    }
}
