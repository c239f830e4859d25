// How many updates of each book are sent in a second.
//
// Time is cut into windows of two seconds; what is said is what the last whole one had. So counting costs the
// same few instructions with every update, and nothing at all for a book that is quiet.

/// Rates of the last whole window. Thread: the server's.
struct UpdateRates {
    private struct Window {
        var number: UInt64 = 0
        var count = 0
        var before = 0
    }

    private var windows: [Window]
    private let beginNs: UInt64
    private static let windowNs: UInt64 = 2_000_000_000

    /// - Parameters:
    ///   - count: of the books.
    ///   - nowNs: when the first window begins.
    init(count: Int, nowNs: UInt64) {
        windows = [Window](repeating: Window(), count: count)
        beginNs = nowNs
    }

    private func number(_ nowNs: UInt64) -> UInt64 {
        nowNs > beginNs ? (nowNs - beginNs) / UpdateRates.windowNs : 0
    }

    /// Counts an update of a book.
    mutating func note(_ index: Int, nowNs: UInt64) {
        let number = number(nowNs)
        if windows[index].number != number {
            let isNext = windows[index].number + 1 == number
            windows[index] = Window(number: number, count: 0, before: isNext ? windows[index].count : 0)
        }
        windows[index].count += 1
    }

    /// Updates in a second with one digit behind the point; nil in the first window.
    func text(_ index: Int, nowNs: UInt64) -> String? {
        let number = number(nowNs)
        if number == 0 { return nil }
        let window = windows[index]
        let count = window.number == number ? window.before : window.number + 1 == number ? window.count : 0
        return "\(count / 2).\(count % 2 * 5)"
    }
}
