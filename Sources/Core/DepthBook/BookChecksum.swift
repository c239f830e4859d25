// A checksum over the best levels of a book, as venues publish it: CRC-32 (IEEE) of a text of their numbers.
//
// The text: levels from the best outwards, at most `levelCount` per side, ordered as `order` says; a shorter
// side contributes what it has. Each level is its price, then its quantity, printed as `numbers` says.
// `separator`, if any, goes between two numbers and nowhere else.
//
//     numbers    mantissa 6180340000, 8 decimals
//     digits     6180340000        no point, no leading zeros
//     printed    61.80340000       all decimals
//     shortest   61.8034           no trailing zeros, and no point without decimals after it
//
// `standard` is the rule for books of venues that publish none: 25 levels, bid and ask alternating, printed,
// `:` between numbers. It covers what a reader sees and, unlike the digest, can be computed from text.
//
// Worst case: O(levels covered), some 20 steps a number, no allocation.

import MarketData

/// How to compute a checksum of a book.
public struct BookChecksum: Hashable, Sendable {
    /// Order of the levels in the text.
    public enum Order: Hashable, Sendable {
        /// Best bid, best ask, second bid, second ask, and so on.
        case inTurn
        /// All asks, best first, then all bids, best first.
        case asksThenBids
        /// All bids, best first, then all asks, best first.
        case bidsThenAsks
    }

    /// How a number is printed.
    public enum Numbers: Hashable, Sendable {
        /// Its digits without the point and without leading zeros.
        case digits
        /// With all decimals of the symbol.
        case printed
        /// Without zeros at the end of the decimals.
        case shortest
    }

    /// Most levels per side.
    public var levelCount: Int
    /// Order of the levels.
    public var order: Order
    /// How numbers are printed.
    public var numbers: Numbers
    /// Byte between two numbers; nil for none.
    public var separator: UInt8?

    /// A rule with these settings.
    ///
    /// - Parameters:
    ///   - levelCount: most levels per side.
    ///   - order: order of the levels.
    ///   - numbers: how numbers are printed.
    ///   - separator: byte between two numbers; nil for none.
    public init(levelCount: Int, order: Order, numbers: Numbers, separator: UInt8?) {
        (self.levelCount, self.order) = (levelCount, order)
        (self.numbers, self.separator) = (numbers, separator)
    }

    /// The rule for books of venues that publish no checksum.
    public static let standard = BookChecksum(
        levelCount: 25, order: .inTurn, numbers: .printed, separator: UInt8(ascii: ":"))

    /// The checksum of a book. Thread: the book's. O(levels covered).
    public func value(of book: borrowing OrderBook) -> UInt32 {
        value(
            bids: BookChecksum.best(levelCount, .bid, book), asks: BookChecksum.best(levelCount, .ask, book),
            scales: book.scales ?? SymbolScales(priceDecimals: 0, quantityDecimals: 0))
    }

    private static func best(_ count: Int, _ side: Side, _ book: borrowing OrderBook) -> [PriceLevel] {
        var levels: [PriceLevel] = []
        if count <= 0 { return levels }
        book.forEachLevel(side) { level in
            levels.append(level)
            return levels.count < count
        }
        return levels
    }

    /// The checksum of a book given as two arrays, best first.
    ///
    /// - Parameters:
    ///   - bids: its bids.
    ///   - asks: its asks.
    ///   - scales: decimals of the numbers.
    public func value(bids: [PriceLevel], asks: [PriceLevel], scales: SymbolScales) -> UInt32 {
        var text = ChecksumText(self, scales)
        let (bids, asks) = (bids.prefix(max(levelCount, 0)), asks.prefix(max(levelCount, 0)))
        switch order {
        case .inTurn:
            for rank in 0..<max(bids.count, asks.count) {
                if rank < bids.count { text.add(bids[rank]) }
                if rank < asks.count { text.add(asks[rank]) }
            }
        case .asksThenBids:
            for level in asks { text.add(level) }
            for level in bids { text.add(level) }
        case .bidsThenAsks:
            for level in bids { text.add(level) }
            for level in asks { text.add(level) }
        }
        return text.check.value
    }
}

/// The text of a checksum, never materialised: only its CRC is kept.
private struct ChecksumText {
    let rule: BookChecksum
    let scales: SymbolScales
    var check = CRC32(.ieee)
    private var isBegun = false

    init(_ rule: BookChecksum, _ scales: SymbolScales) { (self.rule, self.scales) = (rule, scales) }

    mutating func add(_ level: PriceLevel) {
        add(level.price.mantissa, decimals: Int(scales.priceDecimals))
        add(level.quantity.mantissa, decimals: Int(scales.quantityDecimals))
    }

    private mutating func add(_ mantissa: Int64, decimals: Int) {
        if isBegun, let separator = rule.separator { check.add(separator) }
        isBegun = true
        var (rest, decimals) = (mantissa.magnitude, decimals)
        switch rule.numbers {
        case .digits: decimals = 0
        case .printed: break
        case .shortest:
            while decimals > 0 && rest % 10 == 0 {
                rest /= 10
                decimals -= 1
            }
        }
        if mantissa < 0 { check.add(UInt8(ascii: "-")) }
        // From the first digit on: as many digits as the number has, and at least one before the point.
        var power: UInt64 = 1
        var count = 1
        while count <= decimals || rest / power >= 10 {
            power *= 10
            count += 1
        }
        while count > 0 {
            check.add(UInt8(ascii: "0") + UInt8(rest / power % 10))
            count -= 1
            if count == decimals && decimals > 0 { check.add(UInt8(ascii: ".")) }
            power /= 10
        }
    }
}
