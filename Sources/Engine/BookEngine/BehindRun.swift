// Updates that lie wholly inside the book, or before what is collected for it. Single ones are duplicates. If
// nothing else arrives for too long, the book does not belong to this stream.

/// Consecutive updates behind a book.
///
/// ```
/// state      input                                  next       verdict
/// ended      note                                   running    duplicates
/// running    note: fewer than three, or not long    running    duplicates
///            note: three or more, for too long      running    tooLong
///            takeCheck, the first time              running    yes
///            takeCheck again                        running    no
/// any        noteLaterTime                          –          idsWentBack, until the end
/// any        end                                    ended
/// ```
struct BehindRun {
    /// Meaning of a run of updates behind the book.
    enum Verdict: Hashable {
        /// Duplicates, or updates that were in transit.
        case duplicates
        /// Nothing else has arrived for too long.
        case tooLong(Int64)
    }

    /// Fewer than this are duplicates, however long they last.
    private static let countMin = 3

    private var sinceNs: Int64 = 0
    private var lastNs: Int64 = 0
    private var count = 0
    private var isChecked = false
    /// Whether one of them is later than the book by its time: the venue has restarted its ids.
    private(set) var idsWentBack = false

    /// Whether the last update lay behind the book, recently enough that others may follow: a straggler says
    /// nothing about a stream that has been silent since.
    ///
    /// - Parameter limitNs: how long updates may lie behind the book.
    func isRunning(nowNs: Int64, limitNs: Int64) -> Bool { count > 0 && nowNs &- lastNs <= limitNs }

    /// An update lay behind the book.
    ///
    /// - Parameter limitNs: how long updates may lie behind it.
    mutating func note(nowNs: Int64, limitNs: Int64) -> Verdict {
        if count == 0 { (sinceNs, isChecked) = (nowNs, false) }
        count += 1
        lastNs = nowNs
        let ageNs = nowNs &- sinceNs
        return count < BehindRun.countMin || ageNs <= limitNs ? .duplicates : .tooLong(ageNs)
    }

    /// Whether another snapshot may be requested: once per run.
    mutating func takeCheck() -> Bool {
        if isChecked { return false }
        isChecked = true
        return true
    }

    /// An update led on, or the book is given up.
    @inline(__always)
    mutating func end() { (count, idsWentBack) = (0, false) }

    /// The last update is later than the book by its time.
    mutating func noteLaterTime() { idsWentBack = true }
}
