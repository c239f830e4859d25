// Addresses, names and limits against the venue's documentation.

import BinanceVenue
import FeedPlan
import MarketData
import Testing

struct EndpointsTests {
    static let bitcoin = SymbolName("BTCUSDT")
    static let unicode = SymbolName("币安人生USDT")

    static func endpoints(_ market: Market) -> Endpoints { Endpoints(market: market)! }

    @Test func hosts() {
        let bases = Market.allCases.flatMap { market in
            VenueEnvironment.allCases.map { environment -> String in
                let found = Endpoints(market: market, environment: environment)
                return "\(market.name) \(environment) "
                    + (found.map { "\($0.streamBase) \($0.restBase)" } ?? "none")
            }
        }
        let expected = [
            "spot production wss://stream.binance.com:9443 https://api.binance.com",
            "spot dataOnly wss://data-stream.binance.vision https://data-api.binance.vision",
            "spot testnet wss://stream.testnet.binance.vision https://testnet.binance.vision",
            "spot demo wss://demo-stream.binance.com https://demo-api.binance.com",
            "usdm production wss://fstream.binance.com https://fapi.binance.com",
            "usdm dataOnly none",
            "usdm testnet wss://fstream.binancefuture.com https://testnet.binancefuture.com",
            "usdm demo wss://demo-fstream.binance.com https://demo-fapi.binance.com",
            "coinm production wss://dstream.binance.com https://dapi.binance.com",
            "coinm dataOnly none",
            "coinm testnet wss://dstream.binancefuture.com https://testnet.binancefuture.com",
            "coinm demo wss://demo-dstream.binance.com https://demo-dapi.binance.com",
        ]
        #expect(bases == expected)
    }

