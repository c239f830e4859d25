// Number of updates of each book sent per second.
//
// Time is divided into windows of two seconds; the reported rate is that of the last complete one. So
// counting costs the same few instructions per update, and nothing for a quiet book.

/// Rates of the last complete window. Thread: the server's.
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
    ///   - count: number of books.
    ///   - nowNs: start of the first window.
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

    /// Updates per second with one decimal; nil in the first window.
    func text(_ index: Int, nowNs: UInt64) -> String? {
        let number = number(nowNs)
        if number == 0 { return nil }
        let window = windows[index]
        let count = window.number == number ? window.before : window.number + 1 == number ? window.count : 0
        return "\(count / 2).\(count % 2 * 5)"
    }
}
