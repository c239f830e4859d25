// Parses messages in place: from the bytes of one message to ids and levels as integers, with nothing copied
// and, once the largest message has been seen, nothing allocated.
//
// Three paths, one answer.
// * Kernel: a depth update in its usual field order, in one call of C. It never rejects a message: what it
//   does not take, a side or the whole message, it leaves to the straight path.
// * Straight: the field orders the three markets actually send, checked byte by byte at their expected
//   places. It never rejects a message either: whatever it does not expect it leaves to the general path.
// * General: any order, blanks, unknown fields, escapes. It reads the object once for its shape and then the
//   fields it needs, and is the only one that reports errors.
//
// Invariants
// * The result depends only on the bytes of the message and on whether updates are linked, not on earlier
//   messages or on the path taken.
// * No byte outside the message influences it, and none is read beyond `readableAfter`.
// * A level is read exactly or the message is rejected: no rounding, no saturation, no partial message.
// Worst case: O(bytes) of the message, levels read twice if the general path reads them; memory bounded by
// `messageBytesMax`. UTF-8 is not validated: non-ASCII bytes can occur only in names, and are compared as
// bytes.
//
// SAFETY: the buffer is only read, only during the call, and only by the kernel and through `JSONCursor`.
import MarketData

/// A reusable parser of everything a market data connection or a REST depth request delivers. For one thread
/// at a time.
public struct MessageParser: ~Copyable {
    /// The depth update, after `.depthUpdate` was returned and until the next call.
    public var update: DepthUpdate
    /// The state, after `.depthSnapshot` or `.partialDepth` was returned and until the next call.
    ///
    /// Its symbol is empty if neither the message nor its stream name has one: REST bodies of spot and USD-M.
    public var snapshot: DepthSnapshot
    /// The best prices, after `.bookTicker` was returned.
    public var ticker = BookTicker()
    /// The stream name in the combined wrapper as a byte range of the message; nil without a wrapper.
    public var stream: Range<Int>?

    var levels: LevelsParser

    /// Longer messages are rejected: 4 MiB, eight times the longest REST body (5000 levels per side).
    public static var messageBytesMax: Int { 1 << 22 }

    /// A parser with room for `levelCapacity` levels per side; it grows to the longest message it meets.
    public init(levelCapacity: Int = 1024) {
        self.init(levelCapacity: levelCapacity, usesKernel: true)
    }

    init(levelCapacity: Int, usesKernel: Bool) {
        update = DepthUpdate(levelCapacity: levelCapacity)
        snapshot = DepthSnapshot(levelCapacity: levelCapacity)
        levels = LevelsParser(usesKernel: usesKernel)
    }

    /// Parses one message and returns its kind.
    ///
    /// Depth updates, partial depth, book tickers and REST depth bodies are parsed completely and must be
    /// right in every byte. Replies to requests are `.other`; `ControlMessage` parses them. A depth update in
    /// a `@depth5`, `@depth10` or `@depth20` stream is partial depth; without a wrapper the two look alike,
    /// and it is taken for a depth update. Updates of an `@rpiDepth` stream are `.other`: they belong to
    /// another book. Where updates are linked, a missing `pu` is an error, and so is anything that is not an
    /// update but came in a stream of them, or has the ids and levels of one.
    ///
    /// - Parameters:
    ///   - message: one whole message, with optional blanks around it.
    ///   - market: its market.
    /// - Throws: what is wrong, and where. `update`, `snapshot`, `ticker` and `stream` are then empty.
    /// - Complexity: O(bytes). Allocates only to grow for the longest message yet.
    public mutating func parse(_ message: Span<UInt8>, market: Market) throws(ParseError) -> MessageKind {
        try parse(message, length: message.count, market: market)
    }

    /// Parses the message at the front of a window of memory and returns its kind; otherwise as `parse`.
    ///
    /// - Parameters:
    ///   - window: the message, followed by bytes that may be read but are never interpreted. With 80 or more
    ///     of them the fast paths work up to the last byte of the message; with none, the last two or three
    ///     levels take a slower one.
    ///   - length: length of the message; clamped to the window.
    ///   - market: its market.
    public mutating func parse(
        _ window: Span<UInt8>, length: Int, market: Market
    ) throws(ParseError) -> MessageKind {
        let length = min(max(length, 0), window.count)
        return try unsafe window.withUnsafeBufferPointer { bytes throws(ParseError) in
            try unsafe parse(
                UnsafeBufferPointer(rebasing: bytes[..<length]), market: market,
                readableAfter: bytes.count - length)
        }
    }

    /// Parses a body that must be a depth snapshot.
    ///
    /// - Parameter body: the whole body of a REST answer, with optional blanks around it.
    /// - Throws: what is wrong, and where; `snapshot` is then empty. An error body lacks `lastUpdateId`:
    ///   `.fieldMissing`.
    /// - Complexity: O(bytes). Allocates only to grow for the longest body yet.
    public mutating func parseSnapshot(_ body: Span<UInt8>) throws(ParseError) {
        try unsafe body.withUnsafeBufferPointer { bytes throws(ParseError) in
            try unsafe parseSnapshot(bytes)
        }
    }

