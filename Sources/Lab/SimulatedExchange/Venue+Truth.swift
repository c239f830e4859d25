// What a checker may know and a client may not: the true book at any id of the recent past.
//
// Following the ids of a symbol upwards costs one step per change; going back replays the kept history.

import MarketData

extension Venue {
    /// Calls `body` with the true book of a symbol at an update id.
    ///
    /// - Parameter isFormer: whether the id is from before the venue started over.
    /// - Returns: nil if the symbol is unknown, or the id is older or newer than everything kept.
    /// - Note: the book is in the profile's scales; `factors(to:)` converts to those that the venue prints.
    package mutating func withTruth<R>(
        of symbol: SymbolName, at id: UpdateID, isFormer: Bool = false, _ body: (borrowing TrueBook) -> R
    ) -> R? {
        guard let index = indices[symbol] else { return nil }
        if isFormer { return listings[index].formerBook(at: id, body) }
        guard listings[index].history.move(&listings[index].truth, to: id) else { return nil }
        return body(listings[index].truth.book)
    }

    /// The last id of the last update that the diff stream of a symbol has shown.
    package func shownID(of symbol: SymbolName) -> UpdateID? { indices[symbol].map { listings[$0].shownID } }

    /// The last thing a client missed between two subscriptions of the depth stream of a symbol.
    package func missed(of symbol: SymbolName) -> MissedUpdate? {
        indices[symbol].flatMap { listings[$0].missed }
    }

    /// When the first change after an id happened, among those that the diff stream has shown; nil if there
    /// is none or the id is unknown.
    package func changedUs(of symbol: SymbolName, after id: UpdateID) -> Int64? {
        guard let index = indices[symbol] else { return nil }
        return listings[index].history.changedUs(after: id, upTo: listings[index].shownID)
    }

    /// The oldest id that `withTruth` still knows.
    package func oldestKnownID(of symbol: SymbolName) -> UpdateID? {
        indices[symbol].map { listings[$0].history.oldestID }
    }
}

extension TrueBook {
    /// The factors that convert the book's price and quantity mantissas to other scales; nil if those have
    /// fewer decimals than the book's.
    package func factors(to scales: SymbolScales) -> (price: Int64, quantity: Int64)? {
        guard let price = TrueBook.power(Int(scales.priceDecimals) - Int(self.scales.priceDecimals)),
            let quantity = TrueBook.power(Int(scales.quantityDecimals) - Int(self.scales.quantityDecimals))
        else { return nil }
        return (price, quantity)
    }

    private static func power(_ exponent: Int) -> Int64? {
        exponent < 0 ? nil : (0..<min(exponent, 18)).reduce(1) { value, _ in value * 10 }
    }
}
