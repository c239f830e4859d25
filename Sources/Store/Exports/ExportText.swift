// Numbers and names as the bytes of a row.

import MarketData

/// A row being built.
struct ExportText {
    /// Its bytes.
    private(set) var bytes: [UInt8] = []

    mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    mutating func append(_ text: StaticString) {
        bytes.append(contentsOf: "\(text)".utf8)
    }

    mutating func append(_ other: some Collection<UInt8>) { bytes.append(contentsOf: other) }

    mutating func append(_ byte: UInt8) { bytes.append(byte) }

    /// An integer.
    mutating func append(_ number: Int64) { append(mantissa: number, 0) }

    /// A price as the venue prints it.
    mutating func append(_ price: Price, _ scales: SymbolScales) {
        append(mantissa: price.mantissa, Int(scales.priceDecimals))
    }

    /// A quantity as the venue prints it.
    mutating func append(_ quantity: Quantity, _ scales: SymbolScales) {
        append(mantissa: quantity.mantissa, Int(scales.quantityDecimals))
    }

    private mutating func append(mantissa: Int64, _ decimals: Int) {
        let begin = bytes.count
        var (rest, count) = (mantissa.magnitude, 0)
        repeat {
            if count == decimals && decimals > 0 { bytes.append(UInt8(ascii: ".")) }
            bytes.append(0x30 + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
            count += 1
        } while rest > 0 || count <= decimals
        if mantissa < 0 { bytes.append(UInt8(ascii: "-")) }
        bytes[begin...].reverse()
    }
}
