// The books that `withBooks` keeps.

import BookService
import MarketData

/// The live books of one `withBooks`. May be copied, and used by any thread or task; after the end of
/// `withBooks` its books show their last state.
public struct LiveBooks: Sendable {
    /// The service that keeps them: questions about whole books, lists of symbols, status of connections.
    public let service: BookService

    init(_ service: BookService) { self.service = service }

    /// Symbols, each once, in the order in which they were given.
    public var symbols: [SymbolName] { service.symbols }

    /// The book of a symbol, which must be one of `symbols`: any other is a programming error and ends the
    /// program.
    public subscript(_ symbol: SymbolName) -> LiveBook {
        guard let readers = service.readers(of: symbol) else {
            fatalError("no book is kept of \(symbol), only of \(symbols)")
        }
        return LiveBook(symbol: symbol, readers)
    }
}
