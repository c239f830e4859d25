import BinanceVenue
import Foundation
import MarketData
import TestSupport
import Testing

@testable import DepthBook

/// The rules of two venues that publish checksums.
private let kraken = BookChecksum(levelCount: 10, order: .asksThenBids, numbers: .digits, separator: nil)
private let okx = BookChecksum(
    levelCount: 25, order: .inTurn, numbers: .shortest, separator: UInt8(ascii: ":"))

/// A book of a venue whose checksums are known: a sorted array a side, best first.
private struct ForeignBook {
    private var bids: [PriceLevel] = []
    private var asks: [PriceLevel] = []
    let levelCountMax: Int
    let scales: SymbolScales

    init(levelCountMax: Int, scales: SymbolScales) {
        (self.levelCountMax, self.scales) = (levelCountMax, scales)
    }

    mutating func apply(_ rows: [[Any]], _ side: Side) {
        for row in rows {
            guard let price = row[0] as? String, let quantity = row[1] as? String,
                let p = try? mantissa(price, decimals: Int(scales.priceDecimals)),
                let q = try? mantissa(quantity, decimals: Int(scales.quantityDecimals))
            else { continue }
            if side == .bid { set(PriceLevel(p, q), side, &bids) } else { set(PriceLevel(p, q), side, &asks) }
        }
        // A venue that sends so many levels expects the deeper ones to be forgotten.
        if bids.count > levelCountMax { bids.removeLast(bids.count - levelCountMax) }
        if asks.count > levelCountMax { asks.removeLast(asks.count - levelCountMax) }
    }

    private func set(_ level: PriceLevel, _ side: Side, _ levels: inout [PriceLevel]) {
        var (low, high) = (0, levels.count)
        while low < high {
            let middle = (low + high) / 2
            if side.isBetter(levels[middle].price, than: level.price) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        let isThere = low < levels.count && levels[low].price == level.price
        if level.quantity == .zero {
            if isThere { levels.remove(at: low) }
        } else if isThere {
            levels[low] = level
        } else {
            levels.insert(level, at: low)
        }
    }

    func levels(_ side: Side) -> [PriceLevel] { Array((side == .bid ? bids : asks).prefix(25)) }

    func checksum(_ rule: BookChecksum) -> UInt32 {
        rule.value(bids: levels(.bid), asks: levels(.ask), scales: scales)
    }
}

private func decimals(_ rows: [[Any]], _ column: Int) -> Int {
    rows.reduce(0) { most, row in
        let text = row[column] as? String ?? ""
        return max(most, text.firstIndex(of: ".").map { text.distance(from: $0, to: text.endIndex) - 1 } ?? 0)
    }
}

@Suite struct BookChecksumTests {
    private static let scales = SymbolScales(priceDecimals: 2, quantityDecimals: 3)
    private static let bids = [PriceLevel(1_050, 1_500), PriceLevel(1_000, 20), PriceLevel(5, 7_000)]
    private static let asks = [PriceLevel(1_100, 100)]

    private static func crc(_ text: String) -> UInt32 { CRC32.value(of: Array(text.utf8).span, .ieee) }

    /// Each rule is the check of a text that stands here.
    @Test func theTextOfEachRule() {
        typealias Rule = BookChecksum
        let colon = UInt8(ascii: ":")
        let table: [(Rule, String)] = [
            (.standard, "10.50:1.500:11.00:0.100:10.00:0.020:0.05:7.000"),
            (
                Rule(levelCount: 25, order: .inTurn, numbers: .shortest, separator: colon),
                "10.5:1.5:11:0.1:10:0.02:0.05:7"
            ),
            (
                Rule(levelCount: 2, order: .asksThenBids, numbers: .digits, separator: nil),
                "1100" + "100" + "1050" + "1500" + "1000" + "20"
            ),
            (
                Rule(levelCount: 1, order: .bidsThenAsks, numbers: .printed, separator: nil),
                "10.50" + "1.500" + "11.00" + "0.100"
            ), (Rule(levelCount: 0, order: .inTurn, numbers: .printed, separator: colon), ""),
            (Rule(levelCount: -1, order: .inTurn, numbers: .printed, separator: colon), ""),
        ]
        for (rule, text) in table {
            let value = rule.value(
                bids: BookChecksumTests.bids, asks: BookChecksumTests.asks, scales: BookChecksumTests.scales)
            #expect(value == BookChecksumTests.crc(text), "\(text)")
        }
        let widest = SymbolScales(priceDecimals: 18, quantityDecimals: 0)
        let value = BookChecksum.standard.value(
            bids: [PriceLevel(1, .max), PriceLevel(0, .min)], asks: [], scales: widest)
        let text =
            "0.000000000000000001:9223372036854775807:0.000000000000000000:-9223372036854775808"
        #expect(value == BookChecksumTests.crc(text))
    }

