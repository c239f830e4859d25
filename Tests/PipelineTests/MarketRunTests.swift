// Many books on one budget: who is served first, and that nothing goes wrong meanwhile. `lob market` runs the
// same for a whole market.

import BinanceVenue
import BookEngine
import FeedPlan
import MarketData
import PipelineSimulation
import Testing

struct MarketRunTests {
    static func plan(_ market: Market, symbolCount: Int, minutes: Int) -> MarketPlan {
        var engine = EngineConfiguration(rules: market.rules)
        engine.provenLevelCountMin = 500
        engine.requestsAreAnnounced = true
        engine.auditEveryNs = 60_000_000_000
        var planner = SnapshotPlanner.Configuration(pool: market.weightPool)
        planner.urgentReserve = planner.weightUsable / 2
        var plan = MarketPlan(market: market, engine: engine, planner: planner) {
            $0 < .deepen ? 100 : 1000
        }
        plan.symbolCount = symbolCount
        plan.minutes = minutes
        return plan
    }

    /// 200 books, of which 54 a minute can be deepened: the busy ones before all others, as soon as it shows
    /// which they are, and every book in as many minutes as the weight needs.
    @Test func theBusyAreDeepenedFirst() throws {
        var plan = Self.plan(.spot, symbolCount: 200, minutes: 5)
        plan.answerMs = 400
        var weights: [Int] = []
        let outcome = try MarketRun(plan).run { weights.append($0.weight) }
        #expect(outcome.end.errors == 0 && outcome.end.overflows == 0)
        #expect(outcome.end.busy.live == 20 && outcome.end.quiet.live == 180)
        #expect((outcome.busyDeepenedMs ?? .max) < 66_000)
        #expect((181_000..<200_000).contains(outcome.deepenedMs ?? .max))
        #expect(outcome.end.busy.audits > 0)
        #expect(weights.allSatisfy { $0 <= 5400 }, "\(weights)")
    }

    /// More audits than weight, and the busy books alone want more: every book has its turn all the same.
    @Test func everyBookIsAudited() throws {
        var plan = Self.plan(.usdm, symbolCount: 80, minutes: 5)
        plan.engine.auditEveryNs = 20_000_000_000
        plan.levelCount = { _ in 1000 }
        plan.busyEvery = 2
        (plan.busy.idsPerTick, plan.quiet.idsPerTick) = (1 << 40, 1 << 40)
        let outcome = try MarketRun(plan).run { _ in }
        #expect(outcome.end.errors == 0 && outcome.end.overflows == 0)
        // 54 a minute, while 240 are due.
        #expect((outcome.auditedMs ?? .max) < 190_000)
    }
}
