// The books kept by `withBooks`.

import BookService
import MarketData

/// The live books of one `withBooks`. May be copied, and used by any thread or task; after the end of
/// `withBooks` its books show their last state.
public struct LiveBooks: Sendable {
    /// The underlying service: for queries about whole books, symbol lists, and connection status.
    public let service: BookService

    init(_ service: BookService) { self.service = service }

    /// Symbols without duplicates, in the given order.
    public var symbols: [SymbolName] { service.symbols }

    /// The book of a symbol, which must be one of `symbols`; any other is a programming error and traps.
    public subscript(_ symbol: SymbolName) -> LiveBook {
        guard let readers = service.readers(of: symbol) else {
            fatalError("no book is kept of \(symbol), only of \(symbols)")
        }
        return LiveBook(symbol: symbol, readers)
    }
}
