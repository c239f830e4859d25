// Whether the books that were kept across a lost connection may be believed again once their streams go on.
//
// Ids alone do not tell: a venue that has restarted its ids may by chance continue exactly where an old book
// ends. Each book could prove itself by a snapshot, but a market of 1,500 would need 1,500. Whatever makes
// ids unreliable concerns all books of the venue at once. So a few prove themselves, and the others whose ids
// join are trusted after them; one that goes back or contradicts puts all of them in doubt.
//
// ```
// verdict    input                     next
// open       proved by a snapshot      accepted at the third
// any        refuted                   refuted
// any        began                     open
// ```
//
// A connection may be lost again before that, and a book built in between can be of a new time while one from
// before the first loss is not. So only a book as old as the oldest doubt counts.

/// One reconnect on trial.
struct ReconnectTrial {
    /// What is known of the venue's ids.
    enum Verdict: Hashable {
        /// Not enough.
        case open
        /// They go on as before.
        case accepted
        /// They do not: every book proves itself.
        case refuted
    }

    /// Books that prove themselves before the others are believed.
    static let provenMin = 3
    /// Books that may request a snapshot at once, and as many more after each further `whileNs`: the first
    /// ones may be the very books of which no snapshot can be had.
    static let askedMax = 8
    static let whileNs: Int64 = 5_000_000_000

    private(set) var verdict = Verdict.accepted
    /// Tells one trial from the next; a book that has asked remembers it.
    private(set) var number = 0
    /// The first trial whose books are not all settled.
    private var oldestNumber = 0
    private var beganNs: Int64 = 0
    private var provenCount = 0
    private var askedCount = 0

    /// A connection was lost with books that may be kept.
    /// - Parameter oldestDoubt: the first trial that a book is still in doubt since.
    mutating func begin(oldestDoubt: Int?, nowNs: Int64) {
        number += 1
        // Where ids continued, a former time is over.
        let oldest = verdict == .accepted ? nil : oldestDoubt
        oldestNumber = oldest.map { max($0, oldestNumber) } ?? number
        (verdict, beganNs, provenCount, askedCount) = (.open, nowNs, 0, 0)
    }

    /// Whether a book that has been in doubt since that trial is as old as any that this one is about.
    func isOld(since number: Int) -> Bool { number <= oldestNumber }

    /// A kept book agreed with the venue. True if the others may be believed from now on.
    /// - Parameter isTelling: whether the book had moved since its snapshot. One that had not may be the same
    ///   at the beginning of every time of the venue: it is right itself, and says nothing about others.
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

    /// Whether a book may ask for a proof of its own; if it is the first time in this trial, it is counted.
    /// - Parameter asked: the trial in which it asked last.
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
