// A whole run: prepare everything, check everything, measure, report.

import ArgumentParser
import Foundation

/// A run of `bench`.
struct Session {
    private let options: Bench
    private let machine = Machine()
    private let timer = CycleTimer()
    private let progress = Progress()
    private var watch = Watch()
    private var trials: [Trial] = []
    private var notes: [ScenarioNote] = []
    private var otherRows: [Row] = []
    private let hasRing: Bool
    private let hasReceive: Bool

    init(options: Bench) {
        self.options = options
        hasRing = !RingRows.wanted(options).isEmpty
        hasReceive = [false, true].contains { ReceiveRows.isWanted(options, isSecure: $0) }
    }

    /// Whether somebody asked to stop.
    var isInterrupted: Bool { watch.isInterrupted }

    /// Reads or generates all traffic and checks that all implementations agree on all of it.
    mutating func prepare() throws {
        defer { progress.clear() }
        for traffic in try Scenarios.traffic(options: options) {
            progress.show("preparing \(traffic.name)")
            let workload = try Workload(traffic)
            notes.append(
                ScenarioNote(name: workload.name, origin: workload.origin, content: workload.summary))
            trials += Trials.all(of: workload) {
                options.isWanted(workload.name, $0.stage, $1.rawValue)
            }
        }
        if trials.isEmpty && !hasRing && !hasReceive { throw options.nothingKept }
        if trials.isEmpty && options.plot != nil {
            throw ValidationError("--plot draws parse, apply, update, load and publish; none of them is kept")
        }
        for (index, trial) in trials.enumerated() {
            watch.poll()
            if watch.isInterrupted { return }
            progress.show("checking \(place(index))")
            try trial.check()
            trial.countAllocations()
        }
    }

    /// Which trial of how many.
    private func place(_ index: Int) -> String {
        let trial = trials[index]
        return "\(index + 1)/\(trials.count): \(trial.workload.name) \(trial.stage.rawValue)"
    }

    /// Measures every trial, the ring and the receive path, each for its share of the time.
    mutating func measure() throws {
        defer { progress.clear() }
        let shares = Shares(trials, hasRing: hasRing, hasReceive: hasReceive)
        let ns = options.smoke ? 0 : options.seconds * 1e9
        for (index, trial) in trials.enumerated() where !watch.isInterrupted {
            progress.show("measuring \(place(index))")
            let budgetNs = UInt64(ns * shares.ofTrials[index])
            watch.countingWaits { trial.measure(budgetNs: budgetNs, timer: timer, watch: &$0) }
        }
        watch.poll()
        if hasRing && !watch.isInterrupted {
            progress.show("measuring ring")
            notes.append(RingRows.note)
            otherRows += try RingRows.measured(
                options, budgetNs: UInt64(ns * shares.ofRing), nsPerTick: timer.nsPerTick(), watch: &watch)
        }
        if hasReceive && !watch.isInterrupted {
            progress.show("measuring receive")
            notes += ReceiveRows.notes
            otherRows += ReceiveRows.measured(
                options, budgetNs: UInt64(ns * shares.ofReceive), watch: &watch)
        }
    }

    /// Prints the rows and draws the picture.
    func report() throws {
        let nsPerTick = timer.nsPerTick()
        let rows = trials.flatMap { $0.rows(nsPerTick: nsPerTick) } + otherRows
        let header = Header(machine: machine, timer: timer, watch: watch, rows: rows).text
        if options.json {
            FileHandle.standardError.write(Data((header + "\n").utf8))
            for row in rows { print(row.json) }
        } else {
            print(header)
            print(Table(rows, notes: notes).text)
            print(Summary(rows, scenarios: notes.map(\.name)).text)
            if watch.isInterrupted { print("\ninterrupted: not everything was measured") }
        }
        if let file = options.plot {
            let plot = Plot(
                trials.flatMap(\.series), nsPerTick: nsPerTick,
                subtitle:
                    "\(machine.cpu), \(machine.kernel): all messages of all repetitions, timed one by one")
            try PlotFile.write(plot.svg, to: file)
        }
    }
}

/// How the time is shared out.
struct Shares {
    private(set) var ofTrials: [Double] = []
    private(set) var ofRing = 0.0
    private(set) var ofReceive = 0.0

    /// Half of a trial's weight is that of its stage, for many repetitions of what is fast; half is the time
    /// that one of its repetitions takes, so that the slow ones have some at all. The receive path needs
    /// seconds of CPU time for it to be sampled.
    init(_ trials: [Trial], hasRing: Bool, hasReceive: Bool) {
        let stageWeights = trials.map { $0.stage == .parse || $0.stage == .update ? 3.0 : 1.0 }
        let costs = trials.map(\.costOfRepetitionNs)
        let (weightSum, costSum) = (stageWeights.reduce(0, +), costs.reduce(0, +))
        let ring = hasRing ? 3.0 : 0
        let receive = hasReceive ? 15.0 : 0
        let all = max(weightSum + ring + receive, 1)
        ofRing = ring / all
        ofReceive = receive / all
        ofTrials = zip(stageWeights, costs).map { weight, cost in
            (weight / weightSum + cost / max(costSum, 1)) / 2 * weightSum / all
        }
    }
}
