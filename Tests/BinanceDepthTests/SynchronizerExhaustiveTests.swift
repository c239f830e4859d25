// All small cases: every truth, every cutting into updates, every snapshot id at every moment, every pattern
// of up to two lost, duplicated or swapped updates. The rule must accept exactly what the truth allows, and
// wrong rules must fail.
//
// Sizes are for a debug build in about a second each; an optimised build goes to eight ids.

import BookSync
import MarketData
import Testing

/// What happens to a stream on its way.
enum Fault {
    case lose(Int)
    case duplicate(Int, delay: Int)
    case swap(Int)

    static func all(count: Int) -> [Fault] {
        (0..<count).flatMap { i -> [Fault] in
            [.lose(i), .duplicate(i, delay: 0), .duplicate(i, delay: 2)] + (i + 1 < count ? [.swap(i)] : [])
        }
    }

    func apply(to updates: [ToyUpdate]) -> [ToyUpdate] {
        var updates = updates
        switch self {
        case .lose(let i): updates.remove(at: i)
        case .duplicate(let i, let delay): updates.insert(updates[i], at: min(i + 1 + delay, updates.count))
        case .swap(let i): updates.swapAt(i, i + 1)
        }
        return updates
    }
}

struct Exhaustive {
    #if DEBUG
        static let spotIDMax = 6
        static let futuresIDMax = 5
    #else
        static let spotIDMax = 8
        static let futuresIDMax = 8
    #endif

    var runs = 0
    var violations: [Violation: Int] = [:]

    /// A stream with up to `faultMax` faults.
    static func deliveries(of updates: [ToyUpdate], faultMax: Int) -> [[ToyUpdate]] {
        var layer = [updates]
        var all = layer
        for _ in 0..<faultMax {
            layer = layer.flatMap { stream in Fault.all(count: stream.count).map { $0.apply(to: stream) } }
            all += layer
        }
        return all
    }

    /// One run: the snapshot comes behind `when` updates; a further one that is wanted comes at the end.
    mutating func run(
        _ truth: ToyTruth, _ rule: SequenceRule, _ updates: [ToyUpdate], snapshot: Int, when: Int, idMax: Int
    ) {
        var owner = ToyOwner(truth: truth, rule: rule)
        for (index, update) in updates.enumerated() {
            if index == when { owner.snapshotArrived(snapshot) }
            owner.receive(update)
        }
        if when == updates.count { owner.snapshotArrived(snapshot) }
        if owner.isSnapshotWanted { owner.snapshotArrived(idMax) }
        runs += 1
        if let violation = owner.violation { violations[violation, default: 0] += 1 }
    }

    /// All runs over ids `1 ... idMax`.
    mutating func runAll(_ rule: SequenceRule, isFutures: Bool, idMax: Int, faultMax: Int) {
        for truth in ToyTruth.all(idMax: idMax, isFutures: isFutures) {
            for cuts in truth.cuttings {
                for updates in Self.deliveries(of: truth.updates(cuts: cuts), faultMax: faultMax) {
                    for snapshot in 0...idMax {
                        for when in 0...updates.count {
                            run(truth, rule, updates, snapshot: snapshot, when: when, idMax: idMax)
                        }
                    }
                }
            }
        }
    }

    /// A live book changes to another stream of the same truth, cut otherwise, at every pair of places.
    mutating func handOverAll(_ rule: SequenceRule, isFutures: Bool, idMax: Int) {
        for truth in ToyTruth.all(idMax: idMax, isFutures: isFutures) {
            let streams = truth.cuttings.map { truth.updates(cuts: $0) }
            for old in streams {
                for new in streams {
                    for taken in 0...old.count {
                        for from in 0..<new.count {
                            var owner = ToyOwner(truth: truth, rule: rule)
                            owner.snapshotArrived(0)
                            for update in old[..<taken] { owner.receive(update) }
                            owner.moveOver(ToyOwner.Move.allCases[(taken + from) % 3])
                            for update in new[from...] { owner.receive(update) }
                            runs += 1
                            if let violation = owner.violation { violations[violation, default: 0] += 1 }
                        }
                    }
                }
            }
        }
    }
}

struct SynchronizerExhaustiveTests {
    @Test func spotAcceptsExactlyWhatIsExact() {
        var all = Exhaustive()
        all.runAll(.spot, isFutures: false, idMax: Exhaustive.spotIDMax, faultMax: 2)
        print("spot: \(all.runs) runs over ids 1...\(Exhaustive.spotIDMax)")
        #expect(all.violations.isEmpty)
    }

