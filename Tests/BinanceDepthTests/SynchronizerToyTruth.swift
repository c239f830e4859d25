// A truth small enough to enumerate, a book that shows every mistake, and an owner that does what the
// machine says.
//
// Every change has a level of its own and also sets one level that all changes share. So a book that misses
// a change, has one too many, or applied an older update over a newer state differs from the truth at the id
// it claims. Id sets are bit masks: bit `i` is update id `i`.

import BookSync
import MarketData

/// A book as the set of changes in it and the value of the shared level.
struct ToyBook: Equatable {
    var changes: UInt32 = 0
    var shared = 0

    mutating func apply(_ update: ToyUpdate) {
        changes |= update.changes
        shared = update.last
    }
}

/// An update: consecutive changes of the truth.
struct ToyUpdate: Equatable {
    var changes: UInt32
    var last: Int
    var ids: UpdateRange
}

/// All changes of one symbol. On spot every id is a change; on futures some ids belong to other symbols.
struct ToyTruth {
    var changes: UInt32
    var isFutures: Bool

    /// Bits of the ids `1 ... id`.
    static func upTo(_ id: Int) -> UInt32 { (2 << UInt32(id)) - 2 }

    func book(at id: Int) -> ToyBook {
        let known = changes & Self.upTo(id)
        return ToyBook(changes: known, shared: known == 0 ? 0 : 31 - known.leadingZeroBitCount)
    }

    /// Cuts the changes into updates: bit `k` of `cuts` ends an update behind the `k`-th change.
    func updates(cuts: UInt32) -> [ToyUpdate] {
        var updates: [ToyUpdate] = []
        var (open, first, previous, place) = (UInt32(0), 0, 0, 0)
        for id in 1..<32 where changes & (1 << UInt32(id)) != 0 {
            if open == 0 { first = id }
            open |= 1 << UInt32(id)
            if cuts & (1 << UInt32(place)) != 0 || changes >> UInt32(id + 1) == 0 {
                let ids = UpdateRange(
                    first: UpdateID(Int64(first)), last: UpdateID(Int64(id)),
                    previousLast: isFutures ? UpdateID(Int64(previous)) : nil)
                updates.append(ToyUpdate(changes: open, last: id, ids: ids))
                (open, previous) = (0, id)
            }
            place += 1
        }
        return updates
    }

    /// Every truth over the ids `1 ... idMax`.
    static func all(idMax: Int, isFutures: Bool) -> [ToyTruth] {
        if !isFutures { return [ToyTruth(changes: upTo(idMax), isFutures: false)] }
        return (1..<(UInt32(1) << UInt32(idMax))).map { ToyTruth(changes: $0 << 1, isFutures: true) }
    }

    /// Every way to cut this truth into updates.
    var cuttings: Range<UInt32> { 0..<(1 << UInt32(changes.nonzeroBitCount - 1)) }
}

/// What was found wrong with a run. The last two are completeness: nothing was lost, and yet trust was.
enum Violation: Hashable {
    /// The book claims to be exact at an id, and is not.
    case wrongBook
    /// The book is live at an id, and an update beyond it was received.
    case liveBehind
    /// A replay met a gap.
    case gapInReplay
    /// A snapshot was taken that the updates held cannot continue.
    case uselessSnapshotTaken
    /// A snapshot was refused that the updates held can continue.
    case goodSnapshotRefused
    /// A book was given up though the update continues it.
    case needlessResync
}

/// The owner of a synchronizer, with a book and a buffer, checked against the truth after every input.
struct ToyOwner {
    let truth: ToyTruth
    var machine: DepthSynchronizer
    var book = ToyBook()
    var buffer: [ToyUpdate] = []
    var isSnapshotWanted = false
    var violation: Violation?

    private var received: UInt32 = 0
    private var receivedLast = 0
    private var isReordered = false

    init(truth: ToyTruth, rule: SequenceRule) {
        self.truth = truth
        machine = DepthSynchronizer(rule: rule)
        carryOut(machine.subscribed())
    }

    mutating func receive(_ update: ToyUpdate) {
        if update.last < receivedLast && update.changes & ~received != 0 { isReordered = true }
        received |= update.changes
        receivedLast = max(receivedLast, update.last)
        perform(update, isReplay: false)
        check()
    }

    mutating func snapshotArrived(_ id: Int) {
        let wanted: Bool
        switch machine.state {
        case .collecting: wanted = true
        case .unsubscribed, .joining, .live, .handedOver, .offline: wanted = false
        }
        let needed = truth.changes & ToyTruth.upTo(receivedLast) & ~ToyTruth.upTo(id)
        let isGood = needed & ~received == 0
        switch machine.snapshotArrived(UpdateID(Int64(id))) {
        case .discard:
            if wanted { note(.goodSnapshotRefused) }
        case .tooOld:
            isSnapshotWanted = true
            // Updates that came in the wrong order may be held and yet be of no use to a chain.
            if isGood && !isReordered { note(.goodSnapshotRefused) }
        case .replay:
            isSnapshotWanted = false
            if !isGood { note(.uselessSnapshotTaken) }
            book = truth.book(at: id)
            let replayed = buffer
            buffer.removeAll(keepingCapacity: true)
            for update in replayed { perform(update, isReplay: true) }
        }
        check()
    }

    /// How updates of another subscription come to follow.
    enum Move: CaseIterable { case subscribed, disconnectedAndSubscribed, handedOver }

    /// Updates of another subscription follow.
    mutating func moveOver(_ move: Move) {
        switch move {
        case .subscribed: carryOut(machine.subscribed())
        case .disconnectedAndSubscribed:
            carryOut(machine.disconnected())
            carryOut(machine.subscribed())
        case .handedOver: machine.handedOver()
        }
        check()
    }

    private mutating func perform(_ update: ToyUpdate, isReplay: Bool) {
        let before = machine.lastID.map { Int($0.value) }
        switch machine.receive(update.ids) {
        case .discard: break
        case .apply: book.apply(update)
        case .buffer: buffer.append(update)
        case .clearAndBuffer: buffer = [update]
        case .resync:
            buffer = [update]
            isSnapshotWanted = true
            if isReplay { note(.gapInReplay) }
            if let before,
                truth.changes & ToyTruth.upTo(update.last) & ~ToyTruth.upTo(before) & ~update.changes == 0
            {
                note(.needlessResync)
            }
        }
    }

    private mutating func carryOut(_ demand: DepthSynchronizer.Demand) {
        switch demand {
        case .nothing: break
        case .clearBuffer: buffer.removeAll()
        case .requestSnapshot: isSnapshotWanted = true
        }
    }

    private mutating func check() {
        if let id = machine.lastID, book != truth.book(at: Int(id.value)) { note(.wrongBook) }
        if machine.isLive, let id = machine.lastID, id.value < receivedLast { note(.liveBehind) }
    }

    private mutating func note(_ found: Violation) { if violation == nil { violation = found } }
}
