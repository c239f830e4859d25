// A replica in a run, and what must hold for it: at an id at which both books are live they have the same
// digest as far as both are proven, and a live replica is the true book at its id.
//
// A false snapshot may put a wrong level into the primary's book and so into a copy of it. Such a replica is
// compared with the primary only, and not while the primary has discarded its book and the replica has not
// been told: that takes a tick and the time of an answer.

import BookEngine
import DepthBook
import LobHandoff
import MarketData
import SimulatedExchange

extension Pipeline {
    /// One step of the replica: its tap, its requests, its frames.
    func turnReplica() {
        guard let run = replica else { return }
        if run.begins(nowUs: venue.nowUs) { feed.add(run.tap) }
        if let asked = run.question, asked.dueUs <= venue.nowUs {
            run.question = nil
            let answers = run.answers
            if !work.post({ _ = answers.post($0.answer(asked.question)) }) { run.replica.receive(nil) }
        }
        for answer in run.answers.take() {
            run.answer = (venue.nowUs + run.random.within(0...50_000), answer)
        }
        if let answered = run.answer, answered.dueUs <= venue.nowUs {
            run.answer = nil
            // Now and then nobody answers.
            run.replica.receive(run.random.below(20) == 0 ? nil : answered.answer)
        }
        if run.reads(nowUs: venue.nowUs, mayRest: venue.faults != .none) {
            run.consumer.poll { frame in
                run.replica.step(frame)
                if frame.kind != .message || outcome.violation == nil { checkReplica(run) }
            }
        }
        if let question = run.replica.takeQuestion() {
            run.question = (venue.nowUs + run.random.within(0...50_000), question)
        }
        checkReplica(run)
    }

    private func checkReplica(_ run: ReplicaRun) {
        for index in symbols.indices {
            guard let own = run.replica.engine.mark(of: symbols[index]), own.state == .live,
                let primary = engine.mark(of: symbols[index])
            else { continue }
            if run.followed[index] != own {
                run.followed[index] = own
                outcome.replicaComparisons += 1
                compareWithTruth(run, index, own)
            }
            if primary.state != .live || primary.lastUpdateID != own.lastUpdateID { continue }
            let marks = [own, primary]
            if run.compared[index] == marks { continue }
            run.compared[index] = marks
            outcome.digestsCompared += 1
            compareDigests(run, index, own.lastUpdateID)
        }
    }

    /// Whether the replica cannot contain anything false.
    private func isTruthful(_ index: Int) -> Bool {
        let watch = checker.symbols[index]
        return watch.poisonedUs == nil && venue.nowUs >= watch.excusedUntilUs
    }

    private func compareWithTruth(_ run: ReplicaRun, _ index: Int, _ mark: BookMark) {
        if !isTruthful(index) { return }
        let symbol = symbols[index]
        let found = venue.withTruth(of: symbol, at: mark.lastUpdateID) { truth in
            run.replica.engine.withBook(symbol) { levelDifference($0, truth) } ?? nil
        }
        if let found = found ?? nil {
            violated(.replica, symbol, "the replica is live at \(mark.lastUpdateID): \(found)")
        }
    }

    private func compareDigests(_ run: ReplicaRun, _ index: Int, _ id: UpdateID) {
        let symbol = symbols[index]
        let isUntold = engine.lossNumber(of: symbol) > run.replica.knownLossCount
        if !isTruthful(index) && isUntold { return }
        // Ids that started over may reach those of before.
        if let restartedUs, venue.nowUs < restartedUs + 120_000_000 { return }
        let digests = engine.withBook(symbol) { primary in
            run.replica.engine.withBook(symbol) { Pipeline.commonDigests($0, primary) } ?? nil
        }
        guard let digests = digests ?? nil, digests.0 != digests.1 else { return }
        violated(.replica, symbol, "replica and primary are live at \(id), and their digests differ")
    }

    /// The digests of two books as far as both are proven, in the wider decimals of the two; nil if one has
    /// no levels.
    static func commonDigests(_ a: borrowing OrderBook, _ b: borrowing OrderBook) -> (UInt64, UInt64)? {
        guard let first = a.scales, let second = b.scales else { return nil }
        let wide = first.widened(by: second)
        var levels: [[PriceLevel]] = []
        for side in Side.allCases {
            let ranges = (a.proven(side), b.proven(side))
            let both = (ranges.0.scaled(from: first, to: wide), ranges.1.scaled(from: second, to: wide))
            guard let own = both.0, let other = both.1 else { return nil }
            let known = { (level: PriceLevel) in
                own.reaches(level.price, on: side) && other.reaches(level.price, on: side)
            }
            levels.append(a.levels(side).compactMap { $0.scaled(from: first, to: wide) }.filter(known))
            levels.append(b.levels(side).compactMap { $0.scaled(from: second, to: wide) }.filter(known))
        }
        return (
            BookDigest.digest(bids: levels[0], asks: levels[2]),
            BookDigest.digest(bids: levels[1], asks: levels[3])
        )
    }

    /// Whether every book of the replica is live and at the primary's id.
    var replicaIsRecovered: Bool {
        guard let run = replica else { return true }
        return symbols.allSatisfy { symbol in
            let own = run.replica.engine.mark(of: symbol)
            return own?.state == .live && own?.lastUpdateID == engine.mark(of: symbol)?.lastUpdateID
        }
    }

    /// Reports a replica that has not recovered.
    func reportReplicaNotRecovered() {
        guard let run = replica else { return }
        for symbol in symbols {
            guard let own = run.replica.engine.mark(of: symbol) else { continue }
            if own.state == .live { continue }
            violated(
                .replica, symbol,
                "\(plan.recoverySeconds) s after the last fault the replica is \(own.state), \(own.reason)")
        }
    }

    /// Adds up what the replica did.
    func finishReplica() {
        guard let run = replica else { return }
        outcome.replicaDrops = run.tap.droppedMessages
        for symbol in symbols {
            guard let counters = run.replica.engine.status(symbol)?.counters else { continue }
            outcome.replicaSnapshots += counters.snapshots
            outcome.replicaResyncs += counters.resyncs
        }
    }
}
