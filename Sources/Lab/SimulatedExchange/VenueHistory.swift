// A symbol's book at any update id of the recent past.
//
// The changes of every update are kept with the ids and times of their steps, together with the book that
// they start from. A reader of the history is a cursor: a book of its own that moves forward through the
// changes, so that following the stream costs one step per change. Going back, or falling behind what is
// kept, starts again from the oldest book.
//
// Invariants
// * `base` is the state before the first step kept; steps ascend in id and in time.
// * The step that is current at `now - keptUs` is kept, unless more than `changeCountMax` changes would be.
//
// Worst case: starting again copies a book and replays everything kept.

import MarketData

/// A book of the past that moves forward.
struct HistoryCursor: Sendable {
    fileprivate(set) var book: TrueBook
    /// Absolute index of the next step to apply.
    fileprivate var nextStep: Int
}

/// The recent past of one symbol.
struct VenueHistory: Sendable {
    private struct Step {
        var id: UpdateID
        var timeUs: Int64
        /// Number of changes up to and including this step, counted from the beginning.
        var changeEnd: Int
        /// Whether it is the last of its update.
        var endsUpdate: Bool
    }

    private var base: TrueBook
    private var steps: [Step] = []
    private var changes: [FlowChange] = []
    /// Absolute indices of `steps[0]` and `changes[0]`.
    private var stepStart = 0
    private var changeStart = 0
    private let keptUs: Int64
    private let changeCountMax: Int

    init(_ book: TrueBook, keptUs: Int64, changeCountMax: Int) {
        base = book
        self.keptUs = keptUs
        self.changeCountMax = changeCountMax
    }

    /// The oldest id with a known state.
    var oldestID: UpdateID { base.id }
    /// The latest id with a known state.
    var latestID: UpdateID { steps.last?.id ?? base.id }

    /// A cursor at the oldest state.
    var start: HistoryCursor { HistoryCursor(book: base, nextStep: stepStart) }

    /// Adds an update.
    mutating func record(_ update: borrowing FlowUpdate) {
        let before = changeStart + changes.count
        changes.append(contentsOf: update.changes)
        for step in update.steps {
            steps.append(
                Step(
                    id: step.id, timeUs: step.timeUs, changeEnd: before + step.changeCount,
                    endsUpdate: step.id == update.last))
        }
        if steps.count >= 64 && isLong(nowUs: update.timeUs) { forget(nowUs: update.timeUs) }
    }

    /// Whether at least half of what is kept is too old, or too much is kept.
    private func isLong(nowUs: Int64) -> Bool {
        steps[steps.count / 2].timeUs < nowUs - keptUs || changes.count > changeCountMax
    }

    private mutating func forget(nowUs: Int64) {
        let excess = changes.count - changeCountMax / 2
        var count = 0
        var applied = 0
        while count < steps.count - 1 {
            let isOld = steps[count + 1].timeUs < nowUs - keptUs
            let isTooMuch = changes.count > changeCountMax && applied < excess
            if !isOld && !isTooMuch { break }
            let end = steps[count].changeEnd - changeStart
            while applied < end {
                base.set(changes[applied].side, changes[applied].level)
                applied += 1
            }
            base.id = steps[count].id
            count += 1
        }
        changes.removeFirst(applied)
        steps.removeFirst(count)
        changeStart += applied
        stepStart += count
    }

    /// Moves a cursor to the state at an id; false if that state is no longer known or not yet reached.
    func move(_ cursor: inout HistoryCursor, to id: UpdateID) -> Bool {
        if id < base.id || id > latestID { return false }
        if cursor.nextStep < stepStart || cursor.book.id > id { cursor = start }
        while cursor.nextStep - stepStart < steps.count, steps[cursor.nextStep - stepStart].id <= id {
            apply(&cursor)
        }
        return true
    }

    /// Time of the first step after an id, if the update shown last reaches it; nil also for an id that is no
    /// longer known. O(log steps).
    func changedUs(after id: UpdateID, upTo shownID: UpdateID) -> Int64? {
        if id < base.id || id >= shownID { return nil }
        var low = 0
        var count = steps.count
        while count > 0 {
            let half = count / 2
            if steps[low + half].id <= id {
                low += half + 1
                count -= half + 1
            } else {
                count = half
            }
        }
        return low < steps.count && steps[low].id <= shownID ? steps[low].timeUs : nil
    }

    /// Moves a cursor forward to the state at a time; it does not move if it is already past that.
    ///
    /// - Parameter isWhole: move not to that state but to the end of the last update that was complete by
    ///   then.
    func move(_ cursor: inout HistoryCursor, toUs timeUs: Int64, isWhole: Bool = false) {
        if cursor.nextStep < stepStart { cursor = start }
        var end = cursor.nextStep - stepStart
        while end < steps.count, steps[end].timeUs <= timeUs { end += 1 }
        while isWhole && end > cursor.nextStep - stepStart && !steps[end - 1].endsUpdate { end -= 1 }
        while cursor.nextStep - stepStart < end { apply(&cursor) }
    }

    private func apply(_ cursor: inout HistoryCursor) {
        let index = cursor.nextStep - stepStart
        let start = index == 0 ? changeStart : steps[index - 1].changeEnd
        for change in changes[(start - changeStart)..<(steps[index].changeEnd - changeStart)] {
            cursor.book.set(change.side, change.level)
        }
        cursor.book.id = steps[index].id
        cursor.nextStep += 1
    }
}
