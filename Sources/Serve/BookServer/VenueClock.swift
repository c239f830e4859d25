// The venue's present time: what its last message said, and what has passed since then by the clock that is
// never set. A step of this machine's clock does not change it.
//
// A time more than an hour ahead of this machine's is an error, or this machine's clock is wrong; it is not
// taken up. The clock is then behind, or unset, which no client sees: it only says what is told at least.

/// What time it is at the venue, as far as known.
struct VenueClock {
    private static let aheadUsMax: Int64 = 3_600_000_000
    private var said: (timeUs: Int64, nowNs: UInt64)?

    /// A message has been processed.
    ///
    /// - Parameters:
    ///   - timeUs: the venue's time in it.
    ///   - receivedAtNs: when it was received, since 1970.
    ///   - nowNs: monotonic.
    mutating func hear(_ timeUs: Int64, receivedAtNs: Int64, nowNs: UInt64) {
        if timeUs <= 0 || timeUs > receivedAtNs / 1_000 + VenueClock.aheadUsMax { return }
        said = (timeUs, nowNs)
    }

    /// The venue's time; nil if it has said none.
    func timeUs(nowNs: UInt64) -> Int64? {
        said.map { $0.timeUs + Int64((max(nowNs, $0.nowNs) - $0.nowNs) / 1_000) }
    }
}
