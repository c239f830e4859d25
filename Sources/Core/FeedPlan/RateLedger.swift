// Messages sent to the venue within the last second.

/// The newest events that count towards a limit of `countMax` within a time window.
struct RateLedger: Sendable {
    private let countMax: Int
    private let windowMs: Int64
    private var times: [Int64] = []

    /// - Parameter countMax: at least 1.
    init(countMax: Int, windowMs: Int64) {
        self.countMax = countMax
        self.windowMs = windowMs
    }

    /// When one more message is within the limit.
    var roomAtMs: Int64 { times.count < countMax ? .min : times[0] + windowMs }

    mutating func charge(_ nowMs: Int64) {
        if times.count == countMax { times.removeFirst() }
        times.append(nowMs)
    }
}
