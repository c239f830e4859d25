import SimulatedExchange
import Testing

@testable import PipelineSimulation

/// What happens to a doubt, and how it has ended when the book is believed again.
@Suite struct DoubtTests {
    static let table: [([Doubt.Input], DoubtEnding)] = [
        ([], .free),
        ([.update(after: 5, last: 8)], .free),
        // The first snapshot, and what comes with it.
        ([.requested, .snapshot(9)], .first),
        ([.requested, .update(after: 5, last: 8), .snapshot(6)], .first),
        ([.requested, .snapshot(6), .update(after: 5, last: 8), .update(after: 8, last: 9)], .first),
        (
            [
                .requested, .snapshot(6), .update(after: 5, last: 8), .update(after: 8, last: 9),
                .update(after: 9, last: 10),
            ], .late
        ),
        // Updates that end before it, and those that came before it, are none of the two.
        (
            [
                .requested, .snapshot(9), .update(after: 5, last: 6), .update(after: 6, last: 7),
                .update(after: 7, last: 8), .update(after: 8, last: 9), .update(after: 9, last: 10),
            ], .first
        ),
        ([.update(after: 1, last: 2), .update(after: 2, last: 3), .requested, .snapshot(3)], .first),
        // Nor is one that comes twice.
        (
            [
                .requested, .snapshot(6), .update(after: 5, last: 8), .update(after: 5, last: 8),
                .update(after: 8, last: 9),
            ], .first
        ),
        // It was requested for something else.
        ([.snapshot(9)], .free),
        ([.snapshot(9), .requested, .snapshot(9)], .first),
        // Too old, by an update before it or behind it.
        ([.requested, .update(after: 5, last: 8), .snapshot(4), .snapshot(5)], .older),
        ([.requested, .snapshot(4), .update(after: 5, last: 8), .snapshot(8)], .older),
        ([.requested, .snapshot(4), .update(after: 5, last: 8)], .free),
        // A second one.
        ([.requested, .snapshot(6), .snapshot(6)], .confirmed),
        ([.requested, .snapshot(6), .snapshot(7)], .another),
        ([.requested, .snapshot(6), .snapshot(6), .snapshot(6)], .another),
        ([.requested, .snapshot(6), .update(after: 5, last: 8), .snapshot(6)], .another),
        // It waits for a new subscription, unless it failed before.
        ([.requested, .snapshot(6), .resubscribe, .snapshot(6), .snapshot(6)], .resubscribed),
        ([.requested, .snapshot(6), .snapshot(7), .resubscribe], .another),
        // What is lost before the first snapshot makes no other doubt.
        ([.requested, .lost, .snapshot(6)], .first),
        ([.requested, .update(after: 1, last: 2), .update(after: 3, last: 4), .snapshot(3)], .first),
        // A snapshot that was requested before the loss, and shows the book before it, was for another doubt.
        (
            [
                .requested, .update(after: 1, last: 2), .update(after: 3, last: 4), .snapshot(2), .requested,
                .snapshot(4),
            ], .first
        ),
        ([.requested, .lost, .snapshot(2), .update(after: 3, last: 4), .requested, .snapshot(4)], .first),
        ([.requested, .lost, .requested, .update(after: 3, last: 4), .snapshot(2), .snapshot(4)], .older),
    ]

    @Test(arguments: table) func howItEnds(_ inputs: [Doubt.Input], _ ending: DoubtEnding) {
        var doubt = Doubt()
        for input in inputs { #expect(doubt.take(input) == nil) }
        #expect(doubt.ending == ending)
    }

    /// A loss behind a snapshot ends one doubt and begins another, of which nothing is known.
    @Test(
        arguments: [
            ([], .interrupted), ([.resubscribe], .resubscribed), ([.snapshot(6)], .interrupted),
            ([.snapshot(7)], .another),
            ([.update(after: 5, last: 7), .update(after: 7, last: 8), .update(after: 8, last: 9)], .late),
        ] as [([Doubt.Input], DoubtEnding)])
    func aLossIsAnotherDoubt(_ inputs: [Doubt.Input], _ ending: DoubtEnding) {
        var doubt = Doubt()
        for input in [.requested, .snapshot(6)] + inputs { #expect(doubt.take(input) == nil) }
        #expect(doubt.take(.lost) == ending)
        #expect(doubt.ending == .free)
        #expect(doubt.take(.snapshot(20)) == nil)
        #expect(doubt.ending == .first)
        // So is a hole.
        #expect(doubt.take(.update(after: 20, last: 22)) == nil)
        #expect(doubt.take(.update(after: 23, last: 25)) == .interrupted)
    }

    /// Under faults of the network nearly all doubts are settled by their first snapshot.
    @Test func firstSnapshotsAreUsed() throws {
        var doubts = DoubtCounts()
        for seed in 1...20 as ClosedRange<UInt64> {
            var plan = PipelinePlan(seed: seed, profile: .spotAlt)
            plan.faultySeconds = 60
            plan.faults = .network
            doubts.add(try Pipeline(plan).run().doubts)
        }
        #expect(doubts.counted > 40 && doubts.promptPercent >= 95, "\(doubts)")
    }

    @Test func sharesAreOfThoseThatCount() {
        var counts = DoubtCounts()
        #expect(counts.counted == 0 && counts.promptPercent == 100)
        for (index, ending) in DoubtEnding.allCases.enumerated() { counts[ending] = 1 << index }
        let counted = [.first, .confirmed, .older, .another, .late].reduce(0) { $0 + counts[$1] }
        #expect(counts.counted == counted)
        #expect(counts.promptPercent == 100 * Double(counts[.first] + counts[.confirmed]) / Double(counted))
        counts.add(counts)
        #expect(counts.counted == 2 * counted && counts[.free] == 2 << 7)
    }
}
