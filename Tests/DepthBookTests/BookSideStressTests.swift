import CLobKernels
import Foundation
import MarketData
import TestSupport
import Testing

@testable import DepthBook

/// How many times longer the runs are than in an everyday test. A hundred times is more than a million
/// updates a seed: `LOB_STRESS=100 swift test -c release -Xswiftc -enable-testing --filter BookSideStress`.
private let stress = max(ProcessInfo.processInfo.environment["LOB_STRESS"].flatMap { Int($0) } ?? 1, 1)

/// Where the prices of a message come from. Shapes follow each other on one side, so each meets what others
/// left.
private enum Shape: CaseIterable {
    /// Anywhere in a narrow, a wide and the whole legal band.
    case narrow, wide, legal
    /// Near a price that wanders.
    case clustered
    /// One price below the other, always in front of the same level; or above the other, always behind it.
    case packedBelow, packedAbove
    /// Halving the gap between two levels.
    case bisecting
    /// The best and the deepest end in one message.
    case bothEnds
    /// Ever better prices.
    case trending
    /// Hardly a delete, so that the side grows.
    case swelling
    /// The better half of the side, or all of it.
    case clearing
    /// Prices the side holds.
    case held
    /// Prices just above those the side holds.
    case beside

    var deletes: Double {
        switch self {
        case .swelling, .packedBelow, .packedAbove, .bisecting: 0.02
        case .clearing: 1
        case .narrow, .wide, .legal, .clustered, .bothEnds, .trending, .held, .beside: 0.4
        }
    }
}

/// One side and the dictionary model, under the same messages.
private struct StressRun: ~Copyable {
    let side: Side
    var random: SeededRandom
    var book: BookSide
    var model: [Int64: Int64] = [:]
    var buffer = LevelBuffer()
    var centre: Int64 = 50_000_000
    var updates = 0
    /// Levels of an ordinary message are fewer.
    var countBound = 60

    init(seed: UInt64, side: Side) {
        self.side = side
        random = SeededRandom(seed: seed)
        book = BookSide(side)
    }

    /// The levels the side should hold, best first.
    func wanted() -> [PriceLevel] {
        let better = side
        return model.map { PriceLevel($0.key, $0.value) }
            .sorted { better.isBetter($0.price, than: $1.price) }
    }

    mutating func price(_ shape: Shape, _ index: Int, _ held: [Int64]) -> Int64 {
        let step = Int64(updates + index)
        switch shape {
        case .narrow: return centre + Int64(random.below(200))
        case .wide: return centre + Int64(random.below(60_000))
        case .legal: return Int64(random.below(Int(Price.mantissaMax) + 1))
        case .clustered:
            return centre + Int64(random.below(30)) * Int64(random.below(30)) * Int64(random.below(30))
        case .packedBelow: return 200_000_000 - step % 90_000_000
        case .packedAbove: return 300_000_000 + step % 90_000_000
        case .bisecting: return 400_000_000 + 1 << (40 - step % 40)
        case .bothEnds: return index % 2 == 0 ? Int64(index) : Price.mantissaMax - Int64(index)
        case .trending: return side == .bid ? 500_000_000 + step * 3 : 400_000_000 - step * 3
        case .swelling: return 800_000_000 + (step * 7919) % 200_000
        case .clearing: return held[index]
        case .held: return held[random.below(held.count)]
        case .beside: return min(held[random.below(held.count)] + Int64(random.below(3)), Price.mantissaMax)
        }
    }

    /// One message of a shape, sorted either way or not at all, mostly without repeats.
    mutating func message(_ shape: Shape) -> [PriceLevel] {
        var count = random.chance(0.02) ? random.below(1_200) : random.below(countBound)
        var held: [Int64] = []
        switch shape {
        case .clearing:
            held = wanted().map(\.price.mantissa)
            count = random.chance(0.3) ? held.count : held.count / 2
        case .held, .beside:
            held = Array(model.keys.sorted().prefix(3_000))
            if held.isEmpty { count = 0 }
        case .clustered: centre += Int64(random.below(101)) - 50
        case .narrow, .wide, .legal, .packedBelow, .packedAbove, .bisecting, .bothEnds, .trending,
            .swelling:
            break
        }
        var levels: [PriceLevel] = []
        for index in 0..<count {
            let quantity = random.chance(0.01) ? Int64.max : Int64(random.below(1_000_000)) + 1
            levels.append(
                PriceLevel(price(shape, index, held), random.chance(shape.deletes) ? 0 : quantity))
        }
        if random.chance(0.05) { return levels }
        levels.sort { $0.price < $1.price }
        if random.chance(0.8) {
            let repeated = Set(levels.indices.dropFirst().filter { levels[$0].price == levels[$0 - 1].price })
            levels = levels.indices.filter { !repeated.contains($0) }.map { levels[$0] }
        }
        return random.chance(0.5) ? levels.reversed() : levels
    }

