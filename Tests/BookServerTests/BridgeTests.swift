// Clients that check no ids, over a served book whose source loses its way again and again.

import DepthBook
import Foundation
import MarketData
import TestSupport
import Testing

@testable import BookServer

/// A client as a person in a hurry writes it: a dictionary a side, whatever comes is set.
struct NaiveClient {
    var book = NaiveOrderBook()
    /// How far it takes each side for known: by the rule that a side shorter than asked for is complete.
    var bids = ProvenRange.nothing
    var asks = ProvenRange.nothing
    var lastID = UpdateID(0)

    init(_ snapshot: borrowing DepthSnapshot, asked: Int) {
        book.apply(bids: snapshot.bids.array(), asks: snapshot.asks.array())
        bids = snapshot.bids.count < asked ? .unbounded : .to(snapshot.bids[asked - 1].price)
        asks = snapshot.asks.count < asked ? .unbounded : .to(snapshot.asks[asked - 1].price)
        lastID = snapshot.lastUpdateID
    }

    mutating func apply(_ update: borrowing DepthUpdate) {
        book.apply(bids: update.bids.array(), asks: update.asks.array())
        lastID = update.last
    }

    func levels(_ side: Side, within range: ProvenRange) -> [PriceLevel] {
        let own = side == .bid ? bids : asks
        return book.levels(side).filter {
            own.reaches($0.price, on: side) && range.reaches($0.price, on: side)
        }
    }
}

/// The replica's book, which cannot be copied.
final class SourceBook {
    var book: OrderBook

    init(levelCountMax: Int) { book = OrderBook(levelCountMax: levelCountMax) }
}

/// A venue's book that moves at random, a source that follows it and loses it, and what is served of that.
private struct World: ~Copyable {
    var random: SeededRandom
    let isLinked: Bool
    var truth = NaiveOrderBook()
    var id = UpdateID(100)
    var centre: Int64 = 5_000
    let source: SourceBook
    let served: ServedBook
    var clients: [NaiveClient] = []
    var sourceIsLost = true
    var update = DepthUpdate()
    var bridgeCount = 0
    var comparisonCount = 0

    init(seed: UInt64, isLinked: Bool, levelCountMax: Int) {
        random = SeededRandom(seed: seed)
        self.isLinked = isLinked
        source = SourceBook(levelCountMax: levelCountMax)
        served = ServedBook("XUSDT", isLinked: isLinked, levelCountMax: levelCountMax)
        for distance in 1...Int64(40 + random.below(60)) {
            truth.bids[centre - distance] = 1 + Int64(random.below(9))
            truth.asks[centre + distance] = 1 + Int64(random.below(9))
        }
    }

    /// The venue changes some levels; the book's middle may move.
    mutating func move() {
        let before = id
        update.reset()
        update.scales = SymbolScales(priceDecimals: 2, quantityDecimals: 3)
        let shift = Int64(random.below(9)) - 4
        centre += shift
        for price in truth.bids.keys where price >= centre { update.bids.append(PriceLevel(price, 0)) }
        for price in truth.asks.keys where price <= centre { update.asks.append(PriceLevel(price, 0)) }
        for _ in 0..<random.below(8) {
            let distance = 1 + Int64(random.below(random.chance(0.2) ? 120 : 20))
            let quantity = random.chance(0.3) ? 0 : 1 + Int64(random.below(9))
            if random.chance(0.5) {
                update.bids.append(PriceLevel(centre - distance, quantity))
            } else {
                update.asks.append(PriceLevel(centre + distance, quantity))
            }
        }
        truth.apply(bids: update.bids.array(), asks: update.asks.array())
        id = UpdateID(before.value + 1 + Int64(random.below(4)))
        update.symbol = served.symbol
        (update.first, update.last) = (UpdateID(before.value + 1), id)
        update.previousLast = isLinked ? before : nil
    }

    /// The source begins anew from a snapshot of some depth.
    mutating func resync() {
        var snapshot = DepthSnapshot()
        snapshot.symbol = served.symbol
        snapshot.lastUpdateID = id
        snapshot.scales = SymbolScales(priceDecimals: 2, quantityDecimals: 3)
        let limit = [5, 10, 25, 50, 1_000][random.below(5)]
        snapshot.bids.assign(Array(truth.levels(.bid).prefix(limit)))
        snapshot.asks.assign(Array(truth.levels(.ask).prefix(limit)))
        source.book.load(snapshot, limit: limit)
        sourceIsLost = false
    }

    mutating func settle() {
        switch served.resume(source.book) {
        case .began, .unchanged, .behind: break
        case .bridged:
            bridgeCount += 1
            deliver(bridge: true)
        }
    }

    /// Every client applies it; ids must chain for those who would look.
    mutating func deliver(bridge: Bool) {
        #expect(!served.isOwing)
        for index in clients.indices {
            let (first, previous) =
                bridge
                ? (served.bridge.first, served.bridge.previousLast) : (update.first, update.previousLast)
            #expect(first.value == clients[index].lastID.value + 1 || isLinked)
            #expect(!isLinked || !bridge || first == clients[index].lastID)
            #expect(previous == (isLinked ? clients[index].lastID : nil))
            if bridge { clients[index].apply(served.bridge) } else { clients[index].apply(update) }
        }
    }

