// The venue's list of symbols in its own words, as far as somebody wants to repeat them: the objects of some
// symbols, and what stands around all of them.
//
// Bounds: `symbolBytesMax` for each symbol wanted, `memberCountMax` members of `memberBytesMax`. What is
// longer is left out; it can then be made from what is known of it.

import MarketData

/// Parts of an `exchangeInfo` as they stood there.
package struct ListTexts: Sendable, Equatable {
    /// The objects of the symbols that were wanted.
    package var symbols: [SymbolName: [UInt8]] = [:]
    /// The members of the list in their order, each name once; of those that an answer fills in itself, the
    /// time and the symbols, only the place.
    package private(set) var members: [Member] = []

    /// One member.
    package struct Member: Sendable, Equatable {
        /// Its name, escapes as they stood.
        package var name: String
        /// Its value; empty where only the place counts.
        package var value: [UInt8]
    }

    /// Nothing yet.
    package init() {}

    static let symbolBytesMax = 1 << 16
    static let memberBytesMax = 1 << 20
    static let memberCountMax = 32
    /// The member that says when.
    package static let time = "serverTime"
    /// The member that holds the symbols.
    package static let list = "symbols"

    /// Adds a member, if there is room and none of its name.
    mutating func add(_ name: String, _ value: [UInt8]) {
        if members.count == ListTexts.memberCountMax || value.count > ListTexts.memberBytesMax { return }
        if members.contains(where: { $0.name == name }) { return }
        members.append(Member(name: name, value: value))
    }

    /// Adds the object of a symbol, if it is not too long.
    mutating func add(_ symbol: SymbolName, _ object: [UInt8]) {
        if object.count <= ListTexts.symbolBytesMax { symbols[symbol] = object }
    }
}