    mutating func apply(_ levels: [PriceLevel]) {
        var scratch = [lob_insertion](repeating: lob_insertion(), count: levels.count + 1)
        buffer.assign(levels)
        book.apply(buffer.base, count: buffer.count, scratch: &scratch)
        for level in levels {
            model[level.price.mantissa] = level.quantity.mantissa == 0 ? nil : level.quantity.mantissa
        }
        updates += levels.count
    }

    /// A snapshot of part of the side and of other levels: best first or in no order, some quantities zero,
    /// sometimes a price twice, of which the later counts.
    mutating func load() {
        var next = model
        for price in next.keys.sorted() where random.chance(0.2) { next[price] = nil }
        for level in message(.wide) { next[level.price.mantissa] = level.quantity.mantissa }
        var levels = next.keys.sorted().map { PriceLevel($0, next[$0]!) }
        if side == .bid { levels.reverse() }
        if random.chance(0.1) { levels.shuffle(using: &random) }
        if random.chance(0.5), let (index, level) = levels.enumerated().randomElement(using: &random),
            level.quantity != .zero
        {
            levels.insert(PriceLevel(level.price.mantissa, 3), at: index + 1)
            next[level.price.mantissa] = 3
        }
        buffer.assign(levels)
        book.load(buffer.base, count: buffer.count)
        model = next.filter { $0.value != 0 }
        updates += levels.count
    }

    mutating func evict() {
        let all = wanted()
        let kept = random.chance(0.3) ? random.below(3) : random.below(all.count + 50)
        let gone = book.evict(keeping: kept)
        #expect(gone == (kept < all.count ? all[kept].price : nil))
        for level in all.dropFirst(kept) { model[level.price.mantissa] = nil }
    }

    /// Everything that can be compared.
    func check(_ what: String) {
        let wanted = wanted()
        var levels: [PriceLevel] = []
        book.forEachLevel {
            levels.append($0)
            return true
        }
        let fault = book.storageFault()
        let (best, worst, count) = (book.best, book.worst, book.count)
        #expect(fault == nil, "\(what)")
        #expect(levels == wanted, "\(what)")
        #expect(best == wanted.first && worst == wanted.last?.price && count == wanted.count, "\(what)")
    }
}