    /// Of a book as of its levels.
    @Test func ofABook() {
        var book = OrderBook()
        let image = BookImage(
            lastUpdateID: UpdateID(5), eventTimeUs: 0, scales: BookChecksumTests.scales,
            provenBids: .unbounded, provenAsks: .unbounded, bids: BookChecksumTests.bids,
            asks: BookChecksumTests.asks, bidCountBound: 0, askCountBound: 0)
        book.restore(image)
        let value = BookChecksum.standard.value(of: book)
        #expect(value == BookChecksumTests.crc("10.50:1.500:11.00:0.100:10.00:0.020:0.05:7.000"))
        #expect(book.image.digest == image.digest && book.image.bids == image.bids)
    }

    /// Every checksum of a captured session, computed by others, and one digit flipped.
    @Test(.enabled(if: CapturedSet.root != nil, "no captures")) func everyChecksumOfKraken() throws {
        let lines = try BookChecksumTests.lines("ck-kraken-v1-2021-04-05")
        var books: [Int: ForeignBook] = [:]
        var tally = Tally()
        for line in lines {
            guard let parts = line as? [Any], let channel = parts.first as? Int else { continue }
            let bodies = parts.compactMap { $0 as? [String: Any] }
            for body in bodies {
                if let bids = body["bs"] as? [[Any]], let asks = body["as"] as? [[Any]] {
                    var book = ForeignBook(
                        levelCountMax: 1000,
                        scales: SymbolScales(
                            priceDecimals: decimals(bids + asks, 0), quantityDecimals: 8))
                    book.apply(bids, .bid)
                    book.apply(asks, .ask)
                    books[channel] = book
                }
                for (member, side) in [("a", Side.ask), ("b", .bid)] {
                    guard let rows = body[member] as? [[Any]] else { continue }
                    books[channel]?.apply(rows, side)
                }
            }
            guard let told = bodies.compactMap({ $0["c"] as? String }).last, let book = books[channel] else {
                continue
            }
            tally.note(book, kraken, UInt32(told))
        }
        #expect(tally.agreed == 14_496 && tally.compared == 14_496, "\(tally)")
        #expect(tally.flips > 1000 && tally.caught == tally.flips, "\(tally)")
    }

    @Test(
        .enabled(if: CapturedSet.root != nil, "no captures"),
        arguments: [
            ("ck-okx-2022", 3679), ("ck-okx-books-2022-05", 290),
        ]) func everyChecksumOfOKX(_ set: String, _ count: Int) throws
    {
        var books: [String: ForeignBook] = [:]
        var tally = Tally()
        let lines = try BookChecksumTests.lines(set)
        var widest: [String: (Int, Int)] = [:]
        for (name, body, _) in lines.flatMap(BookChecksumTests.okxBodies) {
            let rows = (body["bids"] as? [[Any]] ?? []) + (body["asks"] as? [[Any]] ?? [])
            let before = widest[name] ?? (0, 0)
            widest[name] = (max(before.0, decimals(rows, 0)), max(before.1, decimals(rows, 1)))
        }
        for (name, body, isWhole) in lines.flatMap(BookChecksumTests.okxBodies) {
            let scales = widest[name] ?? (0, 0)
            if isWhole || books[name] == nil {
                books[name] = ForeignBook(
                    levelCountMax: .max,
                    scales: SymbolScales(priceDecimals: scales.0, quantityDecimals: scales.1))
            }
            let (bids, asks) = (body["bids"] as? [[Any]] ?? [], body["asks"] as? [[Any]] ?? [])
            books[name]?.apply(bids, .bid)
            books[name]?.apply(asks, .ask)
            guard let book = books[name], let told = (body["checksum"] as? NSNumber)?.int32Value else {
                continue
            }
            tally.note(book, okx, UInt32(bitPattern: told))
        }
        #expect(tally.agreed == count && tally.compared == count, "\(tally)")
        #expect(tally.flips > 0 && tally.caught == tally.flips, "\(tally)")
    }

    private struct Tally {
        var compared = 0
        var agreed = 0
        var flips = 0
        var caught = 0

        mutating func note(_ book: ForeignBook, _ rule: BookChecksum, _ told: UInt32?) {
            compared += 1
            if book.checksum(rule) == told { agreed += 1 }
            // The last digit of the quantity of some level.
            var bids = book.levels(.bid)
            if compared % 7 != 0 || bids.isEmpty { return }
            flips += 1
            bids[compared % min(bids.count, rule.levelCount)].quantity.mantissa ^= 1
            if rule.value(bids: bids, asks: book.levels(.ask), scales: book.scales) != told { caught += 1 }
        }
    }

    private static func lines(_ set: String) throws -> [Any] {
        let captured = try #require(CapturedSet.named(set))
        return try captured.messages(limit: .max).compactMap {
            try? JSONSerialization.jsonObject(with: Data($0.utf8))
        }
    }

    private static func okxBodies(_ line: Any) -> [(name: String, body: [String: Any], isWhole: Bool)] {
        guard let message = line as? [String: Any], let argument = message["arg"] as? [String: Any],
            let name = argument["instId"] as? String, let bodies = message["data"] as? [[String: Any]]
        else { return [] }
        return bodies.filter { $0["checksum"] != nil }.map {
            (name, $0, message["action"] as? String == "snapshot")
        }
    }
}
