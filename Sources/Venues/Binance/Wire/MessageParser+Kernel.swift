// The shortest path: one kernel call parses an update with the usual field order. Whatever it leaves, one
// side or the whole message, the straight path takes.
//
// SAFETY: the kernel gets the cursor's bounds and buffers with the room its header demands.
import CLobKernels
import MarketData

extension MessageParser {
    /// The kind of a depth update that the kernel recognises, fully parsed, or nil.
    @inline(__always)
    mutating func recognised(
        _ start: JSONCursor, _ isLinked: Bool
    ) throws(ParseError) -> MessageKind? {
        var cursor = start
        guard cursor.take(#"{"stream":""#) || cursor.take(#"{"e":"depthUpdate""#) else { return nil }
        let roomy = start.bytesLeft &>> 3 &+ 1
        guard let tables = unsafe levels.tables, update.bids.reserve(roomy), update.asks.reserve(roomy)
        else { return nil }
        let front = unsafe lob_update_read(
            tables, start.at, start.end, start.readableEnd, words(update.bids), words(update.asks))
        guard
            unsafe front.sides >= 0 && (front.previous >= 0) == isLinked && front.last >= front.first
        else { return nil }
        if unsafe front.stream_length > 0 {
            let name = start.offset &+ 11
            stream = unsafe Range(uncheckedBounds: (name, name &+ Int(front.stream_length)))
        }
        unsafe cursor.at = unsafe front.at
        unsafe fill(front, isLinked)
        if unsafe front.sides < 2 { try finish(&cursor, unsafe front.sides) }
        update.scales = levels.scales
        try straightEnd(&cursor)
        return .depthUpdate
    }

    @inline(__always)
    private func words(_ side: borrowing LevelBuffer) -> UnsafeMutablePointer<Int64> {
        unsafe UnsafeMutableRawPointer(side.base).assumingMemoryBound(to: Int64.self)
    }

    @inline(__always)
    private mutating func fill(_ front: lob_update, _ isLinked: Bool) {
        update.eventTimeUs = unsafe microseconds(front.event_time)
        update.transactionTimeUs = unsafe microseconds(front.transaction_time)
        update.symbol = unsafe SymbolName(shortName: front.symbol, length: Int(front.symbol_length))
        update.first = unsafe UpdateID(front.first)
        update.last = unsafe UpdateID(front.last)
        update.previousLast = unsafe isLinked ? UpdateID(front.previous) : nil
        update.checksum = nil
        update.bids.removeAll()
        update.asks.removeAll()
        unsafe update.bids.noteWritten(Int(front.bid_count))
        unsafe update.asks.noteWritten(Int(front.ask_count))
        unsafe levels.begin(front.decimals)
        if unsafe front.sides > 0 { levels.goBehind(update.bids) }
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
