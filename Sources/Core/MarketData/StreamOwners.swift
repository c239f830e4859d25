// Which symbol a stream belongs to. The venue's stream names have lower-case letters, so two symbols that
// differ only in the case of letters would share their streams, and nobody could tell whose a message is.

/// Symbols by the name that their streams begin with, compared byte by byte.
package struct StreamOwners {
    private var owners: [[UInt8]: SymbolName] = [:]

    /// Nobody yet.
    package init() {}

    /// Adds a symbol, unless its streams belong to one already.
    ///
    /// - Returns: that one; nil if the streams are the symbol's own from now on.
    package mutating func add(_ symbol: SymbolName) -> SymbolName? {
        let name = Array(symbol.lowercasedASCII.utf8)
        if let owner = owners[name] { return owner }
        owners[name] = symbol
        return nil
    }

    /// Checks that no two different symbols share their streams.
    ///
    /// - Throws: `ConfigurationError` of the field `symbols`.
    package static func check(_ symbols: [SymbolName]) throws(ConfigurationError) {
        var owners = StreamOwners()
        for symbol in symbols {
            guard let owner = owners.add(symbol), owner != symbol else { continue }
            throw ConfigurationError(
                field: "symbols", value: "\(owner) and \(symbol)", legal: "symbols with streams of their own")
        }
    }
}
