// The straight path: the field orders the venue actually sends, without looking up any name.
//
//     spot     {"e":"depthUpdate","E":…,"s":…,"U":…,"u":…,"b":[…],"a":[…]}
//     USD-M    {"e":"depthUpdate","E":…,"T":…,"s":…,"ps":…,"U":…,"u":…,"pu":…,"b":[…],"a":[…],"st":…}
//     COIN-M   as USD-M
//     spot     {"u":…,"s":…,"b":…,"B":…,"a":…,"A":…}
//     USD-M    {"e":"bookTicker","u":…,"s":…,"ps":…,"b":…,"B":…,"a":…,"A":…,"T":…,"E":…,"st":…}
//     COIN-M   {"u":…,"e":"bookTicker",…
//     REST     {"lastUpdateId":…,"E":…,"T":…,"symbol":…,"pair":…,"bids":[…],"asks":[…]}
//
// each bare or as {"stream":…,"data":…}. A throw in here only means "not straight": the general path decides.
//
// SAFETY: what the kernel has read is only passed on, during the call.
import CLobKernels
import MarketData

extension MessageParser {
    /// The kind of a message in one of the usual field orders, fully parsed, or nil.
    mutating func straight(
        _ start: JSONCursor, _ isLinked: Bool, _ read: UnsafePointer<lob_update>?
    ) -> MessageKind? {
        var cursor = start
        do throws(ParseError) {
            if let kind = try unsafe recognised(start, isLinked, read) { return kind }
            if cursor.take(#"{"stream":""#) {
                stream = try cursor.requireText()
                if cursor.take(#","data":{"e":"depthUpdate","E":"#) {
                    return try straightUpdate(cursor, isLinked)
                }
                try cursor.require(#","data":"#)
            }
            if cursor.take(#"{"e":"depthUpdate","E":"#) { return try straightUpdate(cursor, isLinked) }
            // Anything else in a stream of updates is an error.
            if DepthStream.carriesUpdates(stream, cursor) { return nil }
            if cursor.take(#"{"u":"#) { return try straightTicker(cursor) }
            if cursor.take(#"{"e":"bookTicker","u":"#) { return try straightTicker(cursor) }
            if cursor.take(#"{"lastUpdateId":"#) {
                try straightSnapshot(behindKey: cursor)
                if stream != nil && snapshot.symbol.isEmpty { snapshot.symbol = try symbolOfStream(cursor) }
                return stream == nil ? .depthSnapshot : .partialDepth
            }
            return try straightOther(cursor)
        } catch {
            return nil
        }
    }

    /// Whether this body was a snapshot in one of the usual field orders; it is then in `snapshot`.
    mutating func straightSnapshot(_ start: JSONCursor) -> Bool {
        var cursor = start
        do throws(ParseError) {
            try cursor.require(#"{"lastUpdateId":"#)
            try straightSnapshot(behindKey: cursor)
            return true
        } catch {
            return false
        }
    }

    /// Whether this is something that is not parsed: an array, or a message of another known type.
    private mutating func straightOther(_ start: JSONCursor) throws(ParseError) -> MessageKind? {
        var cursor = start
        if cursor.take("[") { return cursor.bytesLeft >= 0 ? .other : nil }
        try cursor.require(#"{"e":""#)
        let event = try cursor.requireText()
        return EventType.isOfOthers(event, cursor) && event.upperBound < cursor.length ? .other : nil
    }

    /// From after `"E":`.
    @inline(__always)
    private mutating func straightUpdate(
        _ start: JSONCursor, _ isLinked: Bool
    ) throws(ParseError) -> MessageKind {
        var cursor = start
        let depthStream = DepthStream(stream, cursor)
        if depthStream == .retail {
            if cursor.bytesLeft <= 0 { throw cursor.unexpected() }
            return .other
        }
        if depthStream == .unknown { throw cursor.unexpected() }
        update.eventTimeUs = microseconds(try cursor.requireInteger())
        update.transactionTimeUs = cursor.take(#","T":"#) ? microseconds(try cursor.requireInteger()) : 0
        try cursor.require(#","s":""#)
        update.symbol = try cursor.requireSymbol()
        if cursor.take(#","ps":""#) { _ = try cursor.requireText() }
        try cursor.require(#","U":"#)
        update.first = UpdateID(try cursor.requireInteger())
        try cursor.require(#","u":"#)
        update.last = UpdateID(try cursor.requireInteger())
        if update.last < update.first { throw cursor.unexpected() }
        update.previousLast = nil
        update.extras = nil
        if isLinked {
            try cursor.require(#","pu":"#)
            update.previousLast = UpdateID(try cursor.requireInteger())
        }
        levels.begin()
        try cursor.require(#","b":["#)
        try levels.read(&cursor, into: &update.bids)
        try cursor.require(#","a":["#)
        try levels.read(&cursor, into: &update.asks)
        update.scales = levels.scales
        try straightEnd(&cursor)
        if depthStream == .diff { return .depthUpdate }
        moveUpdateToSnapshot()
        return .partialDepth
    }

    /// From after `"u":`, with or without an event type before it.
    @inline(__always)
    private mutating func straightTicker(_ start: JSONCursor) throws(ParseError) -> MessageKind {
        var cursor = start
        ticker.updateID = UpdateID(try cursor.requireInteger())
        _ = cursor.take(#","e":"bookTicker""#)
        try cursor.require(#","s":""#)
        ticker.symbol = try cursor.requireSymbol()
        if cursor.take(#","ps":""#) { _ = try cursor.requireText() }
        var numbers = TickerNumbers()
        try cursor.require(#","b":"#)
        try numbers.bidPrice.read(&cursor)
        try cursor.require(#","B":"#)
        try numbers.bidQuantity.read(&cursor)
        try cursor.require(#","a":"#)
        try numbers.askPrice.read(&cursor)
        try cursor.require(#","A":"#)
        try numbers.askQuantity.read(&cursor)
        try numbers.fill(&ticker, cursor)
        ticker.transactionTimeUs = cursor.take(#","T":"#) ? microseconds(try cursor.requireInteger()) : 0
        ticker.eventTimeUs = cursor.take(#","E":"#) ? microseconds(try cursor.requireInteger()) : 0
        try straightEnd(&cursor)
        return .bookTicker
    }

    /// From after `"lastUpdateId":`.
    @inline(__always)
    private mutating func straightSnapshot(behindKey start: JSONCursor) throws(ParseError) {
        var cursor = start
        snapshot.lastUpdateID = UpdateID(try cursor.requireInteger())
        snapshot.eventTimeUs = cursor.take(#","E":"#) ? microseconds(try cursor.requireInteger()) : 0
        snapshot.transactionTimeUs = cursor.take(#","T":"#) ? microseconds(try cursor.requireInteger()) : 0
        snapshot.symbol = SymbolName()
        if cursor.take(#","symbol":""#) { snapshot.symbol = try cursor.requireSymbol() }
        if cursor.take(#","pair":""#) { _ = try cursor.requireText() }
        levels.begin()
        try cursor.require(#","bids":["#)
        try levels.read(&cursor, into: &snapshot.bids)
        try cursor.require(#","asks":["#)
        try levels.read(&cursor, into: &snapshot.asks)
        snapshot.scales = levels.scales
        try straightEnd(&cursor)
    }

    /// Closes the payload and the wrapper, exactly at the end of the message.
    @inline(__always)
    func straightEnd(_ cursor: inout JSONCursor) throws(ParseError) {
        if cursor.take(",") { try straightTail(&cursor) }
        if stream == nil { try cursor.require("}") } else { try cursor.require("}}") }
        if !cursor.isAtEnd { throw cursor.unexpected() }
    }

    /// The fields that futures append at the end, from after the comma.
    @inline(never)
    private func straightTail(_ cursor: inout JSONCursor) throws(ParseError) {
        if cursor.take(#""ps":""#) {
            _ = try cursor.requireText()
            try cursor.require(",")
        }
        try cursor.require(#""st":"#)
        _ = try cursor.requireInteger()
    }
}
