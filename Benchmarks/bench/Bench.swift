// `bench`: what a message costs, stage by stage, beside the books and parsers people write first.
//
// Reading order: `Contender` (what is measured), `Trial` (how), `EngineContenders` (the calls), `Row` and
// `Table`.

import ArgumentParser
import Foundation

@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures the engine, stage by stage, beside the books and parsers people write first.",
        discussion: """
            Stages: parse (wire bytes to levels), apply (levels to book), update (wire bytes to book), \
            load (parsed snapshot to book), publish (book to view of the best 20 levels a side), ring (a \
            frame from one thread to another), receive (a message from a socket to its handler). After every \
            message of apply and update the best bid and ask are read. Latencies of ring and receive need \
            two CPUs for themselves: rounds in which other work kept them waiting are left out, and where \
            these are most rounds, the number is marked ("disturbed" and "p99Disturbed" with --json).

            Exit status: 0 measured; 1 implementations disagree or a capture cannot be read; 64 wrong usage; \
            130 interrupted, with what was measured so far printed.
            """)

    @Option(
        help: ArgumentHelp(
            "Measure this real traffic instead of generated scenarios; may be repeated.",
            discussion: """
                A folder or a file, plain or gzip, of lines with a message or with a receive time and a \
                message. The REST body stands in line, or in snapshot.json or snapshots/SYMBOL.json beside it.
                """,
            valueName: "path"))
    var capture: [String] = []

    @Flag(
        help: ArgumentHelp(
            "Print one JSON object per row instead of the table.",
            discussion: """
                The machine, its noise and the method go to standard error. Values that a stage does not \
                have are null: bytesPerSecond counts bytes on the wire, which only parse and update read.
                """))
    var json = false

    @Option(help: ArgumentHelp("Draw the latency distributions into this SVG file.", valueName: "file"))
    var plot: String?

    @Option(
        help: ArgumentHelp(
            "Keep what has this text in scenario/stage/implementation; may be repeated, all must match.",
            discussion: "The engine is always measured beside what is kept.", valueName: "text"))
    var filter: [String] = []

    @Option(
        help: ArgumentHelp(
            "Time to measure in all, preparation not counted.",
            discussion: """
                Every stage is measured in whole repetitions, once at least and ring three times: some 5 s \
                for all generated scenarios, however few seconds are asked for.
                """))
    var seconds = 30.0

    @Option(help: "Seed of the generated scenarios.")
    var seed: UInt64 = 1

    @Flag(help: "A few messages and repetitions: shows that everything works, measures nothing.")
    var smoke = false

    @Option(help: ArgumentHelp("Use only so many messages of a scenario.", valueName: "count"))
    var messages: Int?

    @Option(
        help: ArgumentHelp(
            "Run only the engine's part of this stage over and over, for a profiler; see perf/README.md.",
            valueName: "stage"))
    var loop: EngineStage?

    @Option(help: ArgumentHelp("With --loop: so many passes instead of --seconds.", valueName: "count"))
    var passes: Int?

    @Flag(
        help: ArgumentHelp(
            "Measure thousands of books in one engine instead, beside engines of one book.",
            discussion: """
                From 1 to 3,000 symbols as captured, and 2,000 with 100 to 10,000 levels a side: time of a \
                message and memory of a book, with naive books beside them; any --filter leaves those out. \
                Takes the captured sets in LOB_CAPTURES or ../shared/data unless --capture names others, and \
                generated traffic where there are none; --plot draws its own picture.
                """))
    var scale = false

    @Flag(
        help: ArgumentHelp(
            "Measure from another process's write to the published view instead, and the CPU of a message.",
            discussion: """
                Over loopback, plain and with TLS, with threads that spin, back off and park, with 1 and 500 \
                symbols; --filter TLS/park keeps some. Needs two CPUs for itself.
                """))
    var wire = false

    @Option(help: .hidden)
    var wireSender: String?

    @Option(
        help: ArgumentHelp(
            "Measure a recorder into this folder instead: losses, what it costs the books, and replay.",
            discussion: """
                At --rate, in turn with the same without a recorder; then replays the last recording beside \
                its own frames in memory. What it records is removed.
                """,
            valueName: "folder"))
    var record: String?

    @Option(help: ArgumentHelp("With --record: messages a second.", valueName: "count"))
    var rate = 60_000

    @Option(
        help: ArgumentHelp(
            "Measure the replay of this recording beside its own frames in memory instead.",
            valueName: "path"))
    var recording: String?

    @Option(
        help: ArgumentHelp("With --scale, --wire or --record: so many symbols only.", valueName: "count"))
    var symbols: Int?

    @Option(
        help: ArgumentHelp(
            "With --scale --symbols: so many levels a side instead of those captured.", valueName: "count"))
    var depth: Int?

    @Option(
        help: ArgumentHelp(
            "Write the scenarios into this folder, for programs in other languages; see Benchmarks/peers.",
            valueName: "folder"))
    var export: String?

    @Option(
        help: ArgumentHelp(
            "Answer Benchmarks/peers on standard input, over a scenario that --export wrote.",
            valueName: "file"))
    var peer: String?

    @Option(help: ArgumentHelp("With --peer: make every pass so much slower.", valueName: "percent"))
    var plant = 0.0

    func validate() throws {
        if !(0...100).contains(plant) { throw ValidationError("--plant takes 0 to 100") }
        if !(0...3600).contains(seconds) { throw ValidationError("--seconds takes 0 to 3600") }
        if let messages, messages < 1 { throw ValidationError("--messages takes at least 1") }
        if passes != nil && loop == nil { throw ValidationError("--passes needs --loop") }
        if symbols != nil && !scale && !wire && record == nil {
            throw ValidationError("--symbols needs --scale, --wire or --record")
        }
        if !(1...1_000_000).contains(rate) { throw ValidationError("--rate takes 1 to 1000000") }
        if depth != nil && !scale { throw ValidationError("--depth needs --scale") }
        if let symbols, wire, symbols > WireMessage.symbolCountMax {
            throw ValidationError("--symbols takes at most \(WireMessage.symbolCountMax) with --wire")
        }
        if let symbols, !(1...40_000).contains(symbols) {
            throw ValidationError("--symbols takes 1 to 40000")
        }
        if let depth, !(2...100_000).contains(depth) { throw ValidationError("--depth takes 2 to 100000") }
        if depth != nil && symbols == nil { throw ValidationError("--depth needs --symbols") }
        if let passes, passes < 1 { throw ValidationError("--passes takes at least 1") }
        if let plot, let reason = PlotFile.refusal(plot) {
            throw ValidationError("--plot \(plot): \(reason)")
        }
    }

    func run() throws {
        if let wireSender {
            guard let order = WireOrder(wireSender) else {
                throw ValidationError("--wire-sender is internal")
            }
            return try WireSender(order).run()
        }
        if let peer {
            var server = try PeerServer(path: peer, plantPercent: plant)
            return try server.serve()
        }
        if let export {
            for traffic in try Scenarios.traffic(options: self) {
                print(try PeerFile.write(traffic, into: export))
            }
            return
        }
        Watch.blockInterrupt()
        if let loop { return try runLoop(loop) }
        if wire { return try WireBenchmark(options: self).run() }
        if let record { return try RecordBenchmark(self, folder: record).run() }
        if let recording { return print(try RecordingReplay(path: recording).report(pairs: smoke ? 1 : 7)) }
        if scale {
            var run = ScaleRun(self)
            return try run.run()
        }
        var session = Session(options: self)
        try session.prepare()
        try session.measure()
        try session.report()
        if session.isInterrupted { throw ExitCode(130) }
    }

    private func runLoop(_ stage: EngineStage) throws {
        let wanted = try Scenarios.traffic(options: self).filter {
            isWanted($0.name, stage.stage, Implementation.engine.rawValue)
        }
        if wanted.isEmpty { throw nothingKept }
        for traffic in wanted {
            let workload = try Workload(traffic)
            var loop = EngineLoop(entrant: Trials.engine(stage, workload))
            loop.run(passCountMax: passes, seconds: seconds)
            let size = Trials.size(of: stage, workload)
            print(
                #"{"loop":"\#(stage.rawValue)","scenario":"\#(workload.name)","passes":\#(loop.passCount),"#
                    + #""messages":\#(size.count),"levels":\#(size.levelCount)}"#)
        }
    }

    /// Whether `--filter` keeps this row.
    func isWanted(_ scenario: String, _ stage: Stage, _ implementation: String) -> Bool {
        let key = "\(scenario)/\(stage.rawValue)/\(implementation)"
        return filter.allSatisfy { key.contains($0) }
    }

    /// Whether `--filter` may keep anything of the five stages of this scenario.
    func isWanted(_ scenario: String) -> Bool {
        EngineStage.allCases.contains { stage in
            Implementation.allCases.contains { isWanted(scenario, stage.stage, $0.rawValue) }
        }
    }

    /// What is thrown where `--filter` leaves no row.
    var nothingKept: ValidationError {
        ValidationError("--filter \(filter.joined(separator: " --filter ")) keeps nothing")
    }
}

extension EngineStage: ExpressibleByArgument {}
