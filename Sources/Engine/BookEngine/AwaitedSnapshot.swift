// What a symbol knows about the snapshot it awaits: whether an answer counts, how new it must be, and how
// many attempts have failed.

import MarketData

/// The snapshot a symbol awaits.
///
/// ```
/// input                       effect
/// cancelled                   no answer counts: one in flight predates the doubt
/// requested, not announced    answers count
/// announced                   answers count: one after this belongs to it; it is under way
/// answered, cancelled         nothing is under way
/// collectsEarly               updates are kept before the request is sent, for at most a second
/// passed(id)                  a snapshot that ends before this update is useless
/// isTooOld, 4th in a row,     any will do: the venue may number differently, and its stream is silent
///   two minutes after it
/// collected, and the ids      what was passed is of an earlier id epoch: any will do
///   have gone back, or two in
///   a row are earlier
/// joined                      nothing is collected any more
/// bookLost                    any will do, until something else is passed; if the book was live for long
///                             enough, no attempt has failed
/// restarted sooner, or        one more attempt has failed
///   never live
/// ```
struct AwaitedSnapshot {
    /// Whether an answer must not be used because its request was cancelled.
    private(set) var isVoid = false
    /// When the request without an answer was announced, on the engine's clock; nil if there is none. What
    /// is requested meanwhile may get that one's, which says nothing about what was lost since.
    private(set) var underWayNs: Int64?
    /// Whether there is one.
    var isUnderWay: Bool { underWayNs != nil }
    /// Consecutive books given up before they were live.
    private var fruitless = 0
    /// When the book last became live, on the engine's clock.
    private var liveNs = Int64.max
    /// Whether a book has been lost before: the first loss is no failure.
    private var hasBeenLost = false
    /// How long a book must last to be no failure: something that contradicts every book at once must not
    /// use up the venue's limits.
    private static let lastingNs: Int64 = 10_000_000_000
    /// The last update kept for the snapshot; 0 if there is none.
    private(set) var collectedID = UpdateID(0)
    /// The last one kept, if it is earlier than what is known.
    private var belowID: UpdateID?
    /// Last id of the updates received before the request was sent.
    private var passedID = UpdateID(0)
    /// Consecutive snapshots older than that.
    private var tooOldCount = 0
    private static let tooOldCountMax = 3
    /// When that update arrived, on the engine's clock. REST may lag it by minutes.
    private var passedNs: Int64 = 0
    private static let tooOldNsMax: Int64 = 120_000_000_000
    private var isOfAnotherTime = false
    /// How long updates are kept without an announcement, on the engine's clock.
    private var earlyUntilNs: Int64 = .max
    /// How long a request normally waits for its turn at most.
    private static let earlyNsMax: Int64 = 1_000_000_000

    /// Number of failed attempts before the next request.
    func attempt(_ asked: Int) -> Int { max(asked, fruitless) }

    /// Whether a snapshot with this id predates the request.
    mutating func isTooOld(_ id: UpdateID, nowNs: Int64) -> Bool {
        if id >= passedID { return false }
        tooOldCount += 1
        if tooOldCount <= AwaitedSnapshot.tooOldCountMax { return true }
        if nowNs &- passedNs <= AwaitedSnapshot.tooOldNsMax { return true }
        forgetPassed()
        isOfAnotherTime = true
        return false
    }

    /// Whether the snapshot just accepted is of another id epoch than what was passed; once.
    mutating func takeAnotherTime() -> Bool {
        defer { isOfAnotherTime = false }
        return isOfAnotherTime
    }

    /// A request is issued.
    ///
    /// - Parameter isAnnounced: whether its sending will be announced.
    mutating func requested(isAnnounced: Bool) {
        if !isAnnounced { isVoid = false }
    }

    /// The request was announced as sent.
    mutating func announced(nowNs: Int64) { (isVoid, earlyUntilNs, underWayNs) = (false, .max, nowNs) }

    /// An answer came, or none will.
    mutating func answered() { underWayNs = nil }

    /// Updates are kept from now on, before the request is sent.
    mutating func collectsEarly(nowNs: Int64) { earlyUntilNs = nowNs &+ AwaitedSnapshot.earlyNsMax }

    /// Whether updates have been kept too long for a request that was not sent.
    func isOverdue(nowNs: Int64) -> Bool { nowNs > earlyUntilNs }

    /// No answer is wanted any more.
    mutating func cancelled() { (isVoid, underWayNs) = (true, nil) }

    /// An update arrived while nothing was kept for the snapshot.
    mutating func passed(_ id: UpdateID, nowNs: Int64) { (passedID, passedNs, tooOldCount) = (id, nowNs, 0) }

    /// An update is kept for the snapshot.
    ///
    /// - Parameter idsWentBack: whether it is later than those before it, by its time, and has an earlier id.
    ///   A duplicate or a straggler is not; nor do two of them ascend.
    mutating func collected(_ id: UpdateID, idsWentBack: Bool) {
        if id >= knownID {
            (collectedID, belowID) = (id, nil)
        } else if idsWentBack || belowID.map({ id > $0 }) == true {
            if id < passedID { forgetPassed() }
            (collectedID, belowID) = (id, nil)
        } else {
            belowID = id
        }
    }

    /// A snapshot has been joined to what was collected.
    mutating func joined() { (collectedID, belowID) = (UpdateID(0), nil) }

    /// How far the venue is known to have come while there is no book.
    var knownID: UpdateID { max(passedID, collectedID) }

    /// The book became live.
    mutating func becameLive(nowNs: Int64) { liveNs = nowNs }

    /// The book is given up and rebuilt.
    mutating func restarted(wasLive: Bool, nowNs: Int64) {
        if !wasLive || (!hasLasted(nowNs) && hasBeenLost) { fruitless += 1 }
    }

    /// The book is no longer trusted.
    mutating func bookLost(wasLive: Bool, nowNs: Int64) {
        if wasLive && hasLasted(nowNs) { fruitless = 0 }
        hasBeenLost = true
        (collectedID, belowID) = (UpdateID(0), nil)
        forgetPassed()
    }

    /// Whether the book, if it is live, has been so for long.
    func hasLasted(_ nowNs: Int64) -> Bool {
        liveNs <= nowNs && nowNs &- liveNs >= AwaitedSnapshot.lastingNs
    }

    private mutating func forgetPassed() { (passedID, tooOldCount) = (UpdateID(0), 0) }
}