/// Messages of every shape in any order against a dictionary, with snapshots and evictions between them.
@Suite struct BookSideStressTests {
    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64]) func mixedShapes(_ seed: UInt64) {
        let side: Side = seed % 2 == 0 ? .bid : .ask
        var run = StressRun(seed: seed, side: side)
        var shape = Shape.narrow
        var phase = 0
        while run.updates < 12_000 * stress {
            if run.random.chance(0.03) { shape = Shape.allCases[run.random.below(Shape.allCases.count)] }
            let levels = run.message(shape)
            run.apply(levels)
            phase += 1
            let isLoad = run.random.chance(0.02)
            let isEviction = run.random.chance(0.01) || run.model.count > 20_000
            if isLoad { run.load() }
            if isEviction { run.evict() }
            let fault = phase % 4 == 0 ? run.book.storageFault() : nil
            #expect(fault == nil, "seed \(seed) \(side) \(shape) after \(run.updates) updates")
            if isLoad || isEviction || phase % 40 == 0 {
                run.check("seed \(seed) \(side) \(shape) after \(run.updates) updates")
            }
        }
        run.check("seed \(seed) \(side) end")
    }

    /// Messages of up to four levels, whose slots are remembered instead of searched for: around the same
    /// prices for long, then elsewhere, with snapshots, evictions and long messages that move the levels.
    @Test(arguments: [11, 12, 13, 14] as [UInt64]) func fewLevels(_ seed: UInt64) {
        let side: Side = seed % 2 == 0 ? .bid : .ask
        let shapes: [Shape] = [.held, .held, .held, .beside, .narrow, .clustered, .packedBelow, .bothEnds]
        var run = StressRun(seed: seed, side: side)
        run.countBound = 5
        var shape = Shape.narrow
        var (messages, trusted) = (0, 0)
        while run.updates < 20_000 * stress {
            if run.random.chance(0.01) { shape = shapes[run.random.below(shapes.count)] }
            if run.random.chance(0.02) { run.book.remember() }
            trusted += unsafe run.book.hints.most > 0 ? 1 : 0
            run.apply(run.message(shape))
            messages += 1
            if run.random.chance(0.003) { run.load() }
            if run.random.chance(0.003) || run.model.count > 300 { run.evict() }
            if messages % 16 == 0 { run.check("seed \(seed) \(side) \(shape) after \(run.updates) updates") }
        }
        run.check("seed \(seed) \(side) end")
        #expect(trusted > messages / 8)
    }

    /// A quiet side keeps its trust whatever the tick of its prices.
    @Test(
        arguments: [
            1, 1_000, 100_000, 1_000_000, 25_000_000, 50_000_000, 100_000_000, 200_000_000, 500_000_000,
            1_000_000_000, 100_000_000_000,
        ] as [Int64], Side.allCases)
    func trustAtAnyTick(_ tick: Int64, _ side: Side) {
        var run = StressRun(seed: 3, side: side)
        run.buffer.assign((1...100).map { PriceLevel((side == .bid ? 101 - $0 : $0) * tick, 1) })
        run.book.load(run.buffer.base, count: run.buffer.count)
        for place in 0..<4_000 as Range<Int64> {
            let near = side == .bid ? 100 - place % 40 : 1 + place % 40
            run.apply([PriceLevel(near * tick, place % 7 + 1)])
        }
        let hints = run.book.hints
        #expect(hints.most == Int64(LOB_HINTED_MAX) && hints.trust > 500)
    }

    /// A side without a snapshot has hints from the first count of its levels on.
    @Test func trustWithoutASnapshot() {
        var run = StressRun(seed: 3, side: .bid)
        let none = run.book.hints
        #expect(none.most < 0)
        run.book.reconsiderHints(after: 1)
        let some = run.book.hints
        #expect(some.most == Int64(LOB_HINTED_MAX))
    }

    /// A quiet side keeps its trust in what it remembers; one whose prices are always new loses it, and has
    /// it again after a number of counts.
    @Test(arguments: Side.allCases) func trust(_ side: Side) {
        var run = StressRun(seed: 3, side: side)
        run.buffer.assign((1...100).map { PriceLevel((side == .bid ? 101 - $0 : $0) * 1_000, 1) })
        run.book.load(run.buffer.base, count: run.buffer.count)
        for price in 1...100 as ClosedRange<Int64> { run.model[price * 1_000] = 1 }
        for place in 0..<200 as Range<Int64> {
            run.apply([PriceLevel((place % 100 + 1) * 1_000, place % 7 + 1)])
        }
        let atRest = run.book.hints
        #expect(atRest.most == Int64(LOB_HINTED_MAX) && atRest.trust > 200)
        for place in 0..<60 as Range<Int64> { run.apply([PriceLevel(place * 1_000 + 1, 1)]) }
        let moved = run.book.hints
        #expect(moved.most < 0 && moved.trust < 0)
        run.check("\(side) moved")
        run.book.reconsiderHints(after: Int(-moved.trust) - 1)
        let soon = run.book.hints
        #expect(soon.most < 0 && soon.trust == -1)
        run.book.reconsiderHints(after: .max)
        let again = run.book.hints
        #expect(again.most == Int64(LOB_HINTED_MAX) && again.trust > 0)
        run.book.reconsiderHints(after: .max)
        let kept = run.book.hints.trust
        #expect(kept == again.trust)
        run.check("\(side) end")
    }

    /// One shape for the whole run, levels never thinned out but by the shape itself.
    @Test(arguments: Shape.allCases, Side.allCases) fileprivate func oneShape(_ shape: Shape, _ side: Side) {
        var run = StressRun(seed: 77, side: side)
        var messages = 0
        run.apply((1...500).map { PriceLevel($0 * 1_000_000, 1) })
        while run.updates < 1_500 * stress && messages < 1_000 * stress {
            let levels = run.message(shape)
            run.apply(levels)
            messages += 1
            if run.model.count > 60_000 { run.evict() }
            if messages % 50 == 0 { run.check("\(side) \(shape) after \(run.updates) updates") }
        }
        run.check("\(side) \(shape) end")
    }

    /// A side without a single free slot, then one insertion at different places: it must grow and stay
    /// right.
    @Test(arguments: Side.allCases) func noFreeSlotAtAll(_ side: Side) {
        for place in stride(from: 0, through: BookSide.capacityMin, by: 64) {
            var run = StressRun(seed: 5, side: side)
            run.fillEverySlot()
            #expect(run.book.count == BookSide.capacityMin && run.book.storageFault() == nil)
            let held = run.wanted()
            let price = place < held.count ? held[place].price.mantissa + 1 << 39 : side == .bid ? 1 : 1 << 52
            run.apply([PriceLevel(price, 7)])
            run.check("\(side) at \(place)")
            let growthCount = run.book.levelling.growthCount
            #expect(growthCount == 1)
        }
    }
}

extension StressRun {
    /// Puts a level into every slot, far from each other; no message could be relied on to do that.
    mutating func fillEverySlot() {
        let flip: Int64 = side == .bid ? 0 : -1
        for slot in 0..<book.capacity {
            let price = Int64(side == .bid ? slot + 1 : book.capacity - slot) << 40
            book.keys[slot] = price ^ flip
            book.quantities[slot] = 1
            model[price] = 1
        }
        book.resampleWindow(0, book.capacity)
        book.high = book.capacity - 1
    }
}
