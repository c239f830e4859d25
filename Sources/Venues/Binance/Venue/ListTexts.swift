// The original text of the venue's symbol list, as far as it will be repeated: the objects of some symbols,
// and what surrounds them.
//
// Bounds: `symbolBytesMax` per requested symbol, `memberCountMax` members of `memberBytesMax`. Anything
// longer is omitted and can be generated instead.

import MarketData

/// Verbatim parts of an `exchangeInfo`.
package struct ListTexts: Sendable, Equatable {
    /// The objects of the requested symbols.
    package var symbols: [SymbolName: [UInt8]] = [:]
    /// The members of the list in order, each name once; for the time and the symbols, which an answer fills
    /// in itself, only their position.
    package private(set) var members: [Member] = []

    /// One member.
    package struct Member: Sendable, Equatable {
        /// Its name, with escapes as in the original.
        package var name: String
        /// Its value; empty if only the position matters.
        package var value: [UInt8]
    }

    /// Nothing yet.
    package init() {}

    static let symbolBytesMax = 1 << 16
    static let memberBytesMax = 1 << 20
    static let memberCountMax = 32
    /// The member with the time.
    package static let time = "serverTime"
    /// The member with the symbols.
    package static let list = "symbols"

    /// Adds a member if there is room and its name is new.
    mutating func add(_ name: String, _ value: [UInt8]) {
        if members.count == ListTexts.memberCountMax || value.count > ListTexts.memberBytesMax { return }
        if members.contains(where: { $0.name == name }) { return }
        members.append(Member(name: name, value: value))
    }

    /// Adds a symbol's object if it is not too long.
    mutating func add(_ symbol: SymbolName, _ object: [UInt8]) {
        if object.count <= ListTexts.symbolBytesMax { symbols[symbol] = object }
    }
}
