// A truth small enough to enumerate, a book that shows every mistake, and an owner that does what the
// machine says.
//
// Every change has a level of its own and also sets one level that all changes share. So a book that misses
// a change, has one too many, or applied an older event over a newer state differs from the truth at the id
// it claims. Id sets are bit masks: bit `i` is update id `i`.

import BookSync
import MarketData

/// A book as the set of changes in it and the value of the shared level.
struct ToyBook: Equatable {
    var changes: UInt32 = 0
    var shared = 0

    mutating func apply(_ event: ToyEvent) {
        changes |= event.changes
        shared = event.last
    }
}

/// An event: consecutive changes of the truth.
struct ToyEvent: Equatable {
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

    /// Cuts the changes into events: bit `k` of `cuts` ends an event behind the `k`-th change.
    func events(cuts: UInt32) -> [ToyEvent] {
        var events: [ToyEvent] = []
        var (open, first, previous, place) = (UInt32(0), 0, 0, 0)
        for id in 1..<32 where changes & (1 << UInt32(id)) != 0 {
            if open == 0 { first = id }
            open |= 1 << UInt32(id)
            if cuts & (1 << UInt32(place)) != 0 || changes >> UInt32(id + 1) == 0 {
                let ids = UpdateRange(
                    first: UpdateID(Int64(first)), last: UpdateID(Int64(id)),
                    previousLast: isFutures ? UpdateID(Int64(previous)) : nil)
                events.append(ToyEvent(changes: open, last: id, ids: ids))
                (open, previous) = (0, id)
            }
            place += 1
        }
        return events
    }

    /// Every truth over the ids `1 ... idMax`.
    static func all(idMax: Int, isFutures: Bool) -> [ToyTruth] {
        if !isFutures { return [ToyTruth(changes: upTo(idMax), isFutures: false)] }
        return (1..<(UInt32(1) << UInt32(idMax))).map { ToyTruth(changes: $0 << 1, isFutures: true) }
    }

    /// Every way to cut this truth into events.
    var cuttings: Range<UInt32> { 0..<(1 << UInt32(changes.nonzeroBitCount - 1)) }
}

/// What was found wrong with a run. The last two are completeness: nothing was lost, and yet trust was.
enum Violation: Hashable {
    /// The book claims to be exact at an id, and is not.
    case wrongBook
    /// The book is live at an id, and an event beyond it was received.
    case liveBehind
    /// A replay met a gap.
    case gapInReplay
    /// A snapshot was taken that the events held cannot continue.
    case uselessSnapshotTaken
    /// A snapshot was refused that the events held can continue.
    case goodSnapshotRefused
    /// A book was given up though the event continues it.
    case needlessResync
}

/// The owner of a synchronizer, with a book and a buffer, checked against the truth after every input.
struct ToyOwner {
    let truth: ToyTruth
    var machine: DepthSynchronizer
    var book = ToyBook()
    var buffer: [ToyEvent] = []
    var isSnapshotWanted = false
    var violation: Violation?

    private var received: UInt32 = 0
    private var receivedLast = 0
    private var isReordered = false

    init(truth: ToyTruth, rule: SequenceRule) {
        self.truth = truth
        machine = DepthSynchronizer(rule: rule)
        obey(machine.subscribed())
    }

    mutating func receive(_ event: ToyEvent) {
        if event.last < receivedLast && event.changes & ~received != 0 { isReordered = true }
        received |= event.changes
        receivedLast = max(receivedLast, event.last)
        perform(event, isReplay: false)
        check()
    }

    mutating func snapshotArrived(_ id: Int) {
        let wanted: Bool
        switch machine.state {
        case .collecting: wanted = true
        case .unsubscribed, .joining, .live, .handedOver, .severed: wanted = false
        }
        let needed = truth.changes & ToyTruth.upTo(receivedLast) & ~ToyTruth.upTo(id)
        let isGood = needed & ~received == 0
        switch machine.snapshotArrived(UpdateID(Int64(id))) {
        case .discard:
            if wanted { note(.goodSnapshotRefused) }
        case .tooOld:
            isSnapshotWanted = true
            // Events that came in the wrong order may be held and yet be of no use to a chain.
            if isGood && !isReordered { note(.goodSnapshotRefused) }
        case .replay:
            isSnapshotWanted = false
            if !isGood { note(.uselessSnapshotTaken) }
            book = truth.book(at: id)
            let replayed = buffer
            buffer.removeAll(keepingCapacity: true)
            for event in replayed { perform(event, isReplay: true) }
        }
        check()
    }

    /// How events of another subscription come to follow.
    enum Move: CaseIterable { case subscribed, disconnectedAndSubscribed, handedOver }

    /// Events of another subscription follow.
    mutating func moveOver(_ move: Move) {
        switch move {
        case .subscribed: obey(machine.subscribed())
        case .disconnectedAndSubscribed:
            obey(machine.disconnected())
            obey(machine.subscribed())
        case .handedOver: machine.handedOver()
        }
        check()
    }

    private mutating func perform(_ event: ToyEvent, isReplay: Bool) {
        let before = machine.lastID.map { Int($0.value) }
        switch machine.receive(event.ids) {
        case .discard: break
        case .apply: book.apply(event)
        case .buffer: buffer.append(event)
        case .bufferAnew: buffer = [event]
        case .resync:
            buffer = [event]
            isSnapshotWanted = true
            if isReplay { note(.gapInReplay) }
            if let before,
                truth.changes & ToyTruth.upTo(event.last) & ~ToyTruth.upTo(before) & ~event.changes == 0
            {
                note(.needlessResync)
            }
        }
    }

    private mutating func obey(_ demand: DepthSynchronizer.Demand) {
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
