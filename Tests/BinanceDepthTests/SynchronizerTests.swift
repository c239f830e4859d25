// Every cell of the synchronizer's transition table: state and input against next state and action.

import MarketData
import Testing

@testable import BookSync

struct SynchronizerTests {
    typealias Machine = DepthSynchronizer
    typealias State = DepthSynchronizer.State

    /// States as a test names them: each is reached through the public inputs alone.
    enum Start: CaseIterable {
        case unsubscribed, collectingNothing, collectingChain, joiningSnapshot, joiningKept, live, handedOver,
            offline
    }

    static func ids(_ first: Int64, _ last: Int64, pu: Int64? = nil) -> UpdateRange {
        UpdateRange(first: UpdateID(first), last: UpdateID(last), previousLast: pu.map(UpdateID.init))
    }

    /// The chain 101 … 110, in two updates.
    static let chain = [ids(101, 105), ids(106, 110)]
    static let chainState = State.collecting(Machine.Chain(first: chain[0], last: UpdateID(110)), asked: 1)

    static func machine(_ start: Start) -> Machine {
        var machine = Machine(rule: .spot)
        switch start {
        case .unsubscribed: break
        case .collectingNothing:
            _ = machine.subscribed()
        case .collectingChain:
            _ = machine.subscribed()
            for update in chain { _ = machine.receive(update) }
        case .joiningSnapshot:
            _ = machine.subscribed()
            _ = machine.snapshotArrived(UpdateID(110))
        case .live:
            machine = Self.machine(.joiningSnapshot)
            _ = machine.receive(ids(105, 110 + 10))
        case .joiningKept:
            machine = Self.machine(.live)
            _ = machine.subscribed()
        case .handedOver:
            machine = Self.machine(.live)
            machine.handedOver()
        case .offline:
            machine = Self.machine(.live)
            _ = machine.disconnected()
        }
        return machine
    }

    static func state(_ start: Start) -> State {
        switch start {
        case .unsubscribed: .unsubscribed
        case .collectingNothing: .collecting(nil, asked: 1)
        case .collectingChain: chainState
        case .joiningSnapshot: .joining(at: UpdateID(110), asked: 1)
        case .joiningKept: .joining(at: UpdateID(120), asked: 0)
        case .live: .live(at: UpdateID(120))
        case .handedOver: .handedOver(at: UpdateID(120))
        case .offline: .offline(at: UpdateID(120))
        }
    }

    @Test(arguments: Start.allCases) func startsAreWhatTheyAreCalled(start: Start) {
        let machine = Self.machine(start)
        #expect(machine.state == Self.state(start))
        #expect(machine.isLive == (start == .live || start == .handedOver))
        switch start {
        case .unsubscribed, .collectingNothing, .collectingChain: #expect(machine.lastID == nil)
        case .joiningSnapshot: #expect(machine.lastID == UpdateID(110))
        case .joiningKept, .live, .handedOver, .offline: #expect(machine.lastID == UpdateID(120))
        }
    }

    @Test(arguments: Start.allCases) func subscribed(start: Start) {
        var machine = Self.machine(start)
        let demand = machine.subscribed()
        switch start {
        case .unsubscribed:
            #expect(demand == .requestSnapshot(attempt: 0))
            #expect(machine.state == .collecting(nil, asked: 1))
        case .collectingNothing, .collectingChain:
            #expect(demand == .clearBuffer)
            #expect(machine.state == .collecting(nil, asked: 1))
        case .joiningSnapshot:
            #expect(demand == .nothing)
            #expect(machine.state == Self.state(.joiningSnapshot))
        case .joiningKept, .live, .handedOver, .offline:
            #expect(demand == .nothing)
            #expect(machine.state == .joining(at: UpdateID(120), asked: 0))
        }
    }

    @Test(arguments: Start.allCases) func disconnected(start: Start) {
        var machine = Self.machine(start)
        let demand = machine.disconnected()
        switch start {
        case .unsubscribed:
            #expect(demand == .nothing)
            #expect(machine.state == .unsubscribed)
        case .collectingNothing, .collectingChain:
            #expect(demand == .clearBuffer)
            #expect(machine.state == .unsubscribed)
        case .joiningSnapshot:
            #expect(demand == .nothing)
            #expect(machine.state == .offline(at: UpdateID(110)))
        case .joiningKept, .live, .handedOver, .offline:
            #expect(demand == .nothing)
            #expect(machine.state == .offline(at: UpdateID(120)))
        }
    }

    @Test(arguments: Start.allCases) func handedOver(start: Start) {
        var machine = Self.machine(start)
        machine.handedOver()
        #expect(machine.state == Self.state(start == .live ? .handedOver : start))
    }

    /// The first update of the other subscription may be cut otherwise; those behind it may not.
    @Test func aFuturesUpdateMayOverlapOnceAfterAHandOver() {
        func machine() -> Machine {
            var machine = Machine(rule: .futures)
            _ = machine.subscribed()
            _ = machine.snapshotArrived(UpdateID(110))
            _ = machine.receive(Self.ids(105, 120, pu: 104))
            return machine
        }
        var plain = machine()
        #expect(plain.receive(Self.ids(116, 125, pu: 115)) == .resync(.gap, attempt: 0))
        var other = machine()
        other.handedOver()
        #expect(other.isLive && other.lastID == UpdateID(120))
        #expect(other.receive(Self.ids(116, 125, pu: 115)) == .apply)
        #expect(other.state == .live(at: UpdateID(125)))
        #expect(other.receive(Self.ids(124, 126, pu: 123)) == .resync(.gap, attempt: 0))
    }

