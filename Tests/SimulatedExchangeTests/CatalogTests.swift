// The symbols that people look at: plausible prices, and traffic that keeps the rules of the flow.

import BinanceVenue
import MarketData
import SimulatedExchange
import Testing

@Test(arguments: Market.allCases) func catalogIsPlausible(market: Market) {
    let symbols = VenueCatalog.symbols(market, count: 30)
    #expect(symbols.count == 30 && Set(symbols.map(\.name)).count == 30)
    for symbol in symbols {
        let profile = symbol.profile
        #expect(profile.market == market)
        var flow = OrderFlow(profile, symbol: symbol.name, seed: 3, startUs: 1_790_000_000_000_000)
        let what = Comment(rawValue: "\(symbol.name)")
        let worth = profile.scales.text(Price(profile.startPrice))
        #expect(flow.book.bids.count > 100 && flow.book.asks.count > 100, what)
        var previous = flow.lastUpdateID
        for _ in 0..<200 {
            flow.advance()
            #expect(flow.book.isUncrossed && flow.lastUpdateID > previous, what)
            previous = flow.lastUpdateID
        }
        let best = Double(flow.book.bids.best!.price.mantissa) / Double(profile.startPrice)
        #expect(best > 0.8 && best < 1.25, "\(symbol.name) at \(worth) walked to \(best)")
        for level in flow.book.bids.levels {
            #expect(level.quantity.mantissa % profile.quantityStep == 0 && level.quantity > .zero, what)
        }
    }
}

@Test func catalogKnowsNames() {
    let btc = VenueCatalog.symbol(SymbolName("BTCUSDT"), .spot)
    #expect(btc.facts.assets == ("BTC", "USDT") && btc.facts.tick == 1_000_000)
    #expect(VenueCatalog.symbol(SymbolName("ETHBTC"), .spot).facts.assets == ("ETH", "BTC"))
    let coin = VenueCatalog.symbol(SymbolName("BTCUSD_PERP"), .coinm)
    #expect(coin.facts.assets == ("BTC", "USD") && coin.facts.pair == "BTCUSD")
    #expect(VenueCatalog.symbol(SymbolName("FOO"), .spot).facts.assets == ("FOO", "USDT"))
}
