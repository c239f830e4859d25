// Parses one array of levels, `[["price","quantity"],…]`, into a buffer. Both paths through a message end
// here.
//
// The scalar reader is the definition: what it rejects is invalid, and every level it reads is right. The
// kernel runs first and takes whatever it recognises, a whole array at a time if it can; it never decides
// that something is invalid. So a message costs one call per side, and an unusual level costs only itself.
//
// Decimals: the widest decimals of a message count, and every level is scaled up to them: "9.0" and "9.00"
// are one number. A zero quantity is zero however it is printed, and says nothing about decimals once there
// is another quantity.
//
// Invariants
// * A buffer never holds more levels than it has room for: room is made once per array, one level per 8
//   remaining bytes, and the shortest level, `["1","0"]`, has 9.
// * The result depends only on the bytes of the message: what the tables remember of earlier messages only
//   saves time.
// Worst case: O(bytes); about 230 instructions for a level the kernel does not take.
// SAFETY: the kernel gets the room and bounds its header demands; the tables live and die with this struct.
import CLobKernels
import MarketData

@safe
struct LevelsParser: ~Copyable {
    /// Tables of the kernel; nil if it cannot run or is disabled.
    let tables: UnsafeMutableRawPointer?
    /// Decimals of the message's levels; -1 before the first one.
    private var decimals = lob_decimals(price: -1, quantity: -1)
    /// Whether a nonzero quantity has settled the decimals of quantities.
    private var hasShown = false
    /// The side of this message read first: its levels are scaled along with the others.
    private var before = unsafe UnsafeMutableBufferPointer<PriceLevel>(start: nil, count: 0)

    init(usesKernel: Bool) {
        guard usesKernel && lob_levels_available() else {
            unsafe tables = nil
            return
        }
        let room = UnsafeMutableRawPointer.allocate(byteCount: Int(LOB_LEVELS_TABLES_BYTES), alignment: 64)
        unsafe lob_levels_prepare(room)
        unsafe tables = unsafe room
    }

    deinit { unsafe tables?.deallocate() }

    /// Resets the decimals of the previous message.
    @inline(__always)
    mutating func begin() {
        decimals = lob_decimals(price: -1, quantity: -1)
        hasShown = false
        unsafe before = unsafe UnsafeMutableBufferPointer(start: nil, count: 0)
    }

    /// Continues after levels that the kernel has read by itself.
    @inline(__always)
    mutating func begin(_ decimals: lob_decimals) {
        begin()
        self.decimals = decimals
    }

    /// A whole side has been read: the next one follows.
    @inline(__always)
    mutating func goBehind(_ side: borrowing LevelBuffer) {
        unsafe before = unsafe UnsafeMutableBufferPointer(start: side.base, count: side.count)
    }

    /// Decimals of the levels read since `begin`; nil if there were none.
    @inline(__always)
    var scales: SymbolScales? {
        decimals.price < 0 ? nil : known
    }

    /// Decimals so far, given that there are some.
    @inline(__always)
    private var known: SymbolScales {
        SymbolScales(priceDecimals: Int(decimals.price), quantityDecimals: Int(decimals.quantity))
    }

    /// Reads an array whose opening bracket is just before the cursor, and moves past its closing bracket.
    @inline(__always)
    mutating func read(_ cursor: inout JSONCursor, into side: inout LevelBuffer) throws(ParseError) {
        side.removeAll()
        if cursor.skip(UInt8(ascii: "]")) { return goBehind(side) }
        guard side.reserve(cursor.bytesLeft &>> 3 &+ 1) else {
            throw cursor.error(.messageTooLong)
        }
        if !takeLevels(&cursor, into: &side) { try readRest(&cursor, into: &side) }
        goBehind(side)
    }

    /// Continues an array after the levels already in the side; from its beginning if there are none.
    mutating func readOn(_ cursor: inout JSONCursor, into side: inout LevelBuffer) throws(ParseError) {
        if side.count == 0 { return try read(&cursor, into: &side) }
        try readRest(&cursor, into: &side)
        goBehind(side)
    }

    /// Continues where the kernel stopped, level by level; the kernel may resume after each.
    @inline(never)
    private mutating func readRest(
        _ cursor: inout JSONCursor, into side: inout LevelBuffer
    ) throws(ParseError) {
        cursor.skipBlanks()
        if side.count == 0 && cursor.skip(UInt8(ascii: "]")) { return }
        while true {
            guard side.append(try level(&cursor, side)) else { throw cursor.error(.messageTooLong) }
            cursor.skipBlanks()
            if !cursor.skip(UInt8(ascii: ",")) { return try cursor.expect(UInt8(ascii: "]")) }
            cursor.skipBlanks()
            if takeLevels(&cursor, into: &side) { return }
        }
    }

