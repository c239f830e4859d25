// What an engine is told of each market.

import BinanceVenue
import BookSync
import MarketData
import Testing

@Test("The rules of a market are those of its streams", arguments: Market.allCases)
func marketRules(_ market: Market) {
    let rules = market.rules
    let isSpot = market == .spot
    #expect(rules.updatesAreLinked == !isSpot && market.updatesAreLinked == !isSpot)
    #expect(rules.idsAreContiguous == isSpot)
    #expect(rules.snapshotLevelCountMax == (isSpot ? 5000 : 1000))
    // Contiguous by its range, but not linked to the update before it.
    let range = UpdateRange(first: UpdateID(11), last: UpdateID(12), previousLast: UpdateID(9))
    #expect(rules.sequence.follow(range, UpdateID(10)) == (isSpot ? .connects : .gap))
}
