// Why a book rejects an update.

import CLobKernels
import MarketData

/// Why a message cannot be applied to a book.
public enum BookError: Error, Hashable, Sendable {
    /// The message has other decimals than the book, and one of the two does not fit the wider ones: load a
    /// new snapshot.
    case scalesDiffer(book: SymbolScales, message: SymbolScales)
    /// A price is negative or has more than 18 digits.
    case priceOutOfRange
}
