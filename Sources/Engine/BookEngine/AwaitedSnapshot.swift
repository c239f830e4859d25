// What a symbol knows of the snapshot that it waits for: whether an answer counts, how new it must be, and
// how many came to nothing.

import MarketData

/// The snapshot that a symbol waits for.
///
/// ```
/// input                       effect
/// cancelled                   no answer counts: what is on its way is of before a doubt
/// requested, not announced    answers count
/// announced                   answers count: one behind this belongs to it
/// passed(id)                  one that ends before this update is of no use
/// isTooOld, 4th in a row      any will do: the venue may count anew, and has nothing to say on the stream
/// collected(id) before that   what came before was none of this stream: any will do
/// bookLost                    any will do; nothing was fruitless if the book was live
/// restarted, never live       one more was fruitless
/// ```
struct AwaitedSnapshot {
    /// Whether an answer must not be used: what it answers was cancelled.
    private(set) var isVoid = false
    /// Books in a row that were given up before they were live.
    private var fruitless = 0
    /// Last id of the updates that came before the request was sent.
    private var passedID = UpdateID(0)
    /// Snapshots in a row that were older.
    private var tooOldCount = 0
    private static let tooOldCountMax = 3

    /// How many came to nothing before the next request.
    func attempt(_ asked: Int) -> Int { max(asked, fruitless) }

    /// Whether a snapshot of this id is of before the request.
    mutating func isTooOld(_ id: UpdateID) -> Bool {
        if id >= passedID { return false }
        tooOldCount += 1
        if tooOldCount <= AwaitedSnapshot.tooOldCountMax { return true }
        pass(UpdateID(0))
        return false
    }

    /// A request is made.
    ///
    /// - Parameter isAnnounced: whether somebody will say when it is sent.
    mutating func requested(isAnnounced: Bool) {
        if !isAnnounced { isVoid = false }
    }

    /// Somebody says that the request was sent.
    mutating func announced() { isVoid = false }

    /// No answer is wanted any more.
    mutating func cancelled() { isVoid = true }

    /// An update came while nothing was kept for the snapshot.
    mutating func passed(_ id: UpdateID) { pass(id) }

    /// An update is kept for the snapshot.
    mutating func collected(_ id: UpdateID) {
        // What came before was none of this stream, or of a former time.
        if id < passedID { pass(UpdateID(0)) }
    }

    /// The book is given up, to be begun anew.
    mutating func restarted(wasLive: Bool) {
        if !wasLive { fruitless += 1 }
    }

    /// The book is believed no longer.
    mutating func bookLost(wasLive: Bool) {
        if wasLive { fruitless = 0 }
        pass(UpdateID(0))
    }

    private mutating func pass(_ id: UpdateID) { (passedID, tooOldCount) = (id, 0) }
}
