// The price down to which a side is known to be complete.

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

    /// Whether another range of a side lies inside this one.
    package func covers(_ other: ProvenRange, on side: Side) -> Bool {
        switch other {
        case .nothing: true
        case .to(let worst): reaches(worst, on: side)
        case .unbounded: self == .unbounded
        }
    }

    /// The narrower of two ranges of a side.
    package func narrowed(by other: ProvenRange, on side: Side) -> ProvenRange {
        covers(other, on: side) ? other : self
    }
}

extension ProvenRange {
    /// The same range with other decimals; nil if its price does not fit.
    package func scaled(from old: SymbolScales, to new: SymbolScales) -> ProvenRange? {
        guard case .to(let worst) = self else { return self }
        return worst.scaled(from: old.priceDecimals, to: new.priceDecimals).map { .to($0) }
    }

    /// The widest range with other decimals that lies inside this one.
    package func fitted(from old: UInt8, to new: UInt8, on side: Side) -> ProvenRange {
        guard case .to(let worst) = self else { return self }
        if let price = worst.scaled(from: old, to: new) { return .to(price) }
        if new > old { return .nothing }
        var quotient = worst.mantissa
        for _ in new..<old { quotient /= 10 }
        return .to(Price(side == .bid ? quotient + 1 : quotient))
    }
}
