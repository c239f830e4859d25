// The tables of `lob simulate`: which seed catches each built-in mistake, how long each kind of fault
// misleads readers, and how doubts about books end.

import ArgumentParser
import PipelineSimulation
import SimulatedExchange

/// Parses the argument of `--check`.
func invariantSet(_ text: String) throws -> Set<Invariant> {
    if text == "all" { return Invariant.all }
    if text == "ids" { return Invariant.byIDs }
    return try Set(
        text.split(separator: ",").map { name in
            guard let invariant = Invariant(rawValue: String(name)) else {
                let known = Invariant.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("no invariant \"\(name)\"; known are \(known).")
            }
            return invariant
        })
}

extension SimulateCommand {
    /// Shows every built-in mistake with the first seed that catches it.
    func showMistakes() throws {
        var rows = [["mistake", "caught by seed", "as", "seen by it alone"]]
        var isMissed = false
        for mistake in Mistake.allCases {
            var caught: (seed: UInt64, violation: Violation)?
            for seed in from..<(from + UInt64(seeds)) {
                if let violation = try Pipeline(plan(mistake, seed)).run().violation {
                    caught = (seed, violation)
                    break
                }
            }
            if caught == nil { isMissed = true }
            rows.append([
                mistake.explanation, caught.map { "\($0.seed)" } ?? "none of \(seeds)",
                caught.map { "\($0.violation.invariant)" } ?? "",
                try caught.map { try mistake.isSeenAlone(in: plan(mistake, $0.seed)) ? "yes" : "no" } ?? "",
            ])
            printError("\(rows.count - 1)/\(Mistake.allCases.count) mistakes")
        }
        try Output.print(renderTable(rows, leftAligned: [0, 2, 3]))
        if isMissed { throw ExitCode(2) }
    }

    private func plan(_ mistake: Mistake, _ seed: UInt64) -> PipelinePlan {
        var plan = mistake.plan(seed: seed)
        if let faults { plan.faults = faults }
        return plan
    }

    /// Shows every kind of fault with the times until it is noticed and until it ends.
    func showMeasuredFaults() throws {
        var rows = [["trouble", "bound", "median", "worst", "live again: median", "worst", "never"]]
        var isLate = false
        for fault in MeasuredFault.allCases {
            var delays: [Int64] = []
            var mends: [Int64] = []
            var neverCount = 0
            for seed in from..<(from + UInt64(seeds)) {
                let notice = try fault.measure(seed: seed)
                if notice.struckUs == nil { continue }
                guard let delayUs = notice.delayUs else {
                    if notice.beganUs != nil { neverCount += 1 }
                    continue
                }
                delays.append(delayUs)
                if let mendUs = notice.mendUs { mends.append(mendUs) }
            }
            if neverCount > 0 || Double(delays.max() ?? 0) / 1e6 > fault.boundSeconds { isLate = true }
            rows.append(
                [fault.explanation, fault.boundSeconds == 0 ? "at once" : seconds(fault.boundSeconds)]
                    + middle(delays) + middle(mends) + ["\(neverCount) of \(seeds)"])
            printError("\(rows.count - 1)/\(MeasuredFault.allCases.count) kinds of trouble")
        }
        try Output.print(renderTable(rows, leftAligned: [0]))
        if isLate { throw ExitCode(2) }
    }

    private func seconds(_ value: Double) -> String { "\(fixed(value, 2)) s" }

    private func middle(_ timesUs: [Int64]) -> [String] {
        let sorted = timesUs.sorted()
        guard let worst = sorted.last else { return ["", ""] }
        return [sorted[sorted.count / 2], worst].map { seconds(Double($0) / 1e6) }
    }

    /// How doubts end, by traffic and by the share of snapshots at the end of an update.
    func showDoubts() throws {
        var rows = [["traffic", "whole", "took a snapshot", "settled by it"]]
        rows[0] += DoubtEnding.allCases.map { "\($0)" }
        var isPoor = false
        for (name, profile) in ProfileArgument.all where [name, "mixed"].contains(self.profile.name) {
            for whole in [0, 15, 1000] {
                let counts = try doubts(name, profile, whole: whole)
                if counts.promptPercent < 99 { isPoor = true }
                rows.append([
                    name, "\(whole) ‰", "\(counts.counted)", "\(fixed(counts.promptPercent, 2)) %",
                ])
                rows[rows.count - 1] += DoubtEnding.allCases.map { "\(counts[$0])" }
                printError("\(rows.count - 1) rows")
            }
        }
        try Output.print(renderTable(rows, leftAligned: [0]))
        if isPoor { throw ExitCode(2) }
    }

    private func doubts(_ name: String, _ profile: TrafficProfile, whole: Int) throws -> DoubtCounts {
        var counts = DoubtCounts()
        for seed in from..<(from + UInt64(seeds)) {
            var plan = plan(seed, profile)
            plan.faults = faults ?? .network
            plan.wholeSnapshotPerMille = whole
            let outcome = try Pipeline(plan).run()
            if let violation = outcome.violation {
                printError("seed \(seed), profile \(name), --whole \(whole): \(violation)")
                throw ExitCode(2)
            }
            counts.add(outcome.doubts)
        }
        return counts
    }
}
