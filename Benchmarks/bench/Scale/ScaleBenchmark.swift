// What a message costs when there are thousands of books, none of which is in the cache when its turn comes.
//
// * One engine holds all symbols; the same messages also go through engines that hold one symbol each. Both
//   are measured in turn, round by round, and the ratio of the two is what the size costs.
// * Every symbol has its turn once in each pass, in another order each time: the caches never see a book
//   twice in a row, which no market does to them. A market has busy symbols, too.
// * Messages are given to the ring in bursts, outside of what is timed.
// * Odd rounds time each message; even rounds time whole bursts, with no timer between messages, which lets
//   the processor overlap them.

import ArgumentParser
import CLobAllocator
import CLobKernels
import Foundation
import LobHandoff

/// One size.
struct ScaleCase {
    var mix: String
    var symbolCount: Int
    /// Levels a side of every snapshot; nil for as many as were captured.
    var depth: Int?
}

/// What was measured of one implementation.
struct ScaleRow {
    var size: ScaleCase
    var implementation: String
    var levelsPerMessage: Double
    var messageCount: Int
    var nsPerMessage: Double
    var p50Ns: Double
    var p99Ns: Double
    /// p50 and whole bursts of the same messages where each engine holds one symbol; nil for peers.
    var singleP50Ns: Double?
    var singleNsPerMessage: Double?
    /// Pages of the heap in use for it, by symbol; nil without jemalloc.
    var bytesPerBook: Double?
}

/// Times of one contender.
struct ScaleTimes {
    var histogram = LatencyHistogram.ofTicks()
    /// Ticks of a message in a whole burst, for every message of it; the median is not moved by bursts in
    /// which other work had the CPU.
    var bursts = LatencyHistogram.ofTicks()

    mutating func record(_ ticks: UInt64, weight: Int) {
        histogram.record(min(max(ticks, 1), 1 << 33), count: UInt64(weight))
    }
}

/// The benchmark.
struct ScaleBenchmark {
    static let burstCount = 16
    static let roundMessageCount = 20
    static let ringBytes = 1 << 20

    var roundCount = 8
    let sources: [ScaleSource]
    let timer: CycleTimer

    /// Messages that a source needs.
    static func messageCount(isSmoke: Bool) -> Int { roundMessageCount * (isSmoke ? 2 : 8) }

    /// - Returns: a row for each implementation; nothing if somebody asked to stop.
    func run(_ size: ScaleCase, withPeers: Bool, _ watch: inout Watch) throws -> [ScaleRow] {
        let symbols = (0..<size.symbolCount).map { (number: $0, source: $0 % sources.count) }
        let levels = symbols.reduce(0.0) { $0 + sources[$1.source].levelsPerMessage }
        func row(_ name: String, _ times: ScaleTimes, _ bytes: Double?) -> ScaleRow {
            let nsPerTick = timer.nsPerTick()
            let overhead = Double(timer.overheadTicks)
            func ns(_ share: Double) -> Double {
                max(Double(times.histogram.valueAtPercentile(share)) - overhead, 0) * nsPerTick
            }
            return ScaleRow(
                size: size, implementation: name, levelsPerMessage: levels / Double(symbols.count),
                messageCount: Int(times.histogram.totalCount + times.bursts.totalCount),
                nsPerMessage: Double(times.bursts.valueAtPercentile(50)) * nsPerTick,
                p50Ns: ns(50), p99Ns: ns(99), bytesPerBook: bytes.map { $0 / Double(symbols.count) })
        }
        var rows: [ScaleRow] = []
        let engine = try measureEngine(symbols, &watch)
        var own = row("engine", engine.all, engine.bytes)
        let single = row("engine", engine.single, nil)
        (own.singleP50Ns, own.singleNsPerMessage) = (single.p50Ns, single.nsPerMessage)
        rows.append(own)
        watch.poll()
        if withPeers && !watch.isInterrupted {
            let dictionary = measure(symbols) { ScaleBooks<DictionaryBook>(symbols, sources) }
            rows.append(row("dictionary", dictionary.times, dictionary.bytes))
            try check(engine.digests, dictionary.digests)
            let sorted = measure(symbols) { ScaleBooks<SortedArrayBook>(symbols, sources) }
            rows.append(row("sorted-array", sorted.times, sorted.bytes))
            try check(engine.digests, sorted.digests)
        }
        watch.poll()
        return watch.isInterrupted ? [] : rows
    }

    private func check(_ a: [UInt64], _ b: [UInt64]) throws {
        guard let wrong = zip(a, b).enumerated().first(where: { $1.0 != $1.1 })?.offset else { return }
        throw ScaleError.differ(symbol: wrong)
    }

