// The subtle faults that affect bytes: a message arrives complete and says what it should not.
//
// * unreadable: a third element in the first level, or a number of more than 18 digits. Wrapper and symbol
//   are unchanged.
// * garbled: the wrapper and everything that names the symbol become bytes that no JSON text contains.
// * renamed: the event type of an update gets another letter.
// * swapped: in the wrapper or in the message, one of the two, stands the name of another symbol.
// * mixed: about every third number of a level gets one more zero.
// * absurd: the last id becomes one close to 2^62 or 2^63, or one beyond any 64-bit integer.
// * coarse: prices off the grid of the coarser tick get one more zero, all others do not.
//
// A message without what a fault looks for, such as a reply or a ticker without levels, gets what is
// possible.

import MarketData

extension SeededRandom {
    /// Breaks the format of a message after its names.
    mutating func makeUnreadable(_ bytes: inout [UInt8], from start: Int) {
        let digits = Array("1234567890123456789".utf8)
        if let level = bytes[start...].firstRange(of: Array("[\"".utf8)) {
            if chance(perMille: 500), let end = bytes[level.upperBound...].firstRange(of: Array("\"]".utf8)) {
                bytes.insert(contentsOf: Array(",\"0\"".utf8), at: end.lowerBound + 1)
            } else {
                bytes.insert(contentsOf: digits, at: level.upperBound)
            }
        } else if let price = bytes[start...].firstRange(of: Array("\"b\":\"".utf8)) {
            bytes.insert(contentsOf: digits, at: price.upperBound)
        } else {
            bytes.removeLast(min(2, bytes.count - start))
        }
    }

    /// Turns an update into a message of a type that nobody knows.
    mutating func rename(_ bytes: inout [UInt8], from start: Int) {
        guard let name = bytes[start...].firstRange(of: Array("\"depthUpdate\"".utf8)) else { return }
        bytes[name.upperBound - 2] = UInt8(ascii: "f") + UInt8(below(20))
    }

    /// Puts another symbol's name into the wrapper or into the message.
    mutating func swapName(_ bytes: inout [UInt8], from start: Int, _ names: [SymbolName]) {
        guard let wrapper = bytes[start...].firstRange(of: Array("\"stream\":\"".utf8)),
            let inside = bytes[start...].firstRange(of: Array("\"s\":\"".utf8)),
            let end = bytes[inside.upperBound...].firstIndex(of: UInt8(ascii: "\""))
        else { return }
        let own = Array(bytes[inside.upperBound..<end])
        let others = names.filter { $0.bytes != own } + ["STRANGERUSDT"]
        let other = others[below(others.count)]
        if chance(perMille: 500) {
            bytes.replaceSubrange(inside.upperBound..<end, with: other.bytes)
        } else if let at = bytes[wrapper.upperBound...].firstIndex(of: UInt8(ascii: "@")) {
            bytes.replaceSubrange(wrapper.upperBound..<at, with: Array(other.lowercasedASCII.utf8))
        }
    }

    /// Overwrites everything that names the symbol.
    mutating func garble(_ bytes: inout [UInt8], from start: Int) {
        for index in start..<min(start + 220, bytes.count) { bytes[index] = UInt8(0x80 + below(0x80)) }
    }

    /// Gives some numbers of the levels one more decimal, always at least one of the first level.
    mutating func mixDecimals(_ bytes: inout [UInt8], from start: Int) {
        var isFirst = true
        OddNumbers.lengthen(&bytes, from: start) { _ in
            defer { isFirst = false }
            return isFirst || self.below(3) == 0
        }
    }

    /// Replaces the last id of a message by an impossible one.
    mutating func makeAbsurd(_ bytes: inout [UInt8], from start: Int) {
        var found: Range<Int>?
        for key in ["\"u\":", "\"lastUpdateId\":"] where found == nil {
            found = bytes[start...].firstRange(of: Array(key.utf8))
        }
        guard let place = found else { return }
        let end = bytes[place.upperBound...].firstIndex { $0 < 0x30 || $0 > 0x39 } ?? bytes.endIndex
        let value: UInt64 =
            switch below(4) {
            case 0: 1 << 62 + UInt64(below(1 << 40))
            case 1: UInt64(Int64.max) - UInt64(below(1000))
            case 2: 9_000_000_000_000_000_000
            default: UInt64(Int64.max) + 1 + UInt64(below(1000))
            }
        bytes.replaceSubrange(place.upperBound..<end, with: Array("\(value)".utf8))
    }
}

