// Books built the way an engine builds them: a live book and at most one candidate per symbol, each with a
// synchronizer, snapshots through one planner, in virtual time, from a venue and a network that do
// everything wrong they can.

import BookSync
import FeedPlan
import MarketData

/// One symbol at the venue. Every change sets one of a few levels to its own id.
struct ToySymbol {
    static let levelCount = 6

    let isFutures: Bool
    private(set) var changes: [(id: Int, level: Int)] = []
    private var id = 100
    private var sentID = 100
    private var sentCount = 0

    init(isFutures: Bool) { self.isFutures = isFutures }

    var lastID: Int { id }

    mutating func change(_ random: inout SeededGenerator) {
        id += isFutures ? Int.random(in: 1...9, using: &random) : 1
        changes.append((id, Int.random(in: 0..<Self.levelCount, using: &random)))
    }

    /// Everything since the update before, as one update; nil if nothing changed.
    mutating func update() -> ToyDiff? {
        if sentCount == changes.count { return nil }
        let news = changes[sentCount...]
        var levels = [Int?](repeating: nil, count: Self.levelCount)
        for change in news { levels[change.level] = change.id }
        let ids = UpdateRange(
            first: UpdateID(Int64(news.first!.id)), last: UpdateID(Int64(id)),
            previousLast: isFutures ? UpdateID(Int64(sentID)) : nil)
        (sentID, sentCount) = (id, changes.count)
        return ToyDiff(ids: ids, levels: levels)
    }

    /// The true levels at an id.
    func levels(at id: Int) -> [Int] {
        var levels = [Int](repeating: 0, count: Self.levelCount)
        var open = Self.levelCount
        for change in changes.reversed() where change.id <= id && levels[change.level] == 0 {
            levels[change.level] = change.id
            open -= 1
            if open == 0 { break }
        }
        return levels
    }
}

/// An update with its levels.
struct ToyDiff {
    var ids: UpdateRange
    var levels: [Int?]
}

/// The books of one symbol.
struct ToySlot {
    struct Candidate {
        var machine: DepthSynchronizer
        var purpose: SnapshotPriority
        var levels: [Int] = []
        var buffer: [ToyDiff] = []
    }

    static let bufferMax = 8

    let rule: SequenceRule
    /// The book that is served. Without a machine it is lost; a candidate has taken the machine over.
    var levels: [Int] = []
    var live: DepthSynchronizer?
    var candidate: Candidate?
    /// Snapshots to ask for, taken away by the driver.
    var request: (priority: SnapshotPriority, attempt: Int)?
    var resyncs = 0
    var rejoins = 0
    var overflows = 0
    var audits = 0
    var auditsFailed = 0

    init(rule: SequenceRule) { self.rule = rule }

    var isLive: Bool { live?.isLive ?? false }

    mutating func subscribed() {
        if var machine = live {
            _ = machine.subscribed()
            live = machine
        }
        start(levels.isEmpty ? .initial : .resync)
    }

    mutating func disconnected() {
        _ = live?.disconnected()
        candidate = nil
        request = nil
    }

    /// Builds a candidate beside whatever there is.
    mutating func start(_ purpose: SnapshotPriority) {
        var machine = DepthSynchronizer(rule: rule)
        if case .requestSnapshot(let attempt) = machine.subscribed() { request = (purpose, attempt) }
        candidate = Candidate(machine: machine, purpose: purpose)
    }

    mutating func receive(_ update: ToyDiff) {
        if let wasLive = live?.isLive {
            switch live!.receive(update.ids) {
            case .discard: break
            case .apply:
                apply(update, to: &levels)
                if !wasLive { rejoins += 1 }
            case .resync(_, let attempt):
                resyncs += 1
                request = (.resync, attempt)
                candidate = Candidate(machine: live!, purpose: .resync, buffer: [update])
                live = nil
                return
            case .buffer, .clearAndBuffer: preconditionFailure("a live book buffers nothing")
            }
        }
        if candidate != nil { feed(update) }
        promote()
    }

    mutating func snapshot(_ id: Int, _ snapshot: [Int]) {
        switch candidate?.machine.snapshotArrived(UpdateID(Int64(id))) {
        case nil, .discard: return
        case .tooOld(let attempt): request = (candidate!.purpose, attempt)
        case .replay:
            let buffer = candidate!.buffer
            candidate!.buffer = []
            candidate!.levels = snapshot
            for update in buffer { feed(update) }
            promote()
        }
    }

    private mutating func feed(_ update: ToyDiff) {
        switch candidate!.machine.receive(update.ids) {
        case .discard: break
        case .apply: apply(update, to: &candidate!.levels)
        case .buffer:
            if candidate!.buffer.count < Self.bufferMax { return candidate!.buffer.append(update) }
            overflows += 1
            _ = candidate!.machine.restart()
            candidate!.buffer = []
        case .clearAndBuffer: candidate!.buffer = [update]
        case .resync(_, let attempt):
            candidate!.buffer = [update]
            request = (candidate!.purpose, attempt)
        }
    }

    private mutating func promote() {
        guard let ready = candidate, ready.machine.isLive else { return }
        if isLive {
            if live!.lastID != ready.machine.lastID { return }
            audits += 1
            if levels != ready.levels { auditsFailed += 1 }
        }
        (live, levels, candidate) = (ready.machine, ready.levels, nil)
    }

    private func apply(_ update: ToyDiff, to levels: inout [Int]) {
        for (index, value) in update.levels.enumerated() { if let value { levels[index] = value } }
    }
}
