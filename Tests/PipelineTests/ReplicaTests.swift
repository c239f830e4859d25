// A replica over a tap with a small ring, beside the engine of a simulated run: late, slow, losing frames.

import PipelineSimulation
import SimulatedExchange
import Testing

/// No invariant is violated; at an equal id an equal digest, whenever both are live, and live again after
/// whatever was lost.
@Suite struct ReplicaTests {
    static let profiles: [TrafficProfile] = [.spotAlt, .spotBTC, .usdmBTC, .coinm]

    #if DEBUG
        static let seconds = 25
    #else
        static let seconds = 240
    #endif

    @Test(arguments: ReplicaTests.profiles, [1, 2] as [UInt64])
    func equalUnderAllFaults(_ profile: TrafficProfile, _ seed: UInt64) throws {
        var plan = PipelinePlan(seed: seed, profile: profile)
        plan.faultySeconds = Self.seconds
        plan.hasReplica = true
        let outcome = try Pipeline(plan).run()
        #expect(outcome.violation == nil, "profile \(profile.name), seed \(seed)")
        #expect(outcome.applied > 0 && outcome.comparisons > 0)
        #expect(outcome.digestsCompared > 5 && outcome.replicaSnapshots > 0)
    }

    /// Each fault alone, at a rate at which it strikes often. Nothing but the reader's rests makes the tap
    /// lose frames where the fault does not.
    @Test(arguments: Fault.allCases) func everyFaultAlone(_ fault: Fault) throws {
        var plan = PipelinePlan(seed: 3, profile: .spotAlt)
        plan.faultySeconds = 60
        plan.hasReplica = true
        plan.faults = .none
        plan.faults[fault] = max(fault.usualRate * 20, 20_000_000)
        let outcome = try Pipeline(plan).run()
        #expect(outcome.violation == nil, "fault \(fault), seed 3")
        #expect(outcome.replicaComparisons > 0 && outcome.replicaSnapshots > 1)
    }

    /// Busy symbols overflow the small ring whenever the reader rests: the replica loses frames, again and
    /// again, while the engine loses none, and is there in the end.
    @Test func aSlowReaderComesBack() throws {
        var sum = PipelineOutcome()
        for seed in 1...3 as ClosedRange<UInt64> {
            var plan = PipelinePlan(seed: seed, profile: .usdmBTC)
            plan.faultySeconds = Self.seconds
            plan.hasReplica = true
            // Something must be on, or nobody rests; this one changes no message.
            plan.faults = .none
            plan.faults[.slow] = 1
            plan.ringBytes = 1 << 24
            let outcome = try Pipeline(plan).run()
            #expect(outcome.violation == nil, "seed \(seed)")
            sum.add(outcome)
        }
        #expect(sum.overflows == 0 && sum.replicaDrops > 1000)
        #expect(sum.replicaResyncs > 3 && sum.digestsCompared > 500)
    }

    /// False snapshots bring wrong levels into the primary's book and into copies of it. When the primary has
    /// found that out, the replica gives its book up too, though nothing in its own frames speaks against it.
    @Test func whatThePrimaryGivesUpTheReplicaGivesUp() throws {
        var sum = PipelineOutcome()
        for seed in 1...6 as ClosedRange<UInt64> {
            var plan = PipelinePlan(seed: seed, profile: .spotAlt)
            plan.faultySeconds = 120
            plan.auditEverySeconds = 10
            plan.faults = .none
            plan.faults[.contradict] = 400_000_000
            plan.faults[.whole] = FaultPlan.certain
            plan.hasReplica = true
            let outcome = try Pipeline(plan).run()
            #expect(outcome.violation == nil, "seed \(seed)")
            sum.add(outcome)
        }
        #expect(sum.replicaResyncs > 3)
    }

    /// A replica changes nothing about the run beside it.
    @Test func theRunIsTheSame() throws {
        let trails = try [false, true].map { hasReplica in
            var plan = PipelinePlan(seed: 5, profile: .spotAlt)
            plan.faultySeconds = 60
            plan.recoverySeconds = 0
            plan.invariants.remove(.recovery)
            plan.hasReplica = hasReplica
            plan.invariants.remove(.replica)
            return try Pipeline(plan).run().trail
        }
        #expect(trails[0] == trails[1])
    }
}
