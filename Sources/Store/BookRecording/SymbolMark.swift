// Whether a message may be of a symbol, without parsing it: every message of a symbol contains its name, in
// capitals or, in a stream name, in lower case. Other messages may contain it too; the engine tells them
// apart.
//
// SAFETY: bytes of a frame are read only during the call that lends them; `at` and what is compared stay
// inside.

import Glibc
import LobHandoff
import MarketData

/// A symbol's name as messages contain it.
package struct SymbolMark: Sendable {
    private let capitals: [UInt8]
    private let smalls: [UInt8]

    /// The mark of a symbol.
    package init(_ symbol: SymbolName) {
        capitals = symbol.bytes
        smalls = Array(symbol.lowercasedASCII.utf8)
    }

    /// Whether a frame may be of the symbol.
    package func isIn(_ frame: Frame) -> Bool {
        let bytes = unsafe frame.bytes
        return unsafe isIn(bytes, capitals) || isIn(bytes, smalls)
    }

    private func isIn(_ bytes: UnsafeBufferPointer<UInt8>, _ name: [UInt8]) -> Bool {
        guard let first = name.first, let base = bytes.baseAddress else { return false }
        var at = 0
        while bytes.count - at >= name.count {
            let room = bytes.count - at - name.count + 1
            guard let found = unsafe memchr(base + at, Int32(first), room) else { return false }
            at = unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base)
            var length = 1
            while length < name.count, unsafe bytes[at + length] == name[length] { length += 1 }
            if length == name.count { return true }
            at += 1
        }
        return false
    }
}
