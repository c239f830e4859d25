// The engine as one contender of `Benchmarks/peers`: answers its driver a line for a line. The stage is
// `update`, wire bytes to book with the best prices read after every message.
//
//     check       DIGEST TOUCHED   one pass; digest of the book, sum of the best prices read
//     pass COUNT  NS               CPU time of COUNT passes; going back to the snapshot is not in it
//     latency     P50 P99 MAX      ns of a message, one pass, each message between two fenced readings

import Foundation

/// Answers until standard input ends.
struct PeerServer {
    private let workload: Workload
    private let entrant: Entrant
    private let timer = CycleTimer()
    /// What reading the CPU clock costs at least; taken off every pass.
    private let clockCostNs: UInt64
    /// Time added to every pass, in percent: what the driver must find.
    private let plantPercent: Double
    private var sink: UInt64 = 1

    init(path: String, plantPercent: Double) throws {
        workload = try Workload(PeerFile.traffic(path: path))
        entrant = Trials.engine(.update, workload)
        self.plantPercent = plantPercent
        var least = UInt64.max
        for _ in 0..<10_000 {
            let before = CycleTimer.threadNs()
            least = min(least, CycleTimer.threadNs() - before)
        }
        clockCostNs = least
    }

    /// Answers all commands; throws at one that is none.
    mutating func serve() throws {
        say("ready Local Order Book")
        while let line = readLine() {
            let words = line.split(separator: " ")
            if words == ["check"] {
                try say(check())
            } else if words.count == 2, words[0] == "pass", let count = Int(words[1]), count > 0 {
                say("\(passes(count))")
            } else if words == ["latency"] {
                say(latency())
            } else {
                throw WorkloadError.unreadable(path: "standard input", reason: "no command: \(line)")
            }
        }
    }

    private func say(_ line: String) {
        print(line)
        fflush(nil)
    }

    private func check() throws -> String {
        entrant.rewind()
        _ = entrant.throughputPass()
        let outcome = try entrant.outcome()
        return "\(hex(outcome.digest)) \(hex(outcome.touched))"
    }

    private mutating func passes(_ count: Int) -> UInt64 {
        var sumNs: UInt64 = 0
        for _ in 0..<count {
            entrant.rewind()
            sumNs += entrant.throughputPass() - clockCostNs
        }
        if plantPercent == 0 { return sumNs }
        let extraNs = UInt64(Double(sumNs) * plantPercent / 100)
        let start = CycleTimer.threadNs()
        while CycleTimer.threadNs() - start < extraNs {
            for _ in 0..<100 { sink = sink &* 6_364_136_223_846_793_005 &+ 1 }
        }
        return sumNs + CycleTimer.threadNs() - start
    }

    private func latency() -> String {
        var ticks = [UInt64](repeating: 0, count: workload.count)
        entrant.rewind()
        entrant.latencyPass(&ticks)
        let nsPerTick = timer.nsPerTick()
        let ns = ticks.map { Double($0 - min(timer.overheadTicks, $0)) * nsPerTick }.sorted()
        let percentiles = [0.5, 0.99, 1].map { ns[Int($0 * Double(ns.count - 1))] }
        return percentiles.map { fixed($0, 1) }.joined(separator: " ")
    }
}
