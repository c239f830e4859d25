// A whole run: prepare everything, check everything, measure, report.

import ArgumentParser
import Foundation

/// A run of `bench`.
struct Session {
    private let options: Bench
    private let timer = CycleTimer()
    private let progress = Progress()
    private var watch = Watch()
    private var trials: [Trial] = []
    private var notes: [ScenarioNote] = []
    private var otherRows: [Row] = []

    init(options: Bench) { self.options = options }

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
        if trials.isEmpty && !RingRows.isWanted(options) && !ReceiveRows.isWanted(options) {
            throw options.nothingKept
        }
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

    /// Measures every trial for its share of the time.
    mutating func measure() throws {
        defer { progress.clear() }
        let weights = trials.reduce(0) { $0 + Session.weight($1.stage) }
        let seconds = options.smoke ? 0 : options.seconds
        for (index, trial) in trials.enumerated() where !watch.isInterrupted {
            progress.show("measuring \(place(index))")
            let share = Double(Session.weight(trial.stage)) / Double(max(weights, 1))
            trial.measure(budgetNs: UInt64(seconds * share * 1e9), timer: timer, watch: &watch)
        }
        watch.poll()
        if RingRows.isWanted(options) && !watch.isInterrupted {
            progress.show("measuring ring")
            notes.append(RingRows.note)
            otherRows += try RingRows.measured(options)
        }
        if ReceiveRows.isWanted(options) && !watch.isInterrupted {
            progress.show("measuring receive")
            notes += ReceiveRows.notes
            otherRows += ReceiveRows.measured(options)
        }
    }

    /// Stages with a JSON parser in them need more time for as many repetitions.
    private static func weight(_ stage: EngineStage) -> Int { stage == .parse || stage == .update ? 3 : 1 }

    /// Prints the rows and draws the picture.
    func report() throws {
        let nsPerTick = timer.nsPerTick()
        let rows = trials.flatMap { $0.rows(nsPerTick: nsPerTick) } + otherRows
        if options.json {
            for row in rows { print(row.json) }
        } else {
            let counts = rows.map(\.repetitions)
            let range = (counts.min() ?? 0)...(counts.max() ?? 0)
            print(Machine().header(timer: timer, watch: watch, repetitions: range))
            print(Table(rows, notes: notes).text)
            print(Summary(rows, scenarios: notes.map(\.name)).text)
            if watch.isInterrupted { print("\ninterrupted: not everything was measured") }
        }
        if let file = options.plot {
            let machine = Machine()
            let plot = Plot(
                trials.flatMap(\.series), nsPerTick: nsPerTick,
                subtitle:
                    "\(machine.cpu), \(machine.kernel): all messages of all repetitions, timed one by one")
            try PlotFile.write(plot.svg, to: file)
        }
    }
}