    @Test(arguments: Start.allCases) func restart(start: Start) {
        var machine = Self.machine(start)
        let demand = machine.restart()
        switch start {
        case .unsubscribed, .offline:
            #expect(demand == .nothing)
            #expect(machine.state == .unsubscribed)
        case .collectingNothing, .collectingChain:
            #expect(demand == .clearBuffer)
            #expect(machine.state == .collecting(nil, asked: 1))
        case .joiningSnapshot:
            #expect(demand == .requestSnapshot(attempt: 1))
            #expect(machine.state == .collecting(nil, asked: 2))
        case .joiningKept, .live, .handedOver:
            #expect(demand == .requestSnapshot(attempt: 0))
            #expect(machine.state == .collecting(nil, asked: 1))
        }
    }

    @Test(arguments: Start.allCases) func snapshotFailed(start: Start) {
        var machine = Self.machine(start)
        let demand = machine.snapshotFailed()
        switch start {
        case .unsubscribed, .joiningSnapshot, .joiningKept, .live, .handedOver, .offline:
            #expect(demand == .nothing)
            #expect(machine.state == Self.state(start))
        case .collectingNothing:
            #expect(demand == .requestSnapshot(attempt: 1))
            #expect(machine.state == .collecting(nil, asked: 2))
        case .collectingChain:
            #expect(demand == .requestSnapshot(attempt: 1))
            #expect(
                machine.state
                    == .collecting(Machine.Chain(first: Self.chain[0], last: UpdateID(110)), asked: 2))
        }
    }

    /// Snapshot ids around the chain 101 … 110 and what they do to each state.
    @Test(arguments: Start.allCases, [Int64(0), 99, 100, 101, 105, 110, 111, 500])
    func snapshotArrived(start: Start, id: Int64) {
        var machine = Self.machine(start)
        let action = machine.snapshotArrived(UpdateID(id))
        switch start {
        case .unsubscribed, .joiningSnapshot, .joiningKept, .live, .handedOver, .offline:
            #expect(action == .discard)
            #expect(machine.state == Self.state(start))
        case .collectingNothing:
            #expect(action == .replay)
            #expect(machine.state == .joining(at: UpdateID(id), asked: 1))
        case .collectingChain where id < 100:
            #expect(action == .tooOld(attempt: 1))
            #expect(
                machine.state
                    == .collecting(Machine.Chain(first: Self.chain[0], last: UpdateID(110)), asked: 2))
        case .collectingChain:
            #expect(action == .replay)
            #expect(machine.state == .joining(at: UpdateID(id), asked: 1))
        }
    }

    @Test(arguments: Start.allCases) func receiveStale(start: Start) {
        var machine = Self.machine(start)
        let action = machine.receive(Self.ids(90, 95))
        if start == .collectingNothing {
            #expect(action == .buffer)
            #expect(machine.lastID == nil)
        } else {
            #expect(action == .discard)
            #expect(machine.state == Self.state(start))
        }
    }

    @Test(arguments: Start.allCases) func receiveNext(start: Start) {
        var machine = Self.machine(start)
        let update = Self.ids(111, 121)
        let action = machine.receive(update)
        switch start {
        case .unsubscribed, .offline:
            #expect(action == .discard)
            #expect(machine.state == Self.state(start))
        case .collectingNothing:
            #expect(action == .buffer)
            #expect(
                machine.state == .collecting(Machine.Chain(first: update, last: UpdateID(121)), asked: 1))
        case .collectingChain:
            #expect(action == .buffer)
            #expect(
                machine.state
                    == .collecting(Machine.Chain(first: Self.chain[0], last: UpdateID(121)), asked: 1))
        case .joiningSnapshot, .joiningKept, .live, .handedOver:
            #expect(action == .apply)
            #expect(machine.state == .live(at: UpdateID(121)))
        }
    }

    @Test(arguments: Start.allCases) func receiveBeyondAGap(start: Start) {
        var machine = Self.machine(start)
        let update = Self.ids(200, 210)
        let action = machine.receive(update)
        let fresh = Machine.Chain(first: update, last: UpdateID(210))
        switch start {
        case .unsubscribed, .offline:
            #expect(action == .discard)
            #expect(machine.state == Self.state(start))
        case .collectingNothing:
            #expect(action == .buffer)
            #expect(machine.state == .collecting(fresh, asked: 1))
        case .collectingChain:
            #expect(action == .clearAndBuffer)
            #expect(machine.state == .collecting(fresh, asked: 1))
        case .joiningSnapshot:
            #expect(action == .resync(.snapshotTooOld, attempt: 1))
            #expect(machine.state == .collecting(fresh, asked: 2))
        case .joiningKept:
            #expect(action == .resync(.gapWhileOffline, attempt: 0))
            #expect(machine.state == .collecting(fresh, asked: 1))
        case .live, .handedOver:
            #expect(action == .resync(.gap, attempt: 0))
            #expect(machine.state == .collecting(fresh, asked: 1))
        }
    }

    /// The count of fruitless snapshots grows until one of them leads to a live book.
    @Test func attemptsAreCountedUntilLive() {
        var machine = Self.machine(.collectingChain)
        #expect(machine.snapshotArrived(UpdateID(1)) == .tooOld(attempt: 1))
        #expect(machine.snapshotFailed() == .requestSnapshot(attempt: 2))
        #expect(machine.snapshotArrived(UpdateID(2)) == .tooOld(attempt: 3))
        #expect(machine.snapshotArrived(UpdateID(500)) == .replay)
        #expect(machine.receive(Self.ids(502, 503)) == .resync(.snapshotTooOld, attempt: 4))
        #expect(machine.snapshotArrived(UpdateID(502)) == .replay)
        #expect(machine.receive(Self.ids(502, 503)) == .apply)
        #expect(machine.receive(Self.ids(505, 505)) == .resync(.gap, attempt: 0))
    }
}
