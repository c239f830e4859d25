// What a fetcher tells a shard besides bodies, whose turn it is, and what it takes from the venue's list.

import BinanceVenue
import FeedPlan
import LobHandoff
import MarketData
import Testing

@testable import DepthFeed
@testable import LobTransport

extension FeedSocketTests {
    @Suite struct FetcherNews {
        /// Before every body, once for every request sent: also for one that is repeated.
        @Test func everyRequestIsAnnounced() throws {
            let d = try FetcherHarness()
            d.venue.rest = { [unowned venue = d.venue] _, _ in
                venue.restRequests.count < 3 ? HTTPResponse(status: 500, json: "{}") : ok("{}")
            }
            d.want()
            #expect(d.announced == ["BTCUSDT 100"])
            d.drive { d.deliveries.count == 1 }
            #expect(d.announced == ["BTCUSDT 100", "BTCUSDT 100", "BTCUSDT 100"])
            d.want(FetcherHarness.key("ETHUSDT"), .deepen, levels: 900)
            d.drive { d.deliveries.count == 2 }
            #expect(d.announced.last == "ETHUSDT 1000" && d.announced.count == 4)
            d.finish()
        }

        /// What waits in the queue is not announced.
        @Test func waitingRequestsAreNotAnnounced() throws {
            let d = try FetcherHarness()
            d.venue.rest = { _, _ in nil }
            for number in 0..<20 { d.want(FetcherHarness.key("S\(number)")) }
            d.drive { d.venue.restRequests.count == 4 }
            #expect(d.announced == ["S0 100", "S1 100", "S2 100", "S3 100"])
            d.finish()
        }

        /// A request that finds the answer under way: announced again, and paid once.
        @Test func takenOver() throws {
            let d = try FetcherHarness()
            d.venue.rest = { _, _ in nil }
            d.want()
            d.drive { d.venue.restRequests.count == 1 }
            d.want(FetcherHarness.key(), .resync)
            #expect(d.announced == ["BTCUSDT 100", "BTCUSDT 100"])
            d.venue.release(ok("{}"))
            d.drive { d.deliveries.count == 1 }
            #expect(d.words == ["BTCUSDT 100 {}"] && d.venue.restRequests.count == 1)
            #expect(d.fetcher.plan.weightSpent == 5)
            d.finish()
        }

        /// The answer to what was cancelled is of before: it is dropped, and asked for anew.
        @Test func cancelledAndWantedAnew() throws {
            let d = try FetcherHarness()
            d.venue.rest = { _, _ in nil }
            d.want()
            d.drive { d.venue.restRequests.count == 1 }
            d.fetcher.want([.cancel(FetcherHarness.key())])
            d.want(FetcherHarness.key(), .resync)
            #expect(d.announced == ["BTCUSDT 100"])
            d.venue.release(ok("{\"old\":1}"))
            d.drive { d.venue.restRequests.count == 2 }
            #expect(d.deliveries.allSatisfy { $0.isRequest })
            d.venue.release(ok("{}"))
            d.drive { !d.words.isEmpty }
            #expect(d.words == ["BTCUSDT 100 {}"] && d.announced == ["BTCUSDT 100", "BTCUSDT 100"])
            d.finish()
        }

        /// A shard that takes no announcement yet: its place is before the body, and nothing more is sent.
        @Test func announcementsKeepTheirPlace() throws {
            let d = try FetcherHarness()
            d.venue.rest = { _, _ in ok("{}") }
            d.isHearing = false
            for number in 0..<5 { d.want(FetcherHarness.key("S\(number)")) }
            d.drive { d.venue.restRequests.count == 1 }
            d.pass(ms: 50)
            #expect(d.venue.restRequests.count == 1 && d.deliveries.isEmpty && d.announced.isEmpty)
            d.drive { d.status.undelivered == 1 }
            d.isHearing = true
            d.drive { d.deliveries.count == 5 }
            #expect(d.announced == (0..<5).map { "S\($0) 100" })
            d.finish()
        }

        /// The rank of a request, and one told later.
        @Test func ranks() throws {
            let d = try FetcherHarness {
                $0.planner!.inFlightMax = 1
                $0.requestLimitMs = 2000
                $0.planner!.answerTimeoutMs = 3000
            }
            d.venue.rest = { _, _ in nil }
            func want(_ name: String, _ levels: Int) {
                d.fetcher.want([
                    .want(
                        FetcherHarness.key(name), .deepen, levelCount: 100, attempt: 0,
                        rank: SnapshotRank(provenLevelCount: levels))
                ])
            }
            want("FIRST", 0)
            d.drive { d.venue.restRequests.count == 1 }
            want("A", 90)
            want("B", 70)
            want("C", 80)
            d.fetcher.want([.rank(FetcherHarness.key("A"), SnapshotRank(provenLevelCount: 5))])
            d.venue.rest = { _, _ in ok("{}") }
            d.venue.release(ok("{}"))
            d.drive { d.deliveries.count == 4 }
            #expect(d.announced == ["FIRST 100", "A 100", "B 100", "C 100"])
            d.finish()
        }

        /// The venue's budget, once its list is read; of two markets in one pool, the smaller.
        @Test func theVenueStatesItsBudget() throws {
            let d = try FetcherHarness([.usdm, .coinm])
            var limits = [2400, 4800]
            d.venue.rest = { path, _ in
                ok(
                    #"{"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","#
                        + #""intervalNum":1,"limit":\#(limits[path.hasPrefix("/fapi") ? 0 : 1])}],"symbols":[]}"#
                )
            }
            func fetch(_ market: Market) {
                var isDone = false
                d.fetcher.fetchExchangeInfo(market) { _ in isDone = true }
                d.drive { isDone }
            }
            fetch(.coinm)
            #expect(d.fetcher.plan.weightMax == 4320)
            fetch(.usdm)
            #expect(d.fetcher.plan.weightMax == 2160)
            fetch(.coinm)
            #expect(d.fetcher.plan.weightMax == 2160)
            limits = [1200, 4800]
            fetch(.usdm)
            #expect(d.fetcher.plan.weightMax == 1080)
            limits = [7, 4800]
            fetch(.usdm)
            #expect(d.fetcher.plan.weightMax == 1080)
            d.drive { d.status.unusableLimits == 1 && d.status.statedWeight == 1200 }
            #expect("\(d.status.lastError)" == "usdm states a limit of 7 a minute")
            d.finish()
        }

        /// A limit from a list that another fetcher has fetched holds from the first request on.
        @Test(arguments: [(1200, 1080, 0), (7, 5400, 1)])
        func aLimitKnownBefore(_ stated: Int, _ weightMax: Int, _ unusable: Int) throws {
            let d = try FetcherHarness { $0.statedWeightPerMinute = stated }
            #expect(d.fetcher.plan.weightMax == weightMax)
            #expect(d.fetcher.counted.unusableLimits == unusable)
            d.finish()
        }
    }
}
