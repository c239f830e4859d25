// The random draws of the order flow: which level an update touches, and how it changes.

import MarketData

/// Recently deleted prices, the newest overwriting the oldest: at most `capacity`.
struct RecentPrices: Sendable {
    private var prices: [Int64] = []
    private var end = 0
    private static let capacity = 512

    mutating func append(_ price: Int64) {
        if prices.count < RecentPrices.capacity { prices.append(price) } else { prices[end] = price }
        end = (end + 1) % RecentPrices.capacity
    }

    /// One of them; later ones are more likely.
    func draw(_ random: inout SeededRandom) -> Int64? {
        if prices.isEmpty { return nil }
        let age = min(random.below(prices.count), random.below(prices.count)) + 1
        return prices[(end + RecentPrices.capacity - age) % RecentPrices.capacity % prices.count]
    }
}

extension OrderFlow {
    private static let farCount = 6
    private var tick: Int64 { profile.tick * tickFactor }
    private func sign(_ side: Side) -> Int64 { side == .bid ? 1 : -1 }

    /// The initial book: the level at each rank is where inserts and deletes balance.
    mutating func fillBook() {
        for side in Side.allCases {
            let best = profile.startPrice + (side == .bid ? 0 : profile.tick)
            var levels: [PriceLevel] = []
            var distance: Int64 = -1
            for rank in 0..<profile.levelCount {
                let balanced = profile.deleteRank.counterpart(of: Int64(rank), in: profile.insertDistance)
                distance = max(distance + 1, rank == 0 ? 0 : balanced + Int64(random.below(3)))
                let price = best - sign(side) * distance * profile.tick
                if price < profile.tick { break }
                levels.append(PriceLevel(price, drawQuantity()))
            }
            book.load(side, bestFirst: levels)
            for index in 0..<OrderFlow.farCount where profile.farPerMille > 0 {
                book.set(side, PriceLevel(farPrice(side, index), drawQuantity()))
            }
        }
        wantedBids = book.bids.count
        wantedAsks = book.asks.count
    }

    /// One change away from the best prices.
    mutating func changeLevel() {
        let side: Side = random.below(2) == 0 ? .bid : .ask
        let count = book[side].count
        if isBursting { return changeAnywhere(side) }
        if episode == .thinning { return deleteLevel(side, rank: 1 + random.below(min(1_000, count - 1))) }
        let wanted = wantedCount(side)
        if count < wanted * 3 / 4 && random.chance(perMille: 600) { return refill(side) }
        let churn = profile.insertPerMille + profile.deletePerMille
        let missing = (wanted - count) * churn / wanted
        let insert = min(max(profile.insertPerMille + missing, churn / 10), churn - churn / 10)
        if random.chance(perMille: profile.reusePerMille), changeAgain(side) { return }
        let kind = random.below(1_000)
        if kind < insert {
            insertLevel(side)
        } else if kind < churn {
            deleteLevel(side, rank: Int(profile.deleteRank.draw(&random)))
        } else if kind < churn + profile.unheldPerMille {
            touchUnheld(side)
        } else {
            modifyLevel(side)
        }
    }

    /// The number of levels that a side tends to return to: its number at the start.
    func wantedCount(_ side: Side) -> Int { side == .bid ? wantedBids : wantedAsks }

    /// A new level where the book used to have one, at any of its ranks.
    private mutating func refill(_ side: Side) {
        guard let best = book[side].best?.price.mantissa else { return }
        let rank = Int64(1 + random.below(wantedCount(side)))
        let distance = max(profile.deleteRank.counterpart(of: rank, in: profile.insertDistance), 1)
        let price = best - sign(side) * (distance + Int64(random.below(3))) * tick
        if price >= tick && isFree(side, price, best: best) {
            put(side, price, drawQuantity())
        } else {
            insertLevel(side)
        }
    }

    /// A change at any rank but the best, all ranks equally likely.
    private mutating func changeAnywhere(_ side: Side) {
        guard let best = book[side].best?.price.mantissa else { return }
        let rank = 1 + random.below(book[side].count - 1)
        let level = book[side].level(rank: rank)
        let price = level.price.mantissa - sign(side) * tick
        switch random.below(4) {
        case 0: deleteLevel(side, rank: rank)
        case 1 where price >= tick && isFree(side, price, best: best): put(side, price, drawQuantity())
        default: put(side, level.price.mantissa, otherQuantity(level.quantity.mantissa))
        }
    }

