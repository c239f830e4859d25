// The form of a proven range in a `BookView`: a kind and a price.

import MarketData

extension ProvenRange {
    /// Decodes the form stored in a `BookView`.
    @inlinable
    init(kind: UInt8, price: Price) {
        self = kind == 0 ? .nothing : kind == 1 ? .to(price) : .unbounded
    }

    /// The form stored in a `BookView`.
    @inlinable
    var parts: (kind: UInt8, price: Price) {
        switch self {
        case .nothing: (0, Price(0))
        case .to(let worst): (1, worst)
        case .unbounded: (2, Price(0))
        }
    }
}
