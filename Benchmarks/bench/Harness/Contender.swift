// What is measured, and the two ways it is measured.
//
// A contender is one implementation of one stage over one workload. Its `take` is the measured work of one
// message. A *throughput pass* takes the CPU time of a run over all messages with no timer inside; a *latency
// pass* times each message between fences. Both are compiled for the concrete contender: nothing is called
// indirectly inside a pass.

/// The part of the backend that is measured.
enum Stage: String, CaseIterable {
    case parse
    case apply
    case update
    case step
    case load
    case publish
    case ring
    case receive
}

/// A stage that runs alone on one thread: what trials compare and `--loop` repeats. Nobody but the engine has
/// a `step`, so that one is for `--loop` alone.
enum EngineStage: String, CaseIterable {
    case parse
    case apply
    case update
    case step
    case load
    case publish

    var stage: Stage {
        switch self {
        case .parse: .parse
        case .apply: .apply
        case .update: .update
        case .step: .step
        case .load: .load
        case .publish: .publish
        }
    }
}

/// Who does the work.
enum Implementation: String, CaseIterable {
    case engine
    case dictionary
    case sortedArray = "sorted-array"
    case jsonDecoder = "json-decoder"
    case jsonSerialization = "json-serialization"
}

/// One implementation of one stage over one workload.
protocol Contender: ~Copyable {
    /// Number of messages of a pass.
    var count: Int { get }
    /// Goes back to the state before the first message. Not measured.
    mutating func rewind()
    /// What must happen before message `index` but is not this stage. Not measured.
    mutating func prepare(_ index: Int)
    /// The work of message `index`. Measured.
    mutating func take(_ index: Int)
    /// Sum over what was read after each message; equal for all implementations, and keeps the reads alive.
    var touched: UInt64 { get }
    /// Digest of the result after a whole pass; equal for all implementations. Not measured.
    mutating func digest() throws -> UInt64
}

extension Contender where Self: ~Copyable {
    @inline(__always)
    mutating func prepare(_ index: Int) {}
}

/// What a whole pass ended with.
struct Outcome: Equatable {
    var digest: UInt64
    var touched: UInt64
}

/// A contender with its type erased: one indirect call per pass.
struct Entrant {
    let implementation: Implementation
    /// Goes back to the start.
    let rewind: () -> Void
    /// Runs all messages; the CPU nanoseconds of the whole run.
    let throughputPass: () -> UInt64
    /// Runs all messages; the ticks of each one, the timer's own included.
    let latencyPass: (inout [UInt64]) -> Void
    /// What the last pass ended with.
    let outcome: () throws -> Outcome

    init<C: Contender & ~Copyable>(_ implementation: Implementation, _ contender: consuming C) {
        let holder = Holder(contender)
        self.implementation = implementation
        rewind = { holder.contender.rewind() }
        throughputPass = { runThroughput(&holder.contender) }
        latencyPass = { runLatency(&holder.contender, &$0) }
        outcome = {
            let touched = holder.contender.touched
            return Outcome(digest: try holder.contender.digest(), touched: touched)
        }
    }
}

/// A place for a contender that closures can share.
private final class Holder<C: Contender & ~Copyable> {
    var contender: C
    init(_ contender: consuming C) { self.contender = contender }
}

@inline(never)
private func runThroughput<C: Contender & ~Copyable>(_ contender: inout C) -> UInt64 {
    let count = contender.count
    let start = CycleTimer.threadNs()
    for index in 0..<count {
        contender.prepare(index)
        contender.take(index)
    }
    return CycleTimer.threadNs() &- start
}

@inline(never)
private func runLatency<C: Contender & ~Copyable>(_ contender: inout C, _ ticks: inout [UInt64]) {
    for index in 0..<contender.count {
        contender.prepare(index)
        let start = CycleTimer.ticks()
        contender.take(index)
        ticks[index] = CycleTimer.ticks() &- start
    }
}
