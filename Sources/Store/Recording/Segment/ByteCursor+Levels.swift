// The levels of one side in bytes:
//
//     u32 count, each: distance of its price from the previous one (the first from 0), then its quantity,
//     both as numbers of seven bits a byte

import MarketData

extension [UInt8] {
    /// Appends the levels of a side, best first.
    package mutating func append(levels: [PriceLevel]) {
        append(little: UInt32(clamping: levels.count))
        var before: Int64 = 0
        for level in levels {
            append(varying: (level.price.mantissa &- before).magnitude)
            append(varying: UInt64(bitPattern: level.quantity.mantissa))
            before = level.price.mantissa
        }
    }
}

extension ByteCursor {
    /// The levels of a side; nil if incomplete. Whether a book can have them is for the caller to check.
    package mutating func nextLevels(_ side: Side) -> [PriceLevel]? {
        guard let count = next(UInt32.self).map(Int.init), count <= remaining / 2 else { return nil }
        var levels: [PriceLevel] = []
        levels.reserveCapacity(count)
        var price: Int64 = 0
        for index in 0..<count {
            guard let distance = nextVarying(), let quantity = nextVarying(), distance <= UInt64(Int64.max)
            else { return nil }
            let isDown = side == .bid && index > 0
            price = isDown ? price &- Int64(distance) : price &+ Int64(distance)
            levels.append(PriceLevel(price, Int64(bitPattern: quantity)))
        }
        return levels
    }
}
