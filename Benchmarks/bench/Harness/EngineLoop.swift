// One stage of the engine over and over, for a profiler to look at. Only what happens inside `measuredLoop`
// is the stage: `perf/` switches its instruction counter on there and nowhere else.

/// Runs a stage for a profiler.
struct EngineLoop {
    let entrant: Entrant
    /// Passes done.
    private(set) var passCount = 0

    /// Runs `passCountMax` passes, or as many as fit into `seconds` if that is nil.
    mutating func run(passCountMax: Int?, seconds: Double) {
        entrant.rewind()
        _ = entrant.throughputPass()
        let deadlineNs = CycleTimer.monotonicNs() + UInt64(seconds * 1e9)
        while passCount < passCountMax ?? Int.max && !Watch.interruptIsPending() {
            if passCountMax == nil && CycleTimer.monotonicNs() >= deadlineNs { return }
            entrant.rewind()
            measuredLoop(entrant)
            passCount += 1
        }
    }
}

/// The name that profilers look for; called nowhere else.
@inline(never)
func measuredLoop(_ entrant: Entrant) {
    _ = entrant.throughputPass()
}
