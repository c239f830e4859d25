// The lines above the table: on what machine, how, and what the names in the table mean. Each line is made of
// what the rows hold, so a run of few stages says nothing of the others.

import CLobAllocator
import CLobKernels

/// The header of a run.
struct Header {
    private let machine: Machine
    private let timer: CycleTimer
    private let watch: Watch
    private let rows: [Row]
    private let stages: [Stage]
    private let names: Set<String>

    init(machine: Machine, timer: CycleTimer, watch: Watch, rows: [Row]) {
        (self.machine, self.timer, self.watch, self.rows) = (machine, timer, watch, rows)
        stages = Stage.allCases.filter { stage in rows.contains { $0.stage == stage } }
        names = Set(rows.map(\.implementation))
    }

    var text: String {
        var paragraphs = [("machine", machineText), ("noise", noiseText)]
        if hasTrials {
            paragraphs += [
                ("method", methodText), ("columns", columnsText), ("timer", timerText),
                ("checked", Header.checkedText),
            ]
        }
        if stages.contains(.ring) { paragraphs.append(("ring", ringText)) }
        if stages.contains(.receive) { paragraphs.append(("receive", receiveText)) }
        if rows.contains(where: { $0.latency != nil }) { paragraphs.append(("rounds", roundsText)) }
        paragraphs.append(("stages", stagesText))
        if !peersText.isEmpty { paragraphs.append(("peers", peersText)) }
        return "Local Order Book, bench\n\n"
            + paragraphs.map { Header.paragraph($0, $1) }.joined(separator: "\n")
    }

    private var hasTrials: Bool { stages.contains(where: Header.isOfTrials) }

    private static func isOfTrials(_ stage: Stage) -> Bool { EngineStage(rawValue: stage.rawValue) != nil }

    // MARK: - Machine

    private var machineText: String {
        let allocator = lob_thread_allocated_bytes() == nil ? "no jemalloc: allocations unknown" : "jemalloc"
        return "\(machine.cpu), \(machine.cpuCount) CPUs, \(machine.kernel); built for "
            + "\(String(cString: lob_instruction_set())), \(allocator)"
    }

    private var noiseText: String {
        var parts: [String] = []
        if let noise = watch.noise {
            parts.append(
                "fixed work took \(percent(noise.median)) longer than at best at the median, "
                    + "\(percent(noise.p95)) at the 95th percentile")
        }
        parts.append("load average \(machine.loadAverage) at the start")
        if hasTrials, let share = watch.waitedShare {
            let advice = share > Rounds.waitedShareMaxOfP99 ? ": trust ratios and medians, not tails" : ""
            parts.append(
                "the thread that measures \(stagesOfTrials) waited \(percent(share)) of the time for a CPU"
                    + advice)
        }
        return parts.joined(separator: "; ")
    }

    // MARK: - Method

    private var stagesOfTrials: String {
        let names = stages.filter(Header.isOfTrials).map(\.rawValue)
        return names.count < 2
            ? names.joined() : names.dropLast().joined(separator: ", ") + " and " + names.last!
    }

    private func repetitions(_ isCounted: (Stage) -> Bool) -> String {
        let counts = rows.filter { isCounted($0.stage) }.map(\.repetitions)
        let (low, high) = (counts.min() ?? 0, counts.max() ?? 0)
        return low == high ? "\(low)" : "\(low) to \(high)"
    }

    private var methodText: String {
        "\(stagesOfTrials): two passes of warm-up; then all implementations in turn within each repetition; "
            + "every number is the median over repetitions (\(repetitions(Header.isOfTrials))), "
            + "× engine that of the ratio within one"
    }

    private var columnsText: String {
        "ns/level, per msg: CPU time of whole passes with no timer inside"
            + (stages.contains(.publish) ? ", for publish the sum of its timed messages" : "")
            + "; p50 to max: every message timed; per s: bytes on the wire, where they are read; "
            + "allocs, alloc'd: a message's requests and bytes"
    }

