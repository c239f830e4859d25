// The shortest path: one kernel call parses an update with the usual field order. Whatever it leaves, one
// side or the whole message, the straight path takes.
//
// SAFETY: the kernel gets the bounds of the message and buffers with the room its header demands. What it
// returns lies in the parser's tables until the next call, and all of it is copied before.
import CLobKernels
import MarketData

extension MessageParser {
    /// Gives the kernel the message; `sides` is negative if it is no update that it knows.
    @inline(__always)
    mutating func readByKernel(_ message: UnsafeBufferPointer<UInt8>, _ readableAfter: Int) -> UnsafePointer<
        lob_update
    >? {
        let count = message.count
        let roomy = count &>> 3 &+ 1
        guard let tables = unsafe levels.tables, let base = message.baseAddress,
            count <= MessageParser.messageBytesMax, update.bids.reserve(roomy), update.asks.reserve(roomy)
        else { return nil }
        return unsafe lob_update_read(
            tables, base, base + count, base + count + max(readableAfter, 0), words(update.bids),
            words(update.asks))
    }

    /// Takes over an update that the kernel has read to its last byte; false if that is not what it did.
    @inline(__always)
    mutating func takeWhole(_ read: UnsafePointer<lob_update>?, _ isLinked: Bool) -> Bool {
        guard let read = unsafe read,
            unsafe read.pointee.is_whole && (read.pointee.previous >= 0) == isLinked
                && read.pointee.last >= read.pointee.first
        else { return false }
        unsafe noteStream(read)
        unsafe fill(read, isLinked)
        let decimals = unsafe read.pointee.decimals
        update.scales =
            decimals.price < 0
            ? nil
            : SymbolScales(
                priceDecimals: Int(decimals.price), quantityDecimals: Int(decimals.quantity))
        return true
    }

    /// The kind of a depth update that the kernel has read in part or to the end of its levels, completely
    /// parsed, or nil.
    @inline(__always)
    mutating func recognised(
        _ start: JSONCursor, _ isLinked: Bool, _ read: UnsafePointer<lob_update>?
    ) throws(ParseError) -> MessageKind? {
        var cursor = start
        guard let read = unsafe read,
            unsafe read.pointee.sides >= 0 && (read.pointee.previous >= 0) == isLinked
                && read.pointee.last >= read.pointee.first
        else { return nil }
        unsafe noteStream(read)
        unsafe cursor.at = unsafe read.pointee.at
        unsafe fill(read, isLinked)
        unsafe levels.begin(read.pointee.decimals)
        if unsafe read.pointee.sides > 0 { levels.goBehind(update.bids) }
        if unsafe read.pointee.sides < 2 { try finish(&cursor, unsafe read.pointee.sides) }
        update.scales = levels.scales
        try straightEnd(&cursor)
        return .depthUpdate
    }

    /// Behind `{"stream":"`, if there is a wrapper.
    @inline(__always)
    private mutating func noteStream(_ read: UnsafePointer<lob_update>) {
        let length = unsafe Int(read.pointee.stream_length)
        stream = length > 0 ? unsafe Range(uncheckedBounds: (11, 11 &+ length)) : nil
    }

    @inline(__always)
    private func words(_ side: borrowing LevelBuffer) -> UnsafeMutablePointer<Int64> {
        unsafe UnsafeMutableRawPointer(side.base).assumingMemoryBound(to: Int64.self)
    }

    @inline(__always)
    private mutating func fill(_ read: UnsafePointer<lob_update>, _ isLinked: Bool) {
        update.eventTimeUs = unsafe microseconds(read.pointee.event_time)
        update.transactionTimeUs = unsafe microseconds(read.pointee.transaction_time)
        update.symbol = unsafe SymbolName(
            shortName: read.pointee.symbol, length: Int(read.pointee.symbol_length))
        update.first = unsafe UpdateID(read.pointee.first)
        update.last = unsafe UpdateID(read.pointee.last)
        update.previousLast = unsafe isLinked ? UpdateID(read.pointee.previous) : nil
        update.extras = nil
        update.bids.removeAll()
        update.asks.removeAll()
        unsafe update.bids.noteWritten(Int(read.pointee.bid_count))
        unsafe update.asks.noteWritten(Int(read.pointee.ask_count))
    }

    /// Parses what the kernel did not take.
    @inline(never)
    private mutating func finish(_ cursor: inout JSONCursor, _ sides: Int32) throws(ParseError) {
        if sides == 0 {
            try levels.readOn(&cursor, into: &update.bids)
            try cursor.require(#","a":["#)
        }
        try levels.readOn(&cursor, into: &update.asks)
    }
}
