// `lob simulate`: new seeds for the whole pipeline in virtual time, until one fails or all are done.

import ArgumentParser
import LobRecording
import PipelineSimulation
import SimulatedExchange

/// A traffic profile as an argument.
struct ProfileArgument: ExpressibleByArgument {
    /// The profiles by name; `mixed` takes turns.
    static let all: [(name: String, profile: TrafficProfile)] = [
        ("spot-btc", .spotBTC), ("spot-alt", .spotAlt), ("usdm-btc", .usdmBTC), ("coinm", .coinm),
    ]

    let name: String

    init?(argument: String) {
        guard argument == "mixed" || ProfileArgument.all.contains(where: { $0.name == argument }) else {
            return nil
        }
        name = argument
    }

    static var allValueStrings: [String] { ["mixed"] + all.map(\.name) }
    var defaultValueDescription: String { name }

    /// The profile of a seed.
    func profile(seed: UInt64) -> (name: String, profile: TrafficProfile) {
        ProfileArgument.all.first { $0.name == name }
            ?? ProfileArgument.all[Int(seed % UInt64(ProfileArgument.all.count))]
    }
}

/// Help text of `--faults`.
func faultHelp(without: FaultPlan) -> ArgumentHelp {
    ArgumentHelp(
        "What goes wrong: none, all, everything, network, venue, or NAME[=RATE],… (default: \(without))",
        valueName: "plan")
}

/// The list of faults, for help texts.
let faultLegend =
    "Faults: \(Fault.allCases.map(\.name).joined(separator: ", ")). Plan venue: "
    + "\(FaultPlan.venueFaults.map(\.name).joined(separator: ", ")). Plan network: "
    + "\(FaultPlan.networkFaults.map(\.name).joined(separator: ", "))."

/// A fault plan as an argument.
func faultPlan(_ text: String) throws -> FaultPlan {
    do throws(FaultPlanError) {
        return try FaultPlan(text)
    } catch {
        throw ValidationError("\(error)")
    }
}

struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract:
            "Run the whole pipeline in virtual time against a faulty venue, and check every book.",
        discussion: """
            Each seed is a venue with its own order flow and faults, connected through the real feed, \
            snapshot fetcher, ring, parser and engine. After every frame, every level inside the proven \
            range of a live book must equal the true book at that update id; after the faults, every \
            symbol must be live and up to date within the stated time.

            \(faultLegend)

            Exit status: 0 no invariant was violated; 1 it could not run; 2 one was, with the command that \
            reproduces it.
            """)

    @Option(parsing: .unconditional, help: "Number of seeds.")
    var seeds = 100

    @Option(parsing: .unconditional, help: "First seed.")
    var from: UInt64 = 1

    @Option(parsing: .unconditional, help: "Virtual seconds under faults per seed.")
    var seconds = 120

    @Option(parsing: .unconditional, help: "The same in virtual hours.")
    var hours: Double?

    @Option(
        parsing: .unconditional,
        help: "Virtual seconds after the faults within which every symbol must be live.")
    var recovery = 240

    @Option(help: "Traffic of the symbols.")
    var profile = ProfileArgument(argument: "mixed")!

    @Option(parsing: .unconditional, help: "Symbols of each venue.")
    var symbols = 2

    @Option(help: faultHelp(without: .everything), transform: faultPlan)
    var faults: FaultPlan?

    @Option(help: "Of 1000 snapshots, how many show the end of an update instead of a state inside one.")
    var whole = 0

    @Option(help: "How far snapshots lag behind the venue, at most, in ms.")
    var restLag = 300

    @Flag(help: "A market of --symbols quiet symbols on spot, one in ten of them busy.")
    var market = false

    @Option(
        help: ArgumentHelp(
            "What to check: all, ids (what follows from ids alone), or NAME,…", valueName: "invariants"),
        transform: invariantSet)
    var check = Invariant.all

    @Flag(help: "Continue after a violation, and show them all.")
    var keepGoing = false

    @Flag(help: "Instead: show in which seed each planted bug is caught.")
    var mistakes = false

    @Flag(help: "Instead: show how long each kind of fault misleads readers, over --seeds seeds.")
    var table = false

    @Flag(
        help: "Instead: show how doubts about books end, over --seeds seeds; --faults network by default.")
    var doubts = false

    mutating func validate() throws {
        if seeds < 1 { throw ValidationError("--seeds must be at least 1.") }
        if symbols < 1 || symbols > 2000 { throw ValidationError("--symbols must be 1 … 2000.") }
        if whole < 0 || whole > 1000 { throw ValidationError("--whole must be 0 … 1000.") }
        if restLag < 0 || restLag > 60_000 { throw ValidationError("--rest-lag must be 0 … 60000 ms.") }
        if UInt64(seeds) > UInt64.max - from {
            throw ValidationError("There are no seeds behind \(UInt64.max).")
        }
        let secondsMax = 100_000_000
        if let hours {
            if !(hours * 3600 <= Double(secondsMax)) {
                throw ValidationError("--hours must be at most \(secondsMax / 3600).")
            }
            seconds = Int(saturated(hours * 3600))
        }
        if !(1...secondsMax).contains(seconds) {
            throw ValidationError("Give at least one virtual second, and at most \(secondsMax).")
        }
        if !(1...secondsMax).contains(recovery) {
            throw ValidationError("--recovery must be 1 … \(secondsMax) s.")
        }
    }

    func run() throws {
        if mistakes { return try showMistakes() }
        if table { return try showMeasuredFaults() }
        if doubts { return try showDoubts() }
        let clock = Stopwatch()
        var total = PipelineOutcome()
        var slowest: Double = 0
        var shownAtNs: Int64 = 0
        var violationCount = 0
        for seed in from..<(from + UInt64(seeds)) {
            let (name, profile) = profile.profile(seed: seed)
            let outcome = try Pipeline(plan(seed, profile)).run()
            total.add(outcome)
            slowest = max(slowest, outcome.recoverySeconds)
            if let violation = outcome.violation {
                violationCount += 1
                printError("seed \(seed), profile \(name): \(violation)")
                printError("repeat: \(repetition(seed, name))")
                if !keepGoing { throw ExitCode(2) }
            }
            if clock.elapsedNs - shownAtNs > 2_000_000_000 {
                shownAtNs = clock.elapsedNs
                printError(progress(Int(seed - from) + 1, total, Double(clock.elapsedNs) / 1e9))
            }
        }
        let elapsed = Double(clock.elapsedNs) / 1e9
        try Output.print(renderTable(rows(total, slowest, violationCount, elapsed), leftAligned: [0, 1]))
        if violationCount > 0 { throw ExitCode(2) }
    }

    func plan(_ seed: UInt64, _ profile: TrafficProfile) -> PipelinePlan {
        var plan = PipelinePlan(seed: seed, profile: profile)
        if market { plan = .market(seed: seed, symbolCount: symbols, seconds: seconds) }
        plan.symbolCount = symbols
        plan.faultySeconds = seconds
        plan.recoverySeconds = recovery
        plan.faults = faults ?? (market ? .none : .everything)
        plan.wholeSnapshotPerMille = whole
        plan.snapshotLagMs = restLag
        plan.invariants = check
        return plan
    }

    private func repetition(_ seed: UInt64, _ name: String) -> String {
        let names = check == Invariant.all ? "all" : check.map(\.rawValue).sorted().joined(separator: ",")
        return "lob simulate --seeds 1 --from \(seed) --seconds \(seconds) --recovery \(recovery) "
            + "--profile \(name) --symbols \(symbols) --whole \(whole) --rest-lag \(restLag) --check \(names)"
            + (market ? " --market" : "") + (faults.map { " --faults \($0)" } ?? "")
    }

    private func rows(
        _ total: PipelineOutcome, _ slowest: Double, _ violationCount: Int, _ elapsed: Double
    ) -> [[String]] {
        return [
            ["seeds", "\(seeds), from \(from)"], ["virtual seconds", rounded(total.seconds)],
            ["frames", rounded(Double(total.frames))], ["updates applied", rounded(Double(total.applied))],
            ["faults", rounded(Double(total.faults))],
            ["frames lost to a full ring", rounded(Double(total.overflows))],
            ["connections dialled", rounded(Double(total.dials))],
            ["replaced while serving", rounded(Double(total.replacements))],
            ["symbols resubscribed", rounded(Double(total.resubscriptions))],
            ["books proven behind", rounded(Double(total.behind))],
            ["resyncs", rounded(Double(total.resyncs))], ["audits", rounded(Double(total.audits))],
            ["snapshot requests", rounded(Double(total.requests))],
            ["doubts settled by a snapshot", doubtLine(total.doubts)],
            ["doubts settled without one", rounded(Double(total.doubts[.free]))],
            ["most bytes buffered", rounded(Double(total.bufferedBytesMost))],
            ["comparisons with the true book", rounded(Double(total.comparisons))],
            ["levels compared", rounded(Double(total.comparedLevels))],
            ["slowest recovery", "\(fixed(slowest, 1)) s after the last fault"],
            ["violations", "\(violationCount)"],
            [
                "speed",
                "\(fixed(Double(seeds) / elapsed, 1)) seeds/s, "
                    + "\(fixed(total.seconds / 3600 / elapsed, 2)) virtual hours/s",
            ],
            ["trail", hexadecimal(total.trail)],
        ]
    }

    private func doubtLine(_ doubts: DoubtCounts) -> String {
        "\(rounded(Double(doubts.counted))), \(fixed(doubts.promptPercent, 2)) % by the first, within two "
            + "updates or, where none came, with a second at its id"
    }

    private func progress(_ done: Int, _ total: PipelineOutcome, _ elapsed: Double) -> String {
        "\(done)/\(seeds) seeds, \(rounded(total.seconds)) virtual s, "
            + "\(fixed(Double(done) / elapsed, 1)) seeds/s, "
            + "\(fixed(total.seconds / 3600 / elapsed, 2)) virtual hours/s"
    }
}
