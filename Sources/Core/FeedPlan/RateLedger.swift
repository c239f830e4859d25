// Messages sent to the venue within the last second.

/// The newest messages, as far as they limit the next one: at most `countMax` within a time.
struct RateLedger: Sendable {
    private let countMax: Int
    private let windowMs: Int64
    private var times: [Int64] = []

    /// - Parameter countMax: at least 1.
    init(countMax: Int, windowMs: Int64) {
        self.countMax = countMax
        self.windowMs = windowMs
    }

    /// When one more message stays within the limit.
    var roomAtMs: Int64 { times.count < countMax ? .min : times[0] + windowMs }

    mutating func charge(_ nowMs: Int64) {
        if times.count == countMax { times.removeFirst() }
        times.append(nowMs)
    }
}