    /// Lets the kernel take what it can; true if that completed the array.
    @inline(__always)
    private mutating func takeLevels(_ cursor: inout JSONCursor, into side: inout LevelBuffer) -> Bool {
        guard let tables = unsafe tables, cursor.bytesLeft > 2, unsafe cursor.at[0] == UInt8(ascii: "["),
            unsafe cursor.at[1] == 0x22
        else {
            return false
        }
        let run = unsafe lob_levels_read(
            tables, &decimals, cursor.at + 2, cursor.end, cursor.readableEnd,
            UnsafeMutableRawPointer(side.base + side.count).assumingMemoryBound(to: Int64.self))
        if unsafe run.count == 0 { return false }
        unsafe side.noteWritten(run.count)
        unsafe cursor.at = unsafe run.closed ? run.at : run.at - 2
        return unsafe run.closed
    }

    /// One level, blanks and the empty third element of old spot messages included.
    private mutating func level(
        _ cursor: inout JSONCursor, _ side: borrowing LevelBuffer
    ) throws(ParseError) -> PriceLevel {
        let first = cursor
        var own = (price: 0, quantity: 0)
        try cursor.expect(UInt8(ascii: "["), else: .levelShape)
        cursor.skipBlanks()
        let price = try cursor.quotedDecimal(&own.price, else: .levelShape)
        if price > Price.mantissaMax { throw first.error(.numberTooLarge) }
        cursor.skipBlanks()
        try cursor.expect(UInt8(ascii: ","), else: .levelShape)
        cursor.skipBlanks()
        let quantity = try cursor.quotedDecimal(&own.quantity, else: .levelShape)
        cursor.skipBlanks()
        if cursor.skip(UInt8(ascii: ",")) {
            cursor.skipBlanks()
            try cursor.expect(UInt8(ascii: "["), else: .levelShape)
            cursor.skipBlanks()
            try cursor.expect(UInt8(ascii: "]"), else: .levelShape)
            cursor.skipBlanks()
        }
        try cursor.expect(UInt8(ascii: "]"), else: .levelShape)
        if own == (Int(decimals.price), Int(decimals.quantity)) { return PriceLevel(price, quantity) }
        guard let level = settle(own, PriceLevel(price, quantity), side) else {
            throw first.error(.numberTooLarge)
        }
        return level
    }

    /// A level with decimals other than those so far, in the wider of both; earlier levels are rescaled too.
    /// Nil if a number does not fit.
    @inline(never)
    private mutating func settle(
        _ own: (price: Int, quantity: Int), _ level: PriceLevel, _ side: borrowing LevelBuffer
    ) -> PriceLevel? {
        if decimals.price < 0 {
            decimals = lob_decimals(price: Int32(own.price), quantity: Int32(own.quantity))
            return level
        }
        let here = unsafe UnsafeMutableBufferPointer(start: side.base, count: side.count)
        let old = known
        var quantity = Int(old.quantityDecimals)
        if level.quantity != .zero {
            let shows = { (level: PriceLevel) in level.quantity != .zero }
            hasShown = unsafe hasShown || here.contains(where: shows) || before.contains(where: shows)
            quantity = hasShown ? max(own.quantity, quantity) : own.quantity
            hasShown = true
        }
        let wide = SymbolScales(
            priceDecimals: max(own.price, Int(old.priceDecimals)), quantityDecimals: quantity)
        if wide != old {
            if unsafe !Self.rescale(before, old, wide) { return nil }
            if unsafe !Self.rescale(here, old, wide) { return nil }
            decimals = lob_decimals(price: Int32(wide.priceDecimals), quantity: Int32(wide.quantityDecimals))
        }
        return level.scaled(
            from: SymbolScales(priceDecimals: own.price, quantityDecimals: own.quantity), to: wide)
    }

    /// Rescales levels to wider scales; false if a number does not fit.
    private static func rescale(
        _ levels: UnsafeMutableBufferPointer<PriceLevel>, _ old: SymbolScales, _ wide: SymbolScales
    ) -> Bool {
        for index in levels.indices {
            guard let scaled = unsafe levels[index].scaled(from: old, to: wide) else { return false }
            unsafe levels[index] = scaled
        }
        return true
    }
}
