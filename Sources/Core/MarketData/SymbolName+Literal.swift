// Symbols in source code: `books["BTCUSDT"]`.

extension SymbolName: ExpressibleByStringLiteral {
    /// The name that stands in the source code. One that is empty or longer than `lengthMax` bytes is an
    /// error of the program and ends it; text from outside goes through `init?(_:)`.
    public init(stringLiteral text: StaticString) {
        guard text.utf8CodeUnitCount > 0, let name = SymbolName(text.description) else {
            // Not a precondition: its text is lost in an optimised build.
            fatalError("\"\(text)\" is no symbol: a name has 1 to \(SymbolName.lengthMax) bytes of UTF-8")
        }
        self = name
    }
}
