// Whether the books that were kept across a lost connection may be believed again once their streams go on.
//
// Ids alone do not tell: a venue that has begun its ids anew can by chance go on exactly where an old book
// ends. Each book could prove itself by a snapshot; a market of 1,500 would need 1,500. But what makes ids
// lie concerns all books of the venue at once. So a few prove themselves, and the others that join by ids
// are believed after them; one that goes back or contradicts puts all of them in doubt.
//
// ```
// verdict    input                     next
// open       proved by a snapshot      accepted at the third
// any        refuted                   refuted
// any        began                     open
// ```
//
// A connection may be lost again before that, and what was built in between can be of a new time while a book
// from before the first loss is not. So what tells is a book that is as old as the oldest doubt.

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
    /// Books that ask for a snapshot before the others may.
    static let askedMax = 8
    /// After so long without a verdict as many others may: of those before, any may have come to nothing.
    static let roundNs: Int64 = 5_000_000_000

    private(set) var verdict = Verdict.accepted
    /// Which trial it is.
    private(set) var number = 0
    /// The first trial whose books are not all settled.
    private var oldestNumber = 0
    private var provenCount = 0
    private var askedCount = 0
    private var roundBeganNs: Int64 = 0

    /// A connection was lost with books that may be kept.
    /// - Parameter oldestDoubt: the first trial that a book is still in doubt since.
    mutating func begin(oldestDoubt: Int?) {
        number += 1
        // Where ids went on, a former time is over.
        let oldest = verdict == .accepted ? nil : oldestDoubt
        oldestNumber = oldest.map { max($0, oldestNumber) } ?? number
        verdict = .open
        provenCount = 0
        askedCount = 0
    }

    /// Whether a book that has been in doubt since that trial is as old as any that this one is about.
    func isOld(since number: Int) -> Bool { number <= oldestNumber }

    /// A kept book agreed with the venue. True if the others may be believed from now on.
    /// - Parameter isTelling: whether the book had moved since its snapshot. One that had not may be the same
    ///   at the beginning of every time of the venue: it is right itself, and says nothing of others.
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

    /// Whether one more book may ask for a proof of its own; if so it is counted.
    mutating func mayAsk(nowNs: Int64) -> Bool {
        switch verdict {
        case .refuted: return true
        case .accepted: return false
        case .open:
            if askedCount >= ReconnectTrial.askedMax {
                if nowNs &- roundBeganNs < ReconnectTrial.roundNs { return false }
                askedCount = 0
            }
            if askedCount == 0 { roundBeganNs = nowNs }
            askedCount += 1
            return true
        }
    }
}