    mutating func step() {
        move()
        if sourceIsLost {
            if random.chance(0.2) {
                resync()
                settle()
            }
        } else if random.chance(0.04) {
            served.pause()
            sourceIsLost = true
        } else {
            try! source.book.apply(update)
            if !source.book.hasProvenBest(.bid) || !source.book.hasProvenBest(.ask) {
                served.pause()
                sourceIsLost = true
            } else if served.pass(update) {
                deliver(bridge: false)
            } else {
                settle()
            }
            if !sourceIsLost && random.chance(0.05) {
                // A deeper snapshot at the same id, as an audit brings it; or a pause without a loss.
                resync()
                if random.chance(0.5) {
                    served.deepen(source.book)
                } else {
                    served.pause()
                    settle()
                }
            }
        }
        if served.isShown && random.chance(0.1) && clients.count < 12 { join() }
    }

    mutating func join() {
        var snapshot = DepthSnapshot()
        let asked = [5, 20, 100, 1_000][random.below(4)]
        #expect(served.answer(&snapshot, limit: asked) > 0)
        clients.append(NaiveClient(snapshot, asked: asked))
    }

    mutating func compare() {
        guard served.state == .live else { return }
        for side in Side.allCases {
            let range = served.book.proven(side)
            for client in clients {
                comparisonCount += 1
                let own = side == .bid ? client.bids : client.asks
                let expected = truth.levels(side).filter {
                    range.reaches($0.price, on: side) && own.reaches($0.price, on: side)
                }
                let shown = served.book.levels(side).filter {
                    range.reaches($0.price, on: side) && own.reaches($0.price, on: side)
                }
                #expect(shown == expected)
                // What is owed comes with the next update.
                let owed = side == .bid ? served.promises.bids.owed : served.promises.asks.owed
                let isSettled = { (level: PriceLevel) in !owed.contains(level.price) }
                #expect(client.levels(side, within: range).filter(isSettled) == shown.filter(isSettled))
                // Whatever it shows is known here: it can be corrected.
                let held = Set(client.book.levels(side).filter(isSettled))
                #expect(held.isSubset(of: served.book.levels(side)))
                #expect(served.book.levels(side).count <= 2 * served.levelCountMax)
            }
        }
    }
}

@Suite struct BridgeTests {
    /// How many books; `LOB_BRIDGES` asks for more, in optimised code.
    private static let seedCount =
        ProcessInfo.processInfo.environment["LOB_BRIDGES"].flatMap { UInt64($0) } ?? 6

    /// Books that are lost a dozen times each: whoever applies what comes ends with ours.
    @Test(arguments: [false, true], [48, 4_000])
    func clientsThatCheckNothingEndWithOurBook(isLinked: Bool, levelCountMax: Int) {
        var bridgeCount = 0
        var comparisonCount = 0
        for seed in 0..<BridgeTests.seedCount {
            var world = World(seed: seed, isLinked: isLinked, levelCountMax: levelCountMax)
            for step in 0..<200 {
                world.step()
                if step % 8 == 0 { world.compare() }
            }
            bridgeCount += world.bridgeCount
            comparisonCount += world.comparisonCount
        }
        #expect(bridgeCount > 6 * Int(BridgeTests.seedCount))
        #expect(comparisonCount > 150 * Int(BridgeTests.seedCount))
    }

    @Test func changesLeadFromOneSideToTheOther() {
        var random = SeededRandom(seed: 5)
        for _ in 0..<2_000 {
            for side in Side.allCases {
                let books = (0..<2).map { _ in
                    var book = NaiveOrderBook()
                    for _ in 0..<random.below(12) {
                        let level = PriceLevel(Int64(random.below(15)), Int64(random.below(3)))
                        book.apply(bids: side == .bid ? [level] : [], asks: side == .ask ? [level] : [])
                    }
                    return book
                }
                let changes = ServedBook.changes(from: books[0].levels(side), to: books[1].levels(side), side)
                var led = books[0]
                led.apply(bids: side == .bid ? changes : [], asks: side == .ask ? changes : [])
                #expect(led.levels(side) == books[1].levels(side))
            }
        }
    }

    @Test func aSnapshotClaimsNoMoreThanIsProven() throws {
        var snapshot = DepthSnapshot()
        snapshot.scales = SymbolScales(priceDecimals: 0, quantityDecimals: 0)
        snapshot.lastUpdateID = UpdateID(7)
        snapshot.bids.assign((1...10).map { PriceLevel(100 - $0, 1) })
        snapshot.asks.assign((1...4).map { PriceLevel(100 + $0, 1) })
        var source = OrderBook()
        source.load(snapshot, limit: 10)
        let served = ServedBook("X", isLinked: false, levelCountMax: 100)
        #expect(served.resume(source) == .began)
        #expect(served.fill(&snapshot, limit: 50) == 10)
        #expect(snapshot.bids.count == 10 && snapshot.asks.count == 4)
        #expect(served.fill(&snapshot, limit: 3) == 3)
        #expect(snapshot.bids.count == 3 && snapshot.asks.count == 3)
    }