    @Test func streamTargets() {
        let names = ["btcusdt@depth@100ms", "btcusdt@bookTicker"]
        let spot = Self.endpoints(.spot)
        #expect(spot.rawStreamTarget(names) == "/ws/btcusdt@depth@100ms/btcusdt@bookTicker")
        #expect(spot.rawStreamTarget([]) == "/ws")
        #expect(spot.rawStreamTarget([], isMicroseconds: true) == "/ws?timeUnit=MICROSECOND")
        #expect(
            spot.combinedStreamTarget(names) == "/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker")
        #expect(
            spot.combinedStreamTarget([names[0]], isMicroseconds: true)
                == "/stream?streams=btcusdt@depth@100ms&timeUnit=MICROSECOND")
        #expect(spot.combinedStreamTarget([]) == "/stream")
        #expect(spot.combinedStreamTarget([], isMicroseconds: true) == "/stream?timeUnit=MICROSECOND")
        let usdm = Self.endpoints(.usdm)
        #expect(usdm.rawStreamTarget([names[0]], isMicroseconds: true) == "/public/ws/btcusdt@depth@100ms")
        #expect(usdm.combinedStreamTarget([names[1]]) == "/public/stream?streams=btcusdt@bookTicker")
        let coinm = Self.endpoints(.coinm)
        #expect(coinm.combinedStreamTarget(["btcusd_perp@depth"]) == "/stream?streams=btcusd_perp@depth")
    }

    @Test func otherHostsKeepTheVenuesPaths() {
        let here = Endpoints(
            market: .usdm, streamBase: "ws://127.0.0.1:9001", restBase: "http://127.0.0.1:9002")
        #expect(here.streamBase + here.rawStreamTarget([]) == "ws://127.0.0.1:9001/public/ws")
        #expect(
            here.restBase + here.snapshotTarget(Self.bitcoin, limit: 100)
                == "http://127.0.0.1:9002/fapi/v1/depth?symbol=BTCUSDT&limit=100")
    }

    @Test func streamNames() {
        let (spot, usdm) = (Self.endpoints(.spot), Self.endpoints(.usdm))
        #expect(spot.depthStream(Self.bitcoin) == "btcusdt@depth@100ms")
        #expect(spot.depthStream(Self.bitcoin, every: .ms1000) == "btcusdt@depth")
        #expect(spot.depthStream(Self.bitcoin, every: .ms250) == nil)
        #expect(spot.depthStream(Self.bitcoin, every: .ms500) == nil)
        #expect(usdm.depthStream(Self.bitcoin) == "btcusdt@depth@100ms")
        #expect(usdm.depthStream(Self.bitcoin, every: .ms250) == "btcusdt@depth")
        #expect(usdm.depthStream(Self.bitcoin, every: .ms500) == "btcusdt@depth@500ms")
        #expect(usdm.depthStream(Self.bitcoin, every: .ms1000) == nil)
        #expect(usdm.partialDepthStream(Self.bitcoin, levels: 20) == "btcusdt@depth20@100ms")
        #expect(spot.partialDepthStream(Self.bitcoin, levels: 5, every: .ms1000) == "btcusdt@depth5")
        #expect(spot.partialDepthStream(Self.bitcoin, levels: 7) == nil)
        #expect(usdm.partialDepthStream(Self.bitcoin, levels: 10, every: .ms1000) == nil)
        #expect(spot.bookTickerStream(Self.bitcoin) == "btcusdt@bookTicker")
        #expect(
            Self.endpoints(.coinm).depthStream(SymbolName("BTCUSD_PERP")) == "btcusd_perp@depth@100ms")
    }

    /// Only ASCII is lowercased; İ and K (kelvin) would change under Unicode case mapping.
    @Test func unicodeSymbols() {
        let usdm = Self.endpoints(.usdm)
        let name = usdm.depthStream(Self.unicode)!
        #expect(name == "币安人生usdt@depth@100ms")
        #expect(
            usdm.rawStreamTarget([name])
                == "/public/ws/%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9Fusdt@depth@100ms")
        #expect(
            usdm.snapshotTarget(Self.unicode, limit: 1000)
                == "/fapi/v1/depth?symbol=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT&limit=1000")
        #expect(usdm.bookTickerStream(SymbolName("İ\u{212A}ÄX")) == "İ\u{212A}Äx@bookTicker")
    }

    /// A hostile name stays inside its place in the URL.
    @Test func namesCannotLeaveTheirPlace() {
        let spot = Self.endpoints(.spot)
        let hostile = SymbolName("A/B?c=d&e#f %\r\n\"")
        #expect(
            spot.snapshotTarget(hostile, limit: 5)
                == "/api/v3/depth?symbol=A%2FB%3Fc%3Dd%26e%23f%20%25%0D%0A%22&limit=5")
        let target = spot.combinedStreamTarget([spot.bookTickerStream(hostile)])
        #expect(target == "/stream?streams=a%2Fb%3Fc%3Dd%26e%23f%20%25%0D%0A%22@bookTicker")
        #expect(target.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
    }

    @Test func restPaths() {
        #expect(
            Self.endpoints(.coinm).snapshotTarget(SymbolName("BTCUSD_PERP"), limit: 500)
                == "/dapi/v1/depth?symbol=BTCUSD_PERP&limit=500")
        #expect(Self.endpoints(.spot).exchangeInfoTarget == "/api/v3/exchangeInfo")
        #expect(Self.endpoints(.usdm).exchangeInfoTarget == "/fapi/v1/exchangeInfo")
        #expect(Self.endpoints(.coinm).exchangeInfoTarget == "/dapi/v1/exchangeInfo")
    }

    /// Wanted levels, and the limit and weight they come to on spot and on futures.
    @Test(arguments: [
        (1, 100, 5, 50, 2), (50, 100, 5, 50, 2), (51, 100, 5, 100, 5), (100, 100, 5, 100, 5),
        (101, 500, 25, 500, 10), (500, 500, 25, 500, 10), (501, 1000, 50, 1000, 20),
        (1001, 5000, 250, 1000, 20), (5000, 5000, 250, 1000, 20), (9999, 5000, 250, 1000, 20),
        (0, 100, 5, 50, 2), (-1, 100, 5, 50, 2),
    ])
    func limits(wanted: Int, spotLimit: Int, spotWeight: Int, futuresLimit: Int, futuresWeight: Int) {
        #expect(Market.spot.snapshotLimit(atLeast: wanted).levelCount == spotLimit)
        #expect(Market.spot.snapshotLimit(atLeast: wanted).weight == spotWeight)
        for market in [Market.usdm, .coinm] {
            #expect(market.snapshotLimit(atLeast: wanted).levelCount == futuresLimit)
            #expect(market.snapshotLimit(atLeast: wanted).weight == futuresWeight)
        }
    }

    @Test func budgetsAndTerms() {
        #expect(Market.allCases.map(\.weightPool) == [.spot, .futures, .futures])
        #expect(WeightPool.allCases.map(\.weightPerMinute) == [6000, 2400])
        #expect(Market.allCases.map(\.shallowSnapshotLimit.levelCount) == [100, 100, 100])
        #expect(Market.allCases.map(\.shallowSnapshotLimit.weight) == [5, 5, 5])
        #expect(Market.allCases.map(\.exchangeInfoWeight) == [20, 1, 1])
        let (spot, usdm) = (Market.spot.connectionTerms, Market.usdm.connectionTerms)
        #expect(spot.pingIntervalMs == 20_000 && spot.pongDeadlineMs == 60_000)
        #expect(usdm.pingIntervalMs == 180_000 && usdm.pongDeadlineMs == 600_000)
        #expect(spot.messagesPerSecondMax == 5 && usdm.messagesPerSecondMax == 10)
        #expect(spot.streamCountMax == 1024 && usdm.streamCountMax == 1024)
        #expect(spot.lifeMs == 24 * 3600 * 1000 && usdm == Market.coinm.connectionTerms)
        #expect(spot.attemptsPerFiveMinutesMax == 300 && usdm.attemptsPerFiveMinutesMax == nil)
    }
}