    @Test func futuresAcceptExactlyWhatIsExact() {
        var all = Exhaustive()
        all.runAll(.futures, isFutures: true, idMax: Exhaustive.futuresIDMax, faultMax: 2)
        print("futures: \(all.runs) runs over ids 1...\(Exhaustive.futuresIDMax) with holes")
        #expect(all.violations.isEmpty)
    }

    /// Neither loses a change nor asks for a snapshot that is not needed when a book changes to another
    /// stream.
    @Test(arguments: [false, true]) func handOverIsExactAndNeedsNoSnapshot(isFutures: Bool) {
        var all = Exhaustive()
        let rule = isFutures ? SequenceRule.futures : .spot
        all.handOverAll(rule, isFutures: isFutures, idMax: isFutures ? 5 : 6)
        print("hand-over, \(isFutures ? "futures" : "spot"): \(all.runs) runs")
        #expect(all.violations.isEmpty)
    }

    /// A wrong rule, the market it is wrong for, and what must be found.
    struct Broken: Sendable, CustomTestStringConvertible {
        var name: String
        var isFutures = false
        var rule: SequenceRule
        var found: Violation

        var testDescription: String { name }
    }

    static let broken = [
        Broken(
            name: "spot: the literal first update rule U <= lastUpdateId",
            rule: SequenceRule(
                join: { update, book in
                    update.last <= book ? .stale : update.first > book ? .gap : .connects
                }, follow: SequenceRule.spot.follow), found: .goodSnapshotRefused),
        Broken(
            name: "spot: restart if U > L, as documented for eleven months",
            rule: SequenceRule(
                join: SequenceRule.spot.join,
                follow: { update, book in
                    update.last <= book ? .stale : update.first > book ? .gap : .connects
                }), found: .needlessResync),
        Broken(
            name: "spot: off by one, a hole of one id passes",
            rule: SequenceRule(
                join: { update, book in
                    update.last <= book ? .stale : update.first.value > book.value + 2 ? .gap : .connects
                }, follow: SequenceRule.spot.follow), found: .wrongBook),
        Broken(
            name: "spot: gap ignored",
            rule: SequenceRule(
                join: SequenceRule.spot.join,
                follow: { update, book in update.last <= book ? .stale : .connects }),
            found: .wrongBook),
        Broken(
            name: "spot: stale updates applied",
            rule: SequenceRule(
                join: { update, book in update.first.value > book.value + 1 ? .gap : .connects },
                follow: SequenceRule.spot.follow), found: .wrongBook),
        Broken(
            name: "futures: judged as spot, U == u + 1", isFutures: true,
            rule: SequenceRule(join: SequenceRule.futures.join, follow: SequenceRule.spot.follow),
            found: .needlessResync),
        Broken(
            name: "futures: first update by range only, U <= lastUpdateId <= u", isFutures: true,
            rule: SequenceRule(
                join: { update, book in update.last < book ? .stale : update.first > book ? .gap : .connects
                },
                follow: SequenceRule.futures.follow), found: .goodSnapshotRefused),
        Broken(
            name: "futures: off by one, pu < lastUpdateId", isFutures: true,
            rule: SequenceRule(
                join: { update, book in
                    update.last < book ? .stale : update.previousLast! < book ? .connects : .gap
                },
                follow: SequenceRule.futures.follow), found: .goodSnapshotRefused),
        Broken(
            name: "futures: off by one, pu <= lastUpdateId + 1", isFutures: true,
            rule: SequenceRule(
                join: { update, book in
                    update.last < book
                        ? .stale : update.previousLast!.value > book.value + 1 ? .gap : .connects
                }, follow: SequenceRule.futures.follow), found: .wrongBook),
        Broken(
            name: "futures: gap ignored", isFutures: true,
            rule: SequenceRule(
                join: SequenceRule.futures.join,
                follow: { update, book in update.last <= book ? .stale : .connects }), found: .wrongBook),
        Broken(
            name: "futures: a duplicate is a gap", isFutures: true,
            rule: SequenceRule(
                join: SequenceRule.futures.join,
                follow: { update, book in update.previousLast == book ? .connects : .gap }),
            found: .needlessResync),
    ]

    @Test(arguments: broken) func brokenRulesAreCaught(broken: Broken) {
        var all = Exhaustive()
        all.runAll(broken.rule, isFutures: broken.isFutures, idMax: 4, faultMax: 1)
        #expect((all.violations[broken.found] ?? 0) > 0, "\(broken.name): found only \(all.violations)")
    }
}
