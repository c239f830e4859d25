// One doubt, from its beginning to its end: a book that is not believed waits for a snapshot, or for an
// update that shows that nothing was missed.
//
// What counts is whether the first snapshot that arrives settles it, within two updates that reach it: more
// would mean that good snapshots are thrown away. On a quiet symbol no update comes that could settle it, and
// a second snapshot at the same id does: that counts as well, and is shown apart. Not counted, and why:
//
// * a doubt that ends without a snapshot, by an update or because other books have proven themselves;
// * one that is only lateness (`lagging`, `silent`): it is not about levels;
// * a snapshot that was requested before the doubt began and is too old for it, and one that was lost on the
//   way: neither has arrived for this doubt;
// * a doubt in which something more is lost behind its first snapshot, a message or the connection: that is
//   another doubt, and counted as one, but only if the first had not failed yet;
// * a doubt whose stream is subscribed again: it waits for the venue. When the new subscription is accepted
//   another doubt begins, which is counted.
//
// An update that ends before the snapshot says nothing about it, and is no update of those two.

/// How a doubt ended.
package enum DoubtEnding: String, CaseIterable, Sendable {
    /// By its first snapshot, within two updates that reach it.
    case first
    /// By the second snapshot at the very id of the first one: no update came.
    case confirmed
    /// By its first snapshot behind one that was older than the first update of the doubt.
    case older
    /// By another snapshot than the first.
    case another
    /// By its first snapshot, but behind more updates.
    case late
    /// Something more was lost.
    case interrupted
    /// By a new subscription, or that began another doubt.
    case resubscribed
    /// Without a snapshot.
    case free

    /// Whether it took a snapshot that had the time to settle it.
    package var isCounted: Bool { ![.interrupted, .resubscribed, .free].contains(self) }

    /// Whether it was settled as promised.
    package var isPrompt: Bool { self == .first || self == .confirmed }
}

/// How many doubts ended how.
package struct DoubtCounts: Hashable, Sendable {
    private var counts: [DoubtEnding: Int] = [:]

    /// None.
    package init() {}

    /// Doubts that ended so.
    package internal(set) subscript(ending: DoubtEnding) -> Int {
        get { counts[ending, default: 0] }
        set { counts[ending] = newValue }
    }

    /// Those that took a snapshot that had the time to settle them.
    package var counted: Int { DoubtEnding.allCases.reduce(0) { $0 + ($1.isCounted ? self[$1] : 0) } }

    /// The share of these that were settled as promised, in per cent; 100 if there are none.
    package var promptPercent: Double {
        let prompt = DoubtEnding.allCases.reduce(0) { $0 + ($1.isPrompt ? self[$1] : 0) }
        return counted == 0 ? 100 : 100 * Double(prompt) / Double(counted)
    }

    /// Adds those of another run.
    package mutating func add(_ other: DoubtCounts) {
        counts.merge(other.counts, uniquingKeysWith: +)
    }
}

/// A book that is not believed.
///
/// ```
/// input        effect
/// requested    a snapshot that arrives from now on is for this doubt
/// snapshot     the first update does not follow it: too old. Else the first, or one more
/// update       one more that reaches the first snapshot; if it does not follow the one before: as lost
/// lost         behind a snapshot: ended, and another one begins. Else nothing is known of the stream
/// resubscribe  it waits for the new subscription, unless it has failed before
/// accepted     as lost: the new subscription is in force
/// ```
struct Doubt {
    /// What happens to a doubt.
    enum Input: Hashable {
        /// A request was announced.
        case requested
        /// A snapshot with this id arrived.
        case snapshot(Int64)
        /// An update of its source arrived: the id that it follows, and its last.
        case update(after: Int64, last: Int64)
        /// A message of the symbol was lost, or its connection.
        case lost
        /// A new subscription was requested, and was accepted.
        case resubscribe, accepted
    }

    private static let updateCountMax = 2

    private var isRequested = false
    /// Whether that was before the doubt began.
    private var isCarriedOver = false
    private var isResubscribed = false
    /// The id that the first update follows.
    private var beginsAfter: Int64?
    private var lastID: Int64?
    private var olderCount = 0
    /// The first snapshot that was not too old.
    private var snapshotID: Int64?
    private var snapshotCount = 0
    /// Whether the last of them may have been requested before the doubt began.
    private var isOfCarried = false
    /// Whether all of them had that id.
    private var isOneID = true
    /// Updates that reach it.
    private var updateCount = 0
    /// The same when the latest snapshot came.
    private var updatesBefore = 0

    /// Takes an input.
    ///
    /// - Returns: how it has ended, if it has; then another one has begun.
    mutating func take(_ input: Input) -> DoubtEnding? {
        switch input {
        case .requested: (isRequested, isCarriedOver) = (true, false)
        case .snapshot(let id): take(snapshot: id)
        case .update(let after, let last):
            if let lastID, last <= lastID { return nil }
            let ending = lastID.map { after > $0 } == true ? take(.lost) : nil
            lastID = last
            if beginsAfter == nil { begin(after: after) }
            if let snapshotID, last >= snapshotID { updateCount += 1 }
            return ending
        case .resubscribe: if !hasFailed { isResubscribed = true }
        case .lost, .accepted:
            let former = self
            self = Doubt()
            (isRequested, isCarriedOver) = (former.isRequested, former.isRequested)
            if former.isResubscribed || former.hasFailed { return former.ending }
            return former.snapshotCount > 0 ? .interrupted : nil
        }
        return nil
    }

    private mutating func take(snapshot id: Int64) {
        if !isRequested { return }
        if let beginsAfter, id < beginsAfter {
            if !isCarriedOver { olderCount += 1 }
            return
        }
        if snapshotID == nil { snapshotID = id }
        if id != snapshotID { isOneID = false }
        snapshotCount += 1
        isOfCarried = isCarriedOver
        updatesBefore = updateCount
    }

    /// The first update follows this id: a snapshot from before that was too old.
    private mutating func begin(after id: Int64) {
        beginsAfter = id
        guard let snapshotID, snapshotID < id else { return }
        olderCount += isOfCarried ? 0 : snapshotCount
        (self.snapshotID, snapshotCount, isOneID) = (nil, 0, true)
    }

    private var hasFailed: Bool { ending.isCounted && !ending.isPrompt }

    /// How it ends if the book is believed now.
    var ending: DoubtEnding {
        if isResubscribed { return .resubscribed }
        if snapshotCount == 0 { return .free }
        if snapshotCount == 2 && isOneID && updatesBefore == 0 { return .confirmed }
        if snapshotCount > 1 { return .another }
        if updateCount > Doubt.updateCountMax { return .late }
        return olderCount > 0 ? .older : .first
    }
}
