// Finds the owner of an unreadable message, or of one of which only the beginning is left. Such a loss
// concerns one book. Finding it costs a look at a few hundred bytes; not knowing it would make every book of
// the connection untrusted.
//
// The stream name is tried first, because it precedes everything that can be damaged; then the payload's
// symbol. The result is a guess about a damaged message, so the caller ignores a name it does not know.
//
// Invariant: a message that may have been a depth update is never taken for anything else. Only a stream name
// that is exactly one of another kind shows that no update was lost.

import MarketData

/// What is known about an unreadable message.
package struct MessageOwner: Hashable, Sendable {
    /// The symbol it names, in capitals; nil if none is recognisable.
    package var symbol: SymbolName?
    /// Whether it may have been a depth update.
    package var mayBeUpdate: Bool

    /// Number of bytes examined.
    package static var headBytes: Int { 512 }

    /// Examines the beginning of a message. O(bytes), allocating.
    package init(_ head: [UInt8]) {
        if let name = MessageOwner.text(behind: #""stream":""#, in: head) {
            let parts = name.split(separator: UInt8(ascii: "@"), maxSplits: 1)
            symbol = parts.first.flatMap { MessageOwner.capital($0) }
            mayBeUpdate =
                parts.count < 2
                || !MessageOwner.otherKinds.contains(String(decoding: parts[1], as: UTF8.self))
            if symbol != nil { return }
        } else {
            mayBeUpdate =
                !head.starts(with: Array(#"{"u":"#.utf8))
                && !head.starts(with: Array(#"{"e":"bookTicker""#.utf8))
        }
        symbol = MessageOwner.text(behind: #""s":""#, in: head).flatMap { MessageOwner.capital($0) }
    }

    /// Streams whose messages are not depth updates: exactly the part after the `@`.
    private static let otherKinds: Set<String> = {
        var kinds: Set = [
            "bookTicker", "trade", "aggTrade", "miniTicker", "ticker", "markPrice", "markPrice@1s",
            "forceOrder", "avgPrice", "blockTrade", "referencePrice",
        ]
        for count in ["5", "10", "20"] {
            for speed in ["", "@100ms", "@250ms", "@500ms", "@1000ms"] {
                kinds.insert("depth\(count)\(speed)")
            }
        }
        for speed in ["", "@100ms", "@250ms", "@500ms"] { kinds.insert("rpiDepth\(speed)") }
        return kinds
    }()

    /// The text between `key` and the next quote; nil if the key is absent or nothing ends it.
    private static func text(behind key: String, in bytes: [UInt8]) -> ArraySlice<UInt8>? {
        let key = Array(key.utf8)
        if bytes.count <= key.count { return nil }
        for start in 0..<(bytes.count - key.count) where bytes[start] == key[0] {
            let end = start + key.count
            if !bytes[start..<end].elementsEqual(key) { continue }
            guard let quote = bytes[end...].firstIndex(of: 0x22) else { return nil }
            return bytes[end..<quote]
        }
        return nil
    }

    /// The name with its ASCII letters uppercased, as in payloads.
    private static func capital(_ name: ArraySlice<UInt8>) -> SymbolName? {
        let letters = name.map { UInt8(ascii: "a") <= $0 && $0 <= UInt8(ascii: "z") ? $0 & 0xDF : $0 }
        if letters.isEmpty { return nil }
        return SymbolName(String(decoding: letters, as: UTF8.self))
    }
}
