// The number by which the venue orders changes of a book.

/// A position in one symbol's stream of book changes; the venue's `U`, `u`, `pu` and `lastUpdateId`.
public struct UpdateID: Hashable, Comparable, Sendable, BitwiseCopyable, CustomStringConvertible {
    /// The number as the venue sends it; exceeds 32 bits on every market.
    public var value: Int64

    /// The update id of this number.
    @inlinable
    public init(_ value: Int64) { self.value = value }

    /// Earlier first.
    @inlinable
    public static func < (a: UpdateID, b: UpdateID) -> Bool { a.value < b.value }

    /// The number in decimal.
    public var description: String { String(value) }
}
