// How many updates of each book are sent in a second.

/// Rates over the last two seconds or so. Thread: the server's.
struct UpdateRates {
    private struct Sample {
        var count = 0
        var atNs: UInt64 = 0
    }

    private var counts: [Int]
    private var samples: [Sample]
    private var tenths: [Int?]
    private static let intervalNs: UInt64 = 2_000_000_000

    /// - Parameter count: of the books.
    init(count: Int) {
        counts = [Int](repeating: 0, count: count)
        samples = [Sample](repeating: Sample(), count: count)
        tenths = [Int?](repeating: nil, count: count)
    }

    /// Counts an update of a book.
    mutating func note(_ index: Int) { counts[index] += 1 }

    /// Works the rate of a book out, if it is time.
    mutating func turn(_ index: Int, nowNs: UInt64) {
        let before = samples[index]
        let ns = nowNs - before.atNs
        if before.atNs != 0 && ns < UpdateRates.intervalNs { return }
        samples[index] = Sample(count: counts[index], atNs: nowNs)
        if before.atNs == 0 { return }
        let ms = Int(max(ns / 1_000_000, 1))
        tenths[index] = ((counts[index] - before.count) * 10_000 + ms / 2) / ms
    }

    /// Updates in a second with one digit behind the point; nil until two samples are there.
    func text(_ index: Int) -> String? { tenths[index].map { "\($0 / 10).\($0 % 10)" } }
}
