// The price down to which a side is known to be complete.

import CLobKernels
import MarketData

/// How far one side is known.
public enum ProvenRange: Hashable, Sendable, BitwiseCopyable {
    /// Nothing is known.
    case nothing
    /// Every level from the best down to this price, inclusive.
    case to(Price)
    /// The whole side.
    case unbounded
}

extension ProvenRange {
    /// The same range with other decimals; nil if its price does not fit.
    package func scaled(from old: SymbolScales, to new: SymbolScales) -> ProvenRange? {
        guard case .to(let worst) = self else { return self }
        return worst.scaled(from: old.priceDecimals, to: new.priceDecimals).map { .to($0) }
    }

    /// Whether a price of a side lies inside it.
    @inlinable
    @inline(__always)
    public func reaches(_ price: Price, on side: Side) -> Bool {
        switch self {
        case .nothing: false
        case .to(let worst): !side.isBetter(worst, than: price)
        case .unbounded: true
        }
    }
}

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
