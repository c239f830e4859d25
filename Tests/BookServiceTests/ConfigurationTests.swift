// What a service works out from what it is told.

import BinanceVenue
import MarketData
import Testing

@testable import BookService

@Suite struct ConfigurationTests {
    private func configuration(_ market: Market, symbols: Int, depth: Int) -> ServiceConfiguration {
        let names = (0..<symbols).map { SymbolName("SIM\($0)USDT")! }
        var configuration = ServiceConfiguration(endpoints: Endpoints(market: market)!, symbols: names)
        configuration.depth = depth
        return configuration
    }

    /// A first book is deep at once while that costs at most a quarter of a minute's weight.
    @Test(
        arguments: [
            (Market.spot, 30, 1000, 1000), (.spot, 31, 1000, 100), (.spot, 6, 5000, 5000),
            (.spot, 7, 5000, 100),
            (.usdm, 30, 1000, 1000), (.usdm, 31, 1000, 100), (.coinm, 500, 40, 50), (.spot, 1000, 100, 100),
        ] as [(Market, Int, Int, Int)])
    func firstBooks(_ market: Market, _ symbols: Int, _ depth: Int, _ wanted: Int) {
        #expect(configuration(market, symbols: symbols, depth: depth).firstLevelCount == wanted)
    }

    /// A book is deepened when half of what was asked for is left, and never asks for more than there is.
    @Test(
        arguments: [
            (Market.spot, 5000, 5000, 2500), (.spot, 300, 500, 150), (.usdm, 5000, 1000, 500),
            (.spot, 1, 100, 1),
        ] as [(Market, Int, Int, Int)])
    func depth(_ market: Market, _ depth: Int, _ asked: Int, _ least: Int) {
        let configuration = configuration(market, symbols: 1, depth: depth)
        #expect(configuration.wantedLevelCount == asked)
        #expect(configuration.engine.provenLevelCountMin == least)
    }

    /// The weight that only urgent snapshots may use mends every book once, but is at most half of all.
    @Test(
        arguments: [
            (Market.spot, 1, 540), (.spot, 300, 1500), (.spot, 1000, 2700), (.usdm, 10, 216),
            (.usdm, 100, 500),
            (.usdm, 500, 1080),
        ] as [(Market, Int, Int)])
    func urgentReserve(_ market: Market, _ symbols: Int, _ wanted: Int) {
        let options = configuration(market, symbols: symbols, depth: 1000).fetcherOptions
        #expect(options.planner?.urgentReserve == wanted)
    }

    @Test func ringsGrowWithTheirSymbols() {
        let counts = [1, 16, 17, 32, 33, 100, 256, 512]
        let configuration = configuration(.spot, symbols: 1, depth: 1000)
        #expect(
            counts.map { configuration.ringBytes(symbolCount: $0) >> 20 } == [8, 8, 16, 16, 32, 64, 128, 128])
        var told = configuration
        told.ringBytes = 1 << 20
        #expect(told.ringBytes(symbolCount: 100) == 1 << 20)
    }

    /// Shards of one address share the venue's 300 attempts in five minutes.
    @Test(arguments: [(1, 120), (2, 120), (4, 60), (10, 24), (300, 1)])
    func attempts(_ shards: Int, _ wanted: Int) {
        let configuration = configuration(.spot, symbols: 1, depth: 1000)
        let feed = configuration.feed(shard: 0, of: shards, configuration.symbols)
        #expect(feed.supervisor.attemptsPerFiveMinutesMax == wanted)
    }

    /// Also if the last dial that each shard may make takes all the attempts that a dial may take. More
    /// shards are refused where the market has a limit.
    @Test(arguments: 1...60) func attemptsOfAllShards(_ shards: Int) throws {
        var configuration = configuration(.spot, symbols: 1, depth: 1000)
        let feed = configuration.feed(shard: 0, of: shards, configuration.symbols)
        let each = feed.supervisor.attemptsPerFiveMinutesMax + configuration.attemptsPerDialMax - 1
        #expect(each * shards <= 300)
        configuration.shardCountMin = shards
        try configuration.validate()
        configuration.shardCountMin = shards + 60
        let error = #expect(throws: ConfigurationError.self) { try configuration.validate() }
        #expect(error?.field == "shardCountMin" && error?.legal == "1 … 60")
    }
}
