import PipelineSimulation
import SimulatedExchange
import Testing

/// The whole pipeline in virtual time, in the few seconds that the everyday run has for it. `lob simulate`
/// runs as many fresh seeds as asked for, with the same checks. All faults together and each alone are in
/// `ReplicaTests`: a replica leaves the run beside it as it is.
@Suite struct PipelineTests {
    #if DEBUG
        static let seconds = 15
    #else
        static let seconds = 120
    #endif

    /// The same seed gives the same run to the last digest, another seed another one.
    @Test func sameSeedSameTrail() throws {
        let trails = try ([5, 5, 6] as [UInt64]).map { seed in
            var plan = PipelinePlan(seed: seed, profile: .spotAlt)
            plan.faultySeconds = 60
            return try Pipeline(plan).run().trail
        }
        #expect(trails[0] == trails[1])
        #expect(trails[0] != trails[2])
    }

    /// Books that evict all the time are right about what they still prove.
    @Test(arguments: [1, 2, 3] as [UInt64]) func smallBooksAreRight(_ seed: UInt64) throws {
        var plan = Mistake.keepsProvenRange.plan(seed: seed)
        plan.faultySeconds = Self.seconds
        plan.mistake = nil
        let outcome = try Pipeline(plan).run()
        #expect(outcome.violation == nil, "seed \(seed)")
    }

    /// A checker that cannot fail is worth nothing: each built-in mistake is caught within a few seeds.
    @Test(arguments: Mistake.allCases) func everyMistakeIsCaught(_ mistake: Mistake) throws {
        #if DEBUG
            // Those that take long to show are left to the optimised run.
            let isSlow = [.firstUpdateOffByOne, .joinedByIdsAlone, .contradictionIgnored].contains(mistake)
            if mistake.profile.name != "spot-alt" || isSlow { return }
        #endif
        var caught: Violation?
        // What other checks notice first takes many seeds to show.
        let last: UInt64 = [.contradictionIgnored, .joinedByIdsAlone].contains(mistake) ? 400 : 20
        for seed in 1...last where caught == nil {
            var plan = mistake.plan(seed: seed)
            plan.faultySeconds = min(plan.faultySeconds, 120)
            if [.neverAsks, .resubscribedBelieved].contains(mistake) { plan.faultySeconds = 400 }
            plan.recoverySeconds = 120
            caught = try Pipeline(plan).run().violation
        }
        #expect(caught != nil, "\(mistake.explanation)")
    }

    /// Every invariant is needed: there is a mistake that shows when it is looked at, and only then.
    @Test(arguments: Invariant.allCases) func everyInvariantIsNeeded(_ invariant: Invariant) throws {
        let all = Mistake.allCases.filter { $0.invariant == invariant }
        #expect(!all.isEmpty)
        #if DEBUG
            // The others are left to the optimised run, and so is what takes long to show.
            if [.missed, .contradicted].contains(invariant) { return }
            let mistakes = all.filter { $0.profile.name == "spot-alt" }
            if mistakes.isEmpty { return }
        #else
            let mistakes = all
        #endif
        let last: UInt64 = invariant == .contradicted ? 400 : 40
        let isNeeded = try mistakes.contains { mistake in
            try (1...last).contains { try mistake.isSeenAlone(in: mistake.plan(seed: $0)) }
        }
        #expect(isNeeded)
    }

    /// A whole market runs, at no more than its stated memory.
    @Test(arguments: [400, 1_250, 1_500]) func wholeMarketsRun(_ symbolCount: Int) throws {
        #if DEBUG
            if symbolCount > 400 { return }
        #endif
        var plan = PipelinePlan.market(seed: 1, symbolCount: symbolCount, seconds: 3)
        plan.recoverySeconds = 0
        plan.invariants.remove(.recovery)
        let outcome = try Pipeline(plan).run()
        #expect(outcome.violation == nil)
        #expect(outcome.applied > 0)
    }
}
