// Whether books kept across a lost connection can be trusted again once their streams continue.
//
// Ids alone do not tell: a venue that has restarted its ids (a new id epoch) may by chance continue exactly
// where an old book ends. Every book could be proven by a snapshot, but a market of 1,500 would need 1,500.
// Whatever makes ids unreliable concerns all books of the venue at once. So a few are proven, and the others
// whose ids join are then trusted; one that goes back or contradicts puts all of them in doubt.
//
// ```
// verdict    input                     next
// open       proved by a snapshot      accepted at the third
// any        refuted                   refuted
// any        began                     open
// ```
//
// A connection may be lost again before that, and a book built in between can be of a new epoch while one
// from before the first loss is not. So only a book as old as the oldest doubt counts.

/// One reconnect on trial.
struct ReconnectTrial {
    /// What is known about the venue's ids.
    enum Verdict: Hashable {
        /// Not enough.
        case open
        /// They continue.
        case accepted
        /// They do not: every book must be proven.
        case refuted
    }

    /// Books that must be proven before the others are believed.
    static let provenMin = 3
    /// Books that may request a snapshot at once, and as many more after each further `whileNs`: the first
    /// ones may be the very books of which no snapshot can be had.
    static let askedMax = 8
    static let whileNs: Int64 = 5_000_000_000

    private(set) var verdict = Verdict.accepted
    /// Distinguishes trials; a book that has requested a proof remembers it.
    private(set) var number = 0
    /// The first trial with unsettled books.
    private var oldestNumber = 0
    private var beganNs: Int64 = 0
    private var provenCount = 0
    private var askedCount = 0

    /// A connection was lost with books that may be kept.
    /// - Parameter oldestDoubt: the first trial since which a book is still in doubt.
    mutating func begin(oldestDoubt: Int?, nowNs: Int64) {
        number += 1
        // If ids continued, the earlier epochs are over.
        let oldest = verdict == .accepted ? nil : oldestDoubt
        oldestNumber = oldest.map { max($0, oldestNumber) } ?? number
        (verdict, beganNs, provenCount, askedCount) = (.open, nowNs, 0, 0)
    }

    /// Whether a book in doubt since that trial is as old as any in this one.
    func isOld(since number: Int) -> Bool { number <= oldestNumber }

    /// A kept book agreed with the venue. True if the others may now be believed.
    /// - Parameter isTelling: whether the book had moved since its snapshot. One that had not may look the
    ///   same at the beginning of every id epoch: it is right itself but says nothing about others.
    mutating func proved(isTelling: Bool) -> Bool {
        if !isTelling {
            askedCount = max(askedCount - 1, 0)
            return false
        }
        provenCount += 1
        if verdict != .open || provenCount < ReconnectTrial.provenMin { return false }
        verdict = .accepted
        return true
    }

    /// A kept book was contradicted, or its ids went back. True if that is news.
    mutating func refute() -> Bool {
        if verdict == .refuted { return false }
        verdict = .refuted
        return true
    }

    /// Whether a book may request a proof of its own; its first request in this trial is counted.
    /// - Parameter asked: the trial in which it last requested one.
    mutating func mayAsk(_ asked: inout Int, nowNs: Int64) -> Bool {
        switch verdict {
        case .refuted: return true
        case .accepted: return false
        case .open:
            if asked == number { return true }
            let whiles = max(nowNs &- beganNs, 0) / ReconnectTrial.whileNs
            if askedCount >= ReconnectTrial.askedMax * Int(clamping: min(whiles, 1 << 20) + 1) {
                return false
            }
            (asked, askedCount) = (number, askedCount + 1)
            return true
        }
    }
}
