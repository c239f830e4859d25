// Symbols in source code: `books["BTCUSDT"]`.

extension SymbolName: ExpressibleByStringLiteral {
    /// A name from a literal in source code. An empty one, or one longer than `lengthMax` bytes, is a
    /// programming error and traps; text from outside goes through `init?(_:)`.
    public init(stringLiteral text: StaticString) {
        guard text.utf8CodeUnitCount > 0, let name = SymbolName(text.description) else {
            // Not a precondition: optimised builds drop its message.
            fatalError("\"\(text)\" is no symbol: a name has 1 to \(SymbolName.lengthMax) bytes of UTF-8")
        }
        self = name
    }
}