    /// Engines of one symbol each and the engine of all, in turn.
    private func measureEngine(_ symbols: [(number: Int, source: Int)], _ watch: inout Watch) throws
        -> (all: ScaleTimes, single: ScaleTimes, bytes: Double?, digests: [UInt64])
    {
        let used = min(sources.count, symbols.count)
        var singles: [ScaleBox<ScaleEngine>] = []
        for source in 0..<used {
            singles.append(
                ScaleBox(
                    try ScaleEngine(
                        [(0, source)], sources, ring: FrameRing(capacityBytes: ScaleBenchmark.ringBytes))))
        }
        let ring = try FrameRing(capacityBytes: ScaleBenchmark.ringBytes)
        let before = ScaleBenchmark.heapBytes()
        var all = try ScaleEngine(symbols, sources, ring: ring)
        let bytes = ScaleBenchmark.heapBytes().flatMap { after in before.map { Double(after) - Double($0) } }
        var (times, singleTimes) = (ScaleTimes(), ScaleTimes())
        var order = ScaleOrder(symbols.count)
        for round in 0..<roundCount where !watch.isInterrupted {
            for source in 0..<used {
                let weight = (symbols.count - source + sources.count - 1) / sources.count
                let messages = indices(round).map { ScaleMessage(number: 0, source: source, index: $0) }
                run(messages, &singles[source].value, &singleTimes, isTimed: round % 2 == 1, weight: weight)
            }
            run(round, symbols, &order, &all, &times)
            watch.poll()
        }
        let digests = watch.isInterrupted ? [] : all.digests()
        if digests.contains(0) { throw ScaleError.notLive }
        return (times, singleTimes, bytes, digests)
    }

    private func measure<Books: ScaleContender & ~Copyable>(
        _ symbols: [(number: Int, source: Int)], _ make: () -> Books
    ) -> (times: ScaleTimes, bytes: Double?, digests: [UInt64]) {
        let before = ScaleBenchmark.heapBytes()
        var books = make()
        let bytes = ScaleBenchmark.heapBytes().flatMap { after in before.map { Double(after) - Double($0) } }
        var times = ScaleTimes()
        var order = ScaleOrder(symbols.count)
        for round in 0..<roundCount { run(round, symbols, &order, &books, &times) }
        return (times, bytes, books.digests())
    }

    private func indices(_ round: Int) -> Range<Int> {
        let first = round * ScaleBenchmark.roundMessageCount
        return first..<(first + ScaleBenchmark.roundMessageCount)
    }

    private func run<Books: ScaleContender & ~Copyable>(
        _ round: Int, _ symbols: [(number: Int, source: Int)], _ order: inout ScaleOrder,
        _ books: inout Books, _ times: inout ScaleTimes
    ) {
        for index in indices(round) {
            let messages = order.next().map {
                ScaleMessage(number: $0, source: symbols[$0].source, index: index)
            }
            run(messages, &books, &times, isTimed: round % 2 == 1, weight: 1)
        }
    }

    private func run<Books: ScaleContender & ~Copyable>(
        _ messages: [ScaleMessage], _ books: inout Books, _ times: inout ScaleTimes, isTimed: Bool,
        weight: Int
    ) {
        var at = 0
        while at < messages.count {
            let burst = Array(messages[at..<min(at + ScaleBenchmark.burstCount, messages.count)])
            at += burst.count
            if isTimed {
                books.take(burst, sources) { times.record($1, weight: weight) }
            } else {
                let ticks = books.takeWhole(burst, sources) / UInt64(burst.count)
                times.bursts.record(min(max(ticks, 1), 1 << 33), count: UInt64(burst.count * weight))
            }
        }
    }

    /// Pages of the heap in use.
    private static func heapBytes() -> Int? {
        let bytes = lob_allocator_statistic("stats.active")
        return bytes == Int.max || bytes == Int(bitPattern: UInt.max) ? nil : Int(bytes)
    }
}

/// A place for what cannot be copied, to be put into arrays.
final class ScaleBox<Value: ~Copyable> {
    var value: Value
    init(_ value: consuming Value) { self.value = value }
}

/// The symbols in an order that is another one each time, and the same in each run.
struct ScaleOrder {
    private var numbers: [Int]
    private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

    init(_ count: Int) { numbers = Array(0..<count) }

    mutating func next() -> [Int] {
        for place in stride(from: numbers.count - 1, to: 0, by: -1) {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            numbers.swapAt(place, Int((state >> 33) % UInt64(place + 1)))
        }
        return numbers
    }
}

/// Why there are no rows.
enum ScaleError: Error, CustomStringConvertible {
    case differ(symbol: Int)
    case notLive
    case noTraffic

    var description: String {
        switch self {
        case .differ(let symbol): "the books of symbol \(symbol) differ"
        case .notLive: "a book of the engine is not live"
        case .noTraffic: "no symbol with a snapshot and enough updates"
        }
    }
}