/// Numbers of levels with one more zero.
enum OddNumbers {
    /// Whether a number is a price or a quantity, and its digits as a mantissa.
    typealias Number = (isPrice: Bool, mantissa: Int64)

    /// Appends a zero to each number of a level for which `body` says so and which has a decimal point.
    static func lengthen(_ bytes: inout [UInt8], from start: Int, _ body: (Number) -> Bool) {
        let quote = UInt8(ascii: "\"")
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + 64)
        var index = start
        var previous: UInt8 = 0
        while index < bytes.count {
            let opensLevel = bytes[index] == quote && previous == UInt8(ascii: "[")
            previous = bytes[index]
            if !opensLevel {
                result.append(bytes[index])
                index += 1
                continue
            }
            for isPrice in [true, false] {
                while index < bytes.count && bytes[index] != quote {
                    result.append(bytes[index])
                    index += 1
                }
                guard index < bytes.count else { break }
                let end = bytes[(index + 1)...].firstIndex(of: quote) ?? bytes.count
                let text = bytes[(index + 1)..<end]
                result.append(contentsOf: bytes[index..<end])
                let isDecimal = text.contains(UInt8(ascii: "."))
                if isDecimal && body((isPrice, mantissa(text))) { result.append(UInt8(ascii: "0")) }
                if end < bytes.count { result.append(quote) }
                index = min(end + 1, bytes.count)
                previous = quote
            }
        }
        bytes.replaceSubrange(start..., with: result)
    }

    private static func mantissa(_ text: ArraySlice<UInt8>) -> Int64 {
        text.reduce(0) { $1 >= 0x30 && $1 <= 0x39 ? $0 &* 10 &+ Int64($1 - 0x30) : $0 }
    }

    /// Lets prices that are not multiples of this mantissa keep one decimal more than the others.
    static func keepOldDecimals(_ bytes: inout [UInt8], grid: Int64) {
        lengthen(&bytes, from: 0) { $0.isPrice && $0.mantissa % grid != 0 }
    }
}

extension Venue {
    /// Lets faults strike the content of a snapshot.
    mutating func oddSnapshot(_ response: inout VenueResponse) {
        if counters.strikes(.contradict, of: faults, &response.random) {
            response.oddity = .contradict
            for _ in 0..<(1 + response.random.below(3)) {
                if response.random.chance(perMille: 500) {
                    Venue.alter(&snapshot.bids, &response.random)
                } else {
                    Venue.alter(&snapshot.asks, &response.random)
                }
            }
        }
        if snapshot.bids.count > 0, snapshot.asks.count > 0,
            counters.strikes(.crossed, of: faults, &response.random)
        {
            response.oddity = .crossed
            let ask = snapshot.asks[0].price.mantissa
            snapshot.bids[0].price = Price(ask + Int64(response.random.below(3)))
        }
    }

    /// Changes the quantity of a level, preferably one near the best, where it does the most harm.
    private static func alter(_ levels: inout LevelBuffer, _ random: inout SeededRandom) {
        if levels.count == 0 { return }
        let rank = min(random.below(levels.count), random.below(levels.count))
        levels[rank].quantity = Quantity(levels[rank].quantity.mantissa + 1 + Int64(random.below(1_000_000)))
    }

    /// The grid of new prices of a symbol, as a mantissa in its printed scales, while old orders keep one
    /// more decimal; nil while all have the same decimals.
    func coarseGrid(of index: Int) -> Int64? {
        guard listings[index].isCoarse else { return nil }
        let tick = PriceLevel(listings[index].flow.profile.tick * VenueListing.coarseFactor, 0)
        return listings[index].flow.printed(tick).price.mantissa
    }
}