    /// Changes a price of the previous update; false if there is none to change.
    private mutating func changeAgain(_ side: Side) -> Bool {
        let count = side == .bid ? previousBids.count : previousAsks.count
        guard count > 0, let best = book[side].best?.price.mantissa else { return false }
        let index = random.below(count)
        let price = side == .bid ? previousBids[index] : previousAsks[index]
        let held = book[side].quantity(at: price)
        let stays = 1_000 - profile.insertPerMille - profile.deletePerMille - profile.unheldPerMille
        if held == 0 {
            let isInsert =
                random.below(profile.insertPerMille + profile.unheldPerMille) < profile.insertPerMille
            put(side, price, isInsert && isFree(side, price, best: best) ? drawQuantity() : 0)
        } else if price != best && random.below(profile.deletePerMille + stays) < profile.deletePerMille {
            remove(side, price)
        } else {
            put(side, price, otherQuantity(held))
        }
        return true
    }

    /// Changes the quantity at a best price.
    mutating func touchBest() {
        let side: Side = random.below(2) == 0 ? .bid : .ask
        guard let best = book[side].best else { return }
        let price = best.price.mantissa
        let isTouched = price == (side == .bid ? touchedBestBid : touchedBestAsk)
        if side == .bid { touchedBestBid = price } else { touchedBestAsk = price }
        let quantity = otherQuantity(best.quantity.mantissa)
        if isTouched { set(side, price, quantity) } else { put(side, price, quantity) }
    }

    /// Narrows a spread wider than one tick, more often than not.
    mutating func tightenSpread() {
        guard episode != .thinning, let bid = book.bids.best, let ask = book.asks.best,
            ask.price.mantissa - bid.price.mantissa > tick, random.chance(perMille: profile.tightenPerMille)
        else { return }
        let side: Side = random.below(2) == 0 ? .bid : .ask
        let opposite = side == .bid ? ask : bid
        put(side, opposite.price.mantissa - sign(side) * tick, drawQuantity())
    }

    /// Moves both best prices when it is time to.
    mutating func moveBest(activity: UInt32) {
        switch episode {
        case .thinning: return
        case .walking(let direction):
            let side = homeward() ?? direction
            move(side, ticks: profile.walkTicks / 2 + Int64(random.below(Int(profile.walkTicks))) + 1)
        case .calm:
            let isBusy = activity > UInt32.max / 2
            guard random.chance(perMille: profile.movePerMille * (isBusy ? 8 : 2) / 5) else { return }
            let away = (book.bids.best?.price.mantissa ?? 0) - profile.startPrice
            let pull = min(max(away * 400 / (profile.startPrice / 20), -350), 350)
            let side: Side = random.chance(perMille: 500 - Int(pull)) ? .bid : .ask
            move(side, ticks: profile.moveTicks.draw(&random))
        }
    }

    /// The side to move towards if the price has drifted far from its start.
    private func homeward() -> Side? {
        let price = book.bids.best?.price.mantissa ?? profile.startPrice
        return price < profile.startPrice / 4 * 3 ? .bid : price > profile.startPrice / 4 * 5 ? .ask : nil
    }

    /// Improves the best price of one side by some ticks and removes what stands in its way.
    private mutating func move(_ side: Side, ticks: Int64) {
        let opposite = side.opposite
        guard let start = book[side].best?.price.mantissa else { return }
        var target = start + sign(side) * ticks * tick
        if target < 50 * tick { return }
        while let best = book[opposite].best, book[opposite].key(best.price.mantissa - target) >= 0,
            book[opposite].count > OrderFlow.levelCountMin
        {
            put(opposite, best.price.mantissa, 0)
        }
        if let best = book[opposite].best, book[opposite].key(best.price.mantissa - target) >= 0 {
            target = best.price.mantissa - sign(side) * tick
        }
        if sign(side) * (target - start) <= 0 { return }
        if episode == .calm && random.chance(perMille: profile.retreatPerMille) { return }
        let between = (target - start) / (sign(side) * tick)
        put(side, target, drawQuantity())
        for _ in 0..<min(between / profile.moveGapTicks, 64) {
            put(side, target - sign(side) * (1 + Int64(random.below(Int(between)))) * tick, drawQuantity())
        }
        if book[opposite].best?.price.mantissa != target + sign(side) * tick, random.chance(perMille: 970) {
            put(opposite, target + sign(side) * tick, drawQuantity())
        }
        trim(side)
    }

    /// Removes the deepest levels of a side that has grown too long.
    private mutating func trim(_ side: Side) {
        while book[side].count > wantedCount(side) * 5 / 4 {
            put(side, book[side].levels[0].price.mantissa, 0)
        }
    }