    /// A bridge to a book without a time, as spot's REST answers are, tells the present; none goes back.
    @Test func bridgesHaveATime() throws {
        var snapshot = DepthSnapshot()
        snapshot.scales = SymbolScales(priceDecimals: 0, quantityDecimals: 0)
        snapshot.bids.assign([PriceLevel(9, 1)])
        snapshot.asks.assign([PriceLevel(11, 1)])
        var source = OrderBook()
        let served = ServedBook("X", isLinked: false, levelCountMax: 100)
        let table: [(own: Int64, now: Int64, told: Int64)] = [
            (0, 100, 100), (0, 200, 200), (0, 150, 200), (300, 250, 300), (0, 0, 300), (400, 500, 500),
        ]
        for (index, row) in table.enumerated() {
            snapshot.lastUpdateID = UpdateID(Int64(index) + 1)
            snapshot.eventTimeUs = row.own
            source.load(snapshot, limit: nil)
            #expect(served.resume(source, nowUs: row.now) == (index == 0 ? .began : .bridged))
            if index > 0 { #expect(served.bridge.eventTimeUs == row.told, "\(row)") }
            #expect(served.eventTimeUs == row.told, "\(row)")
            #expect(served.ticker.eventTimeUs == row.told, "\(row)")
        }
    }

    /// A time of the far future, in an update or by a wrong clock, is told until the venue says a sane one; a
    /// little ahead of the next update is no error, and is not taken back.
    @Test(arguments: [true, false]) func timesOfTheFarFutureAreForgotten(_ isPassed: Bool) throws {
        var snapshot = DepthSnapshot()
        snapshot.scales = SymbolScales(priceDecimals: 0, quantityDecimals: 0)
        snapshot.bids.assign([PriceLevel(9, 1)])
        snapshot.asks.assign([PriceLevel(11, 1)])
        let secondUs: Int64 = 1_000_000
        for (aheadUs, isTold) in [(300 * secondUs, false), (.max / 2, false), (secondUs / 2, true)] {
            var source = OrderBook()
            let served = ServedBook("X", isLinked: false, levelCountMax: 100)
            let startUs = 1_800_000_000 * secondUs
            var id = UpdateID(1)
            func load(_ eventTimeUs: Int64) {
                snapshot.lastUpdateID = id
                snapshot.eventTimeUs = eventTimeUs
                source.load(snapshot, limit: nil)
                id = UpdateID(id.value + 1)
            }
            func pass(_ eventTimeUs: Int64) {
                var update = DepthUpdate()
                update.scales = snapshot.scales
                (update.first, update.last, update.eventTimeUs) = (id, id, eventTimeUs)
                id = UpdateID(id.value + 1)
                let isTaken = served.pass(update)
                #expect(isTaken)
            }
            load(startUs)
            #expect(served.resume(source, nowUs: startUs) == .began)
            if isPassed { pass(startUs + aheadUs) }
            load(isPassed ? startUs : startUs + aheadUs)
            #expect(served.resume(source, nowUs: startUs) == .bridged)
            pass(startUs + 1)
            #expect(served.eventTimeUs == (isTold ? startUs + aheadUs : startUs + 1), "\(aheadUs)")
            load(startUs + 2)
            #expect(served.resume(source, nowUs: startUs + 2) == .bridged)
            #expect(served.bridge.eventTimeUs == (isTold ? startUs + aheadUs : startUs + 2), "\(aheadUs)")
        }
    }

    /// A book of the past is not gone back to, and a wrong one at the same id is not believed.
    @Test func whatCannotBeBridgedIsBehind() throws {
        var snapshot = DepthSnapshot()
        snapshot.scales = SymbolScales(priceDecimals: 0, quantityDecimals: 0)
        snapshot.lastUpdateID = UpdateID(7)
        snapshot.bids.assign([PriceLevel(9, 1)])
        snapshot.asks.assign([PriceLevel(11, 1)])
        var source = OrderBook()
        source.load(snapshot, limit: nil)
        let served = ServedBook("X", isLinked: false, levelCountMax: 100)
        #expect(served.resume(source) == .began)
        served.pause()
        #expect(served.resume(source) == .unchanged)
        snapshot.bids.assign([PriceLevel(9, 2)])
        source.load(snapshot, limit: nil)
        served.pause()
        #expect(served.resume(source) == .behind && served.state == .behind)
        snapshot.lastUpdateID = UpdateID(6)
        source.load(snapshot, limit: nil)
        #expect(served.resume(source) == .behind)
        snapshot.lastUpdateID = UpdateID(8)
        source.load(snapshot, limit: nil)
        #expect(served.resume(source) == .bridged && served.state == .live)
        #expect(served.bridge.first == UpdateID(8) && served.bridge.last == UpdateID(8))
        #expect(served.bridge.bids.array() == [PriceLevel(9, 2)] && served.bridge.asks.count == 0)
        served.forget()
        #expect(served.resume(source) == .began)
    }
}
