// A message in a wrapper names its symbol twice, in the stream name and in the payload. Two different names
// mean that one of them is damaged: applied under either, an update would be missing from a book that stays
// live.
//
// SAFETY: the message is the one last parsed, so its stream name lies inside it; words are read only where
// the whole of them lies inside it as well.

import MarketData

extension MessageParser {
    /// Whether the wrapper of a message names another symbol than its payload.
    ///
    /// Stream names have lower-case letters, payloads capitals: the case of ASCII letters does not count.
    /// False without a wrapper, and for a stream of all symbols, such as `!bookTicker`.
    ///
    /// - Parameters:
    ///   - symbol: the symbol in the payload.
    ///   - stream: where the stream name lies, as the parser found it; nil without a wrapper.
    ///   - message: the message.
    /// - Complexity: O(1).
    @unsafe
    @inlinable
    @inline(__always)
    package static func isMisnamed(
        _ symbol: SymbolName, _ stream: Range<Int>?, _ message: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        guard let stream, let base = message.baseAddress else { return false }
        let length = symbol.length
        if length <= 15 && stream.count > length && stream.lowerBound &+ 16 <= message.count {
            let name = unsafe UnsafeRawPointer(base + stream.lowerBound)
            let beyond = UInt64.max &<< UInt64(truncatingIfNeeded: 8 &* length)  // counts modulo 64
            let mask = length < 8 ? SIMD2(~beyond, 0) : SIMD2(.max, ~beyond)
            let words = unsafe name.loadUnaligned(as: SIMD2<UInt64>.self)
            let difference = MessageParser.difference(symbol.shortWords, words) & mask
            let end = unsafe name.load(fromByteOffset: length, as: UInt8.self)
            if difference[0] | difference[1] == 0 && end == UInt8(ascii: "@") { return false }
        }
        return unsafe isMisnamedAtLength(symbol, UnsafeBufferPointer(rebasing: message[stream]))
    }

    /// The bits in which these bytes differ, but for the case of ASCII letters.
    @inlinable
    @inline(__always)
    package static func difference(_ a: SIMD2<UInt64>, _ b: SIMD2<UInt64>) -> SIMD2<UInt64> {
        let isCase: SIMD2<UInt64> = 0x2020_2020_2020_2020 & ~(a &>> 2)  // bit 7 is set in what is not ASCII
        return (a ^ b) & ~isCase
    }

    /// The same for names of any length.
    @inline(never)
    @usableFromInline
    static func isMisnamedAtLength(_ symbol: SymbolName, _ stream: UnsafeBufferPointer<UInt8>) -> Bool {
        let length = unsafe stream.firstIndex(of: UInt8(ascii: "@")) ?? stream.count
        if length == stream.count { return unsafe stream.first != UInt8(ascii: "!") }
        if length != symbol.length { return true }
        return unsafe symbol.withBytes { bytes in
            unsafe zip(bytes, stream).contains { a, b in
                MessageParser.difference(SIMD2(UInt64(a), 0), SIMD2(UInt64(b), 0))[0] != 0
            }
        }
    }
}
