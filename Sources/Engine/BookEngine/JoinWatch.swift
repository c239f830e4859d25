// A book joined to a snapshot without an update since: it may be quiet, or its stream may be dead. A second
// snapshot at the same id shows that it is quiet.

/// When to check a book that no update has reached yet.
///
/// ```
/// input     effect
/// joined    starts over
/// checked   a check was answered: the next comes after twice the time, at most 512 times the first
/// ```
struct JoinWatch {
    private static let doublingsMax = 9

    private var joinedNs: Int64 = 0
    private var checks = 0

    /// A snapshot was joined.
    mutating func joined(nowNs: Int64) { (joinedNs, checks) = (nowNs, 0) }

    /// A check was answered. One that fails says nothing; how soon it is repeated is not decided here.
    mutating func checked() { checks += 1 }

    /// When the next one is due, on the engine's clock.
    func dueNs(after doubtNsMin: Int64) -> Int64 {
        joinedNs &+ doubtNsMin << Int64(min(checks, JoinWatch.doublingsMax))
    }
}
