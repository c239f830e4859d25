// One level of a book: a price and the quantity resting at it.

/// One price and the absolute quantity resting at it. 16 bytes; price first.
public struct PriceLevel: Hashable, Sendable, BitwiseCopyable {
    /// The price, in the symbol's price scale.
    public var price: Price
    /// The absolute quantity, in the symbol's quantity scale; zero means "no such level".
    public var quantity: Quantity

    /// A level of this price and quantity.
    @inlinable
    public init(price: Price, quantity: Quantity) {
        self.price = price
        self.quantity = quantity
    }

    /// A level of these two mantissas.
    @inlinable
    public init(_ price: Int64, _ quantity: Int64) {
        self.price = Price(price)
        self.quantity = Quantity(quantity)
    }
}
