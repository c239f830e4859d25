// One header of a request or an answer.

/// A header line to send.
public struct HTTPHeader: Hashable, Sendable {
    /// Name.
    public let name: String
    /// Value.
    public let value: String

    /// A header; nil if it contains a character that would break or end the line.
    public init?(_ name: String, _ value: String) {
        let isToken =
            !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
        if !isToken || !value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) { return nil }
        (self.name, self.value) = (name, value)
    }
}