    /// `parse` over memory the caller vouches for, including `readableAfter` bytes after the message.
    ///
    /// - Parameter updatesAreLinked: whether updates name the last id of the previous one:
    ///   `Market.updatesAreLinked`.
    @unsafe
    package mutating func parse(
        _ message: UnsafeBufferPointer<UInt8>, updatesAreLinked: Bool, readableAfter: Int = 0
    ) throws(ParseError) -> MessageKind {
        let read = unsafe readByKernel(message, readableAfter)
        if unsafe takeWhole(read, updatesAreLinked) { return .depthUpdate }
        do throws(ParseError) {
            let cursor = try unsafe begin(message, readableAfter)
            if let kind = unsafe straight(cursor, updatesAreLinked, read) { return kind }
            return try general(cursor, updatesAreLinked)
        } catch {
            reset()
            throw error
        }
    }

    /// The same for a message of a market.
    @unsafe
    package mutating func parse(
        _ message: UnsafeBufferPointer<UInt8>, market: Market, readableAfter: Int = 0
    ) throws(ParseError) -> MessageKind {
        try unsafe parse(message, updatesAreLinked: market.updatesAreLinked, readableAfter: readableAfter)
    }

    /// `parseSnapshot` over memory the caller vouches for, including `readableAfter` bytes after it.
    @unsafe
    package mutating func parseSnapshot(
        _ body: UnsafeBufferPointer<UInt8>, readableAfter: Int = 0
    ) throws(ParseError) {
        do throws(ParseError) {
            let cursor = try unsafe begin(body, readableAfter)
            if straightSnapshot(cursor) { return }
            try generalSnapshot(cursor)
        } catch {
            reset()
            throw error
        }
    }

    @inline(__always)
    private mutating func begin(
        _ message: UnsafeBufferPointer<UInt8>, _ readableAfter: Int
    ) throws(ParseError) -> JSONCursor {
        stream = nil
        guard message.count > 0, let base = message.baseAddress else {
            throw ParseError(code: .empty, offset: 0)
        }
        if message.count > MessageParser.messageBytesMax {
            throw ParseError(code: .messageTooLong, offset: 0)
        }
        var cursor = unsafe JSONCursor(base, count: message.count, readableAfter: max(readableAfter, 0))
        if !cursor.isBracketed { try cursor.trim() }
        return cursor
    }

    @inline(never)
    private mutating func reset() {
        update.reset()
        snapshot.reset()
        ticker = BookTicker()
        stream = nil
    }
}

/// What a depth update on a stream is, by the name of the stream. On futures partial depth has the form of an
/// update, so the name alone tells them apart: one that is neither's, to the last byte, tells nothing.
enum DepthStream {
    /// A stream of depth updates, or no name to tell.
    case diff
    /// A stream of the best 5, 10 or 20 levels.
    case partial
    /// The book that includes retail price improvement orders.
    case retail
    /// A name that no stream of depth has.
    case unknown

    @inline(__always)
    init(_ name: Range<Int>?, _ cursor: JSONCursor) {
        self = .diff
        guard let name else { return }
        let at = cursor.first(UInt8(ascii: "@"), in: name)
        if cursor.has("@depth", at: at) {
            var end = at &+ 6
            if cursor[end] &- 0x31 <= 8 {  // at the latest the quote after the name
                self = .partial
                end = DepthStream.behindDigits(end, cursor)
            }
            if !DepthStream.isSpeed(end..<name.upperBound, cursor) { self = .unknown }
        } else {
            self = cursor.has("@rpiDepth", at: at) ? .retail : .unknown
        }
    }

    /// Whether the name begins as that of a stream of depth updates does.
    static func carriesUpdates(_ name: Range<Int>?, _ cursor: JSONCursor) -> Bool {
        guard let name else { return false }
        let at = cursor.first(UInt8(ascii: "@"), in: name)
        if !cursor.has("@depth", at: at) { return false }
        if at + 6 >= name.upperBound { return true }
        let speed = cursor[at &+ 7]  // at the latest the quote after the name
        return cursor[at &+ 6] == UInt8(ascii: "@") && speed >= 0x30 && speed <= 0x39
    }

    /// Whether this is nothing, or `@`, digits and `ms`.
    @inline(__always)
    private static func isSpeed(_ text: Range<Int>, _ cursor: JSONCursor) -> Bool {
        if text.isEmpty { return true }
        let unit = behindDigits(text.lowerBound &+ 1, cursor)
        return cursor[text.lowerBound] == UInt8(ascii: "@") && unit > text.lowerBound &+ 1
            && unit &+ 2 == text.upperBound && cursor[unit] == UInt8(ascii: "m")
            && cursor[unit &+ 1] == UInt8(ascii: "s")
    }

    /// The offset of the first byte from here on that is no digit; the quote after a name is none.
    @inline(__always)
    private static func behindDigits(_ start: Int, _ cursor: JSONCursor) -> Int {
        var at = start
        while cursor[at] &- 0x30 <= 9 { at &+= 1 }
        return at
    }
}
