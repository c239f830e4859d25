// Words for people.

import BinanceVenue
import DepthBook
import DepthFeed
import FeedPlan
import MarketData
import Testing
import VenueSupport

@testable import BookEngine
@testable import BookService

@Suite struct ServiceWordsTests {
    private static let nowMs: Int64 = 1_700_000_000_000

    private func status(_ wait: SnapshotPlanner.Obstacle?, untilMs: Int64, etaMs: Int64 = 0)
        -> SnapshotFetcherStatus
    {
        var status = SnapshotFetcherStatus()
        status.queued[2] = 3
        status.inFlight = 2
        status.waitsFor = wait
        (status.waitingUntilMs, status.etaMs) = (untilMs, etaMs)
        (status.weightSpent, status.weightMax) = (5400, 5400)
        return status
    }

    @Test func whatAFetcherWaitsFor() {
        let nowMs = Self.nowMs
        #expect(SnapshotFetcherStatus().waitText(nowMs: nowMs) == nil)
        let cases: [(SnapshotPlanner.Obstacle?, String?)] = [
            (nil, nil), (.limited, "requests are not wanted until 22:14:00Z"),
            (.banned, "banned until 22:14:00Z"),
            (.blocked, "kept out by the venue's firewall until 22:14:00Z"),
            (.outage, "no request is answered, the next one at 22:14:00Z"),
            (.budget, "weight used up (5400 of 5400) until 22:14:00Z"),
            (.answers, "2 answers are on their way"),
            (.backoff, "after a failure, the next request at 22:14:00Z"),
        ]
        for (wait, wanted) in cases {
            #expect(status(wait, untilMs: nowMs + 40_000).waitText(nowMs: nowMs) == wanted)
            let withETA = status(wait, untilMs: nowMs + 40_000, etaMs: nowMs + 120_000)
            let left = "all snapshots in 2 min"
            #expect(withETA.waitText(nowMs: nowMs) == (wanted.map { "\($0), \(left)" } ?? left))
        }
        #expect(status(.banned, untilMs: .max).waitText(nowMs: nowMs) != nil)
    }

    @Test(
        arguments: [
            (0, "00:00:00Z"), (86_399_999, "23:59:59Z"), (-5, "00:00:00Z"), (.max, nil),
        ] as [(Int64, String?)]) func clocks(_ ms: Int64, _ wanted: String?)
    {
        #expect(clockText(ms: ms).count == 9)
        if let wanted { #expect(clockText(ms: ms) == wanted) }
    }

    @Test(arguments: [(0, "0 s"), (1, "1 s"), (99_000, "99 s"), (100_000, "2 min"), (6_000_000, "2 h")])
    func durations(_ ms: Int64, _ wanted: String) {
        #expect(durationText(ms: ms) == wanted)
    }

    @Test func everyReasonHasWords() {
        let reasons = (0...20).compactMap { StaleReason(rawValue: UInt8($0)) }
        #expect(reasons.count >= 13 && Set(reasons.map(\.words)).count == reasons.count)
    }

    @Test func differences() {
        let scales = SymbolScales(priceDecimals: 2, quantityDecimals: 3)
        let mismatch = VenueMismatch(
            check: .ticker, at: UpdateID(7), rank: 0,
            venue: .init(bid: PriceLevel(6_125_010, 450), ask: PriceLevel(6_125_020, 1)),
            book: .init(bid: PriceLevel(6_125_000, 300), ask: PriceLevel(6_125_020, 1)), scales: scales)
        #expect(
            mismatch.text
                == "bid 61250.00 × 0.300 here, 61250.10 × 0.450 by the venue's ticker, at update id 7")
        var partial = mismatch
        partial.check = .partialDepth
        partial.rank = 4
        partial.book.ask = nil
        partial.book.bid = partial.venue.bid
        #expect(
            partial.text
                == "ask none here, 61250.20 × 0.001 by the venue's partial depth, level 5 of the side, "
                + "at update id 7")
    }
}
