// Finds the owners of an unreadable message, or of one of which only the beginning is left. Such a loss
// concerns one book. Finding it costs a look at a few hundred bytes; not knowing it would make every book of
// the connection untrusted.
//
// A message names its symbol twice: in the stream name and in the payload. Either can be damaged, into
// nothing or into the name of another book, so both are candidates, and the caller ignores a name it does not
// know.
//
// Invariant: a message that may have been a depth update is never taken for anything else. Only a stream name
// that is exactly one of another kind shows that no update was lost.

import MarketData

/// What is known about an unreadable message.
package struct MessageOwner: Hashable, Sendable {
    /// The symbol in its stream name, or without one in its payload, in capitals; nil if none is
    /// recognisable.
    package var symbol: SymbolName?
    /// The symbol in its payload, in capitals, if that is another one.
    package var otherSymbol: SymbolName?
    /// Whether it may have been a depth update.
    package var mayBeUpdate: Bool

    /// Number of bytes examined.
    package static var headBytes: Int { 512 }

    /// Examines the beginning of a message. O(bytes), allocating.
    package init(_ head: [UInt8]) {
        if let name = MessageOwner.text(behind: #""stream":""#, in: head) {
            let at = name.firstIndex(of: UInt8(ascii: "@")) ?? name.endIndex
            symbol = MessageOwner.capital(name[..<at])
            mayBeUpdate =
                !MessageOwner.otherKinds.contains(String(decoding: name[at...], as: UTF8.self))
                && !MessageOwner.ofAllSymbols.contains(String(decoding: name, as: UTF8.self))
        } else {
            mayBeUpdate =
                !head.starts(with: Array(#"{"u":"#.utf8))
                && !head.starts(with: Array(#"{"e":"bookTicker""#.utf8))
        }
        let inside = MessageOwner.text(behind: #""s":""#, in: head).flatMap { MessageOwner.capital($0) }
        if symbol == nil {
            symbol = inside
        } else if inside != symbol {
            otherSymbol = inside
        }
    }

    /// Streams of other messages that belong to all symbols: exactly the name.
    private static let ofAllSymbols: Set = [
        "!bookTicker", "!ticker@arr", "!miniTicker@arr", "!markPrice@arr", "!markPrice@arr@1s",
        "!forceOrder@arr",
    ]

    /// Streams whose messages are not depth updates: exactly the part from the `@` on.
    private static let otherKinds: Set<String> = {
        var kinds: Set = [
            "@bookTicker", "@trade", "@aggTrade", "@miniTicker", "@ticker", "@markPrice", "@markPrice@1s",
            "@forceOrder", "@avgPrice", "@blockTrade", "@referencePrice",
        ]
        for count in ["5", "10", "20"] {
            for speed in ["", "@100ms", "@250ms", "@500ms", "@1000ms"] {
                kinds.insert("@depth\(count)\(speed)")
            }
        }
        for speed in ["", "@100ms", "@250ms", "@500ms"] { kinds.insert("@rpiDepth\(speed)") }
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
