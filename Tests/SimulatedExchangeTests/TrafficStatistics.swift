// The statistics of a diff stream, counted the way the sessions were: against a book that starts from a
// snapshot and knows nothing else, ranks and distances taken before each update.

import MarketData

struct TrafficStatistics {
    var updates = 0
    var levels = 0
    var deletes = 0
    var unheld = 0
    var inserts = 0
    var repeats = 0
    var again = 0
    var newBest = 0
    var oneSided = 0
    var movedBest = 0
    var tickers = 0
    var reinserted = 0
    var outside = 0
    var withinTop: [Int: Int] = [1: 0, 5: 0, 10: 0, 20: 0, 50: 0, 100: 0]
    var levelCounts: [Int] = []
    var distances: [Int64] = []
    var gapsUs: [Int64] = []
    var idSpans: [Int64] = []
    var idHoles: [Int64] = []
    var spreadTicks: [Int64] = []

    private let tick: Int64
    private var sides: [NaiveSide]
    private var edges: [Int64]
    private var previous: [Set<Int64>] = [[], []]
    private var deletedAtUs: [[Int64: Int64]] = [[:], [:]]
    private var lastTimeUs: Int64?

    init(_ snapshot: borrowing DepthSnapshot, tick: Int64) {
        self.tick = tick
        sides = [NaiveSide(snapshot.bids.array(), sign: 1), NaiveSide(snapshot.asks.array(), sign: -1)]
        edges = sides.map { $0.keys[0] }
    }

    func share(_ count: Int) -> Double { 100 * Double(count) / Double(max(levels, 1)) }
    var modifies: Int { levels - deletes - inserts }

    mutating func count(_ update: borrowing DepthUpdate, tickers tickerCount: Int) {
        updates += 1
        tickers += tickerCount
        levelCounts.append(update.levelCount)
        if update.bids.count == 0 || update.asks.count == 0 { oneSided += 1 }
        if let lastTimeUs { gapsUs.append(update.eventTimeUs - lastTimeUs) }
        lastTimeUs = update.eventTimeUs
        idSpans.append(update.last.value - update.first.value + 1)
        if let previousLast = update.previousLast {
            idHoles.append(update.first.value - previousLast.value - 1)
        }
        let bests = sides.map(\.keys.last!)
        count(update.bids.array(), side: 0, atUs: update.eventTimeUs)
        count(update.asks.array(), side: 1, atUs: update.eventTimeUs)
        if sides.map(\.keys.last!) != bests { movedBest += 1 }
        spreadTicks.append((-sides[1].keys.last! - sides[0].keys.last!) / tick)
    }

    private mutating func count(_ changed: [PriceLevel], side: Int, atUs timeUs: Int64) {
        var touched = Set<Int64>()
        let best = sides[side].keys.last!
        for level in changed {
            let key = sides[side].sign * level.price.mantissa
            let rank = sides[side].rank(key)
            let held = sides[side].quantities[key]
            levels += 1
            for top in withinTop.keys where rank < top { withinTop[top]! += 1 }
            if key < edges[side] { outside += 1 }
            if previous[side].contains(key) { again += 1 }
            touched.insert(key)
            distances.append((best - key) / tick)
            if level.quantity == .zero {
                deletes += 1
                if held == nil { unheld += 1 } else { deletedAtUs[side][key] = timeUs }
            } else if held == nil {
                inserts += 1
                if let at = deletedAtUs[side][key], timeUs - at < 1_000_000 { reinserted += 1 }
            } else if held == level.quantity.mantissa {
                repeats += 1
            }
            if level.quantity != .zero && key > best { newBest += 1 }
        }
        for level in changed { sides[side].set(level) }
        previous[side] = touched
    }

    static func percentile<T: Comparable>(_ values: [T], _ percent: Double) -> T {
        values.sorted()[Int(Double(values.count - 1) * percent / 100)]
    }

    var summary: String {
        func row(_ values: [Int64]) -> String {
            [1.0, 5, 10, 25, 50, 75, 90, 95, 99, 100].map { "\(Self.percentile(values, $0))" }
                .joined(separator: " ")
        }
        func two(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
        var text = "updates \(updates) levels \(levels)"
        for (name, value) in [
            ("delete", deletes), ("unheld", unheld), ("insert", inserts), ("modify", modifies),
            ("same", repeats), ("again", again), ("newBest", newBest), ("outside", outside),
        ] { text += " \(name) \(two(share(value)))" }
        text += "\n  reinserted \(two(100 * Double(reinserted) / Double(max(1, inserts))))"
        text += " oneSided \(two(100 * Double(oneSided) / Double(updates)))"
        text += " moved \(two(100 * Double(movedBest) / Double(updates)))"
        text += " tickers \(two(Double(tickers) / Double(updates)))"
        text += " top" + withinTop.keys.sorted().map { " \($0): \(two(share(withinTop[$0]!)))" }.joined()
        text += "\n  levels \(row(levelCounts.map(Int64.init)))\n  distance \(row(distances))"
        text += "\n  gap \(row(gapsUs))\n  span \(row(idSpans))"
        if !idHoles.isEmpty { text += "\n  hole \(row(idHoles))" }
        return text + "\n  spread \(row(spreadTicks)) held \(sides[0].keys.count)/\(sides[1].keys.count)"
    }
}

/// A side as a dictionary and its sorted keys.
struct NaiveSide {
    let sign: Int64
    var keys: [Int64]
    var quantities: [Int64: Int64] = [:]

    init(_ levels: [PriceLevel], sign: Int64) {
        self.sign = sign
        for level in levels { quantities[sign * level.price.mantissa] = level.quantity.mantissa }
        keys = quantities.keys.sorted()
    }

    func index(_ key: Int64) -> Int {
        var low = 0
        var high = keys.count
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] < key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func rank(_ key: Int64) -> Int {
        let at = index(key)
        return keys.count - at - (at < keys.count && keys[at] == key ? 1 : 0)
    }

    mutating func set(_ level: PriceLevel) {
        let key = sign * level.price.mantissa
        let at = index(key)
        let isHeld = at < keys.count && keys[at] == key
        if level.quantity == .zero {
            if isHeld { keys.remove(at: at) }
            quantities[key] = nil
        } else {
            if !isHeld { keys.insert(key, at: at) }
            quantities[key] = level.quantity.mantissa
        }
    }
}