    private mutating func insertLevel(_ side: Side) {
        guard let best = book[side].best?.price.mantissa else { return }
        var distance = profile.insertDistance.draw(&random)
        if let price = reinsertedPrice(side), isFree(side, price, best: best) {
            return put(side, price, drawQuantity())
        }
        for _ in 0..<8 {
            let price = best - sign(side) * distance * tick
            if price < tick || (profile.rankMax != .max && book[side].rank(of: price) > profile.rankMax) {
                distance = distance / 2 + Int64(random.below(2))
            } else if isFree(side, price, best: best) {
                return put(side, price, drawQuantity())
            } else {
                distance += 1
            }
        }
        modifyLevel(side)
    }

    /// Whether a level may be inserted here: an empty price, behind the best, within the ranks.
    private func isFree(_ side: Side, _ price: Int64, best: Int64) -> Bool {
        book[side].key(price - best) < 0 && book[side].quantity(at: price) == 0
            && (profile.rankMax == .max || book[side].rank(of: price) <= profile.rankMax)
    }

    private mutating func deleteLevel(_ side: Side, rank: Int) {
        remove(side, book[side].level(rank: min(rank, book[side].count - 1)).price.mantissa)
    }

    private mutating func remove(_ side: Side, _ price: Int64) {
        if book[side].count <= OrderFlow.levelCountMin { return modifyLevel(side) }
        if side == .bid { deletedBids.append(price) } else { deletedAsks.append(price) }
        put(side, price, 0)
    }

    private mutating func modifyLevel(_ side: Side) {
        if profile.farPerMille > 0, random.chance(perMille: profile.farPerMille) {
            let price = farPrice(side, random.below(OrderFlow.farCount))
            guard book[side].best.map({ book[side].key(price - $0.price.mantissa) < 0 }) == true else {
                return
            }
            return put(side, price, otherQuantity(book[side].quantity(at: price)))
        }
        let rank = min(Int(profile.modifyRank.draw(&random)), book[side].count - 1)
        let price = book[side].level(rank: rank).price.mantissa
        let held = book[side].quantity(at: price)
        put(side, price, random.chance(perMille: profile.samePerMille) ? held : otherQuantity(held))
    }

    /// Touches a price without a level, as if one had come and gone since the last update.
    private mutating func touchUnheld(_ side: Side) {
        guard let best = book[side].best?.price.mantissa else { return }
        for _ in 0..<4 {
            let price = best - sign(side) * profile.unheldDistance.draw(&random) * tick
            if price >= tick && book[side].quantity(at: price) == 0 { return put(side, price, 0) }
        }
        modifyLevel(side)
    }

    private mutating func reinsertedPrice(_ side: Side) -> Int64? {
        guard random.chance(perMille: profile.reinsertPerMille) else { return nil }
        return side == .bid ? deletedBids.draw(&random) : deletedAsks.draw(&random)
    }

    /// One of the round prices far away where orders rest for days.
    private func farPrice(_ side: Side, _ index: Int) -> Int64 {
        let share = profile.startPrice * Int64(2 * index + 1) / Int64(2 * OrderFlow.farCount + 1)
        let price = side == .bid ? share : profile.startPrice + share + profile.startPrice / 16
        return price / (100 * profile.tick) * (100 * profile.tick)
    }

    private mutating func drawQuantity() -> Int64 {
        max(profile.quantity.draw(&random) / profile.quantityStep, 1) * profile.quantityStep
    }

    /// A quantity that follows another: close to it in two of three cases, otherwise a new draw; never the
    /// same.
    private mutating func otherQuantity(_ held: Int64) -> Int64 {
        var drawn = drawQuantity()
        if held > 0 && random.below(3) > 0 {
            drawn =
                held / 1_024 * Int64(512 + random.below(1_024)) / profile.quantityStep * profile.quantityStep
        }
        return drawn == held || drawn <= 0 ? held + profile.quantityStep : drawn
    }

    /// Touches a price and sets its quantity.
    private mutating func put(_ side: Side, _ price: Int64, _ quantity: Int64) {
        if side == .bid { touchedBids.append(price) } else { touchedAsks.append(price) }
        set(side, price, quantity)
    }

    /// Sets the quantity of a touched price.
    private mutating func set(_ side: Side, _ price: Int64, _ quantity: Int64) {
        let level = PriceLevel(price, quantity)
        if book.set(side, level) { current.changes.append(FlowChange(side: side, level: level)) }
    }
}