    private var timerText: String {
        let nsPerTick = timer.nsPerTick()
        return "for messages the cycle counter between fences, \(fixed(1 / nsPerTick, 3)) GHz; "
            + "its own \(fixed(Double(timer.overheadTicks) * nsPerTick, 1)) ns are taken off each"
            + (machine.hasConstantCounter ? "" : "; this CPU does not promise that rate to be constant")
    }

    private static let checkedText =
        "all implementations of a stage read the same best bid and ask after every message "
        + "and end with the same digest"

    private var ringText: String {
        "all contenders in turn within each round; wall time; per msg: a frame sent as fast as possible; "
            + "p50, p99: one way, a frame every 3 µs; every number is the median over rounds "
            + "(\(repetitions { $0 == .ring })), × engine that of the ratio within one; "
            + "all readers add up the same bytes"
    }

    private var receiveText: String {
        let tick = duration(Double(ThreadUse.kernelTickNs))
        return "both backends in turn; per msg: user CPU of the receiving thread over all messages of all "
            + "floods (\(repetitions { $0 == .receive })), ± its standard error, because the kernel samples "
            + "it every \(tick), × engine the ratio of it; p50, p99: one way at 1,000 messages a second, "
            + "both threads spinning, medians over rounds; alloc'd: bytes of the receiving thread"
    }

    private var roundsText: String {
        let isKnown = rows.contains { $0.latency?.p50Ns.waitedShare != nil }
        return "disturbed if the waits of the sending and the receiving thread for a CPU add up to more than "
            + "\(percent(Rounds.waitedShareMax)) of the time, for p99 more than "
            + percent(Rounds.waitedShareMaxOfP99) + (isKnown ? "" : ", which this kernel does not tell")
            + "; left out if they are half of the rounds at most, else all rounds count and ! marks the "
            + "number: it is the machine's, not the contender's"
    }

    // MARK: - Names

    private static func meaning(_ stage: Stage) -> String {
        switch stage {
        case .parse: "wire bytes to levels"
        case .apply: "levels to book"
        case .update: "wire bytes to book"
        case .step: "a frame to its book, with all checks"
        case .load: "parsed snapshot to book"
        case .publish: "the best 20 levels a side to a view"
        case .ring: "a frame from one thread to another"
        case .receive: "a message from a socket to its handler"
        }
    }

    /// Everybody but the engine, in the order of the table.
    private static let peers = [
        ("json-decoder", "JSONDecoder of Foundation and Decodable structs"),
        ("json-serialization", "JSONSerialization of Foundation"),
        ("dictionary", "[Price: Quantity] and ascending prices kept by bisection, for each side"),
        ("sorted-array", "levels sorted best last, binary search, insert and remove"),
        (SpinningQueue.name, "an array behind Mutex, both threads spinning"),
        (SleepingQueue.name, "an array behind NSCondition, both threads sleeping"),
        (DispatchHandOver.name, "a block on a serial queue for each frame"),
        ("libwebsockets", "the WebSocket role of libwebsockets"),
    ]

    private var stagesText: String {
        stages.map { "\($0.rawValue): \(Header.meaning($0))" }.joined(separator: "; ")
    }

    private var peersText: String {
        var texts = Header.peers.filter { names.contains($0.0) }.map { "\($0.0): \($0.1)" }
        let isFed = rows.contains {
            $0.stage == .update && $0.implementation != Implementation.engine.rawValue
        }
        if isFed { texts.append("in update the books get their levels from JSONDecoder") }
        return texts.joined(separator: "; ")
    }

    // MARK: - Layout

    private static let headWidth = 9
    private static let lineWidthMax = 105

    /// A head with its text beside it, broken between words but not between a number and its %.
    private static func paragraph(_ head: String, _ text: String) -> String {
        var lines: [String] = []
        var line = pad(head, to: headWidth)
        for word in text.split(separator: " ") {
            if line.count + word.count > lineWidthMax && line.count > headWidth && !word.hasPrefix("%") {
                lines.append(line)
                line = pad("", to: headWidth)
            }
            line += (line.count == headWidth ? "" : " ") + word
        }
        return (lines + [line]).joined(separator: "\n")
    }
}

/// A share with its unit.
func percent(_ share: Double) -> String { fixed(share * 100, 1) + " %" }
