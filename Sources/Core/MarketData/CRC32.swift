// 32-bit cyclic redundancy checks, reflected, inverted at both ends: the form of venue book checksums and of
// the checks in recordings, which differ only in the polynomial.
//
// Slicing-by-8: eight bytes a step through eight tables. Portable; the same result on every processor.

/// A running CRC-32.
public struct CRC32: Sendable {
    /// Which check.
    public struct Polynomial: Sendable {
        /// Table `n` holds the CRC of a byte followed by `n` zero bytes.
        fileprivate let tables: [UInt32]

        /// Tables of a reflected polynomial.
        fileprivate init(reflected: UInt32) {
            var tables = [UInt32](repeating: 0, count: 8 * 256)
            for byte in 0..<256 {
                var value = UInt32(byte)
                for _ in 0..<8 { value = value & 1 == 0 ? value >> 1 : value >> 1 ^ reflected }
                tables[byte] = value
            }
            for index in 256..<tables.count {
                let value = tables[index - 256]
                tables[index] = tables[Int(value & 0xFF)] ^ value >> 8
            }
            self.tables = tables
        }

        /// CRC-32 as in zip, Ethernet and venue checksums.
        public static let ieee = Polynomial(reflected: 0xEDB8_8320)
        /// CRC-32C (Castagnoli), which detects more storage errors.
        public static let castagnoli = Polynomial(reflected: 0x82F6_3B78)
    }

    private let polynomial: Polynomial
    private var register = UInt32.max

    /// The CRC of no bytes.
    public init(_ polynomial: Polynomial) { self.polynomial = polynomial }

    /// The CRC of the bytes added so far.
    public var value: UInt32 { ~register }

    /// Adds one byte.
    public mutating func add(_ byte: UInt8) {
        register = polynomial.tables[Int((register ^ UInt32(byte)) & 0xFF)] ^ register >> 8
    }

    /// Adds bytes.
    ///
    /// - Complexity: O(bytes). Allocates nothing.
    public mutating func add(_ bytes: Span<UInt8>) {
        let kept = polynomial.tables
        let tables = kept.span
        var value = register
        var index = 0
        while index + 8 <= bytes.count {
            let low =
                value
                ^ (UInt32(bytes[index]) | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2]) << 16
                    | UInt32(bytes[index + 3]) << 24)
            let first = tables[0x700 | Int(low & 0xFF)] ^ tables[0x600 | Int(low >> 8 & 0xFF)]
            let second = tables[0x500 | Int(low >> 16 & 0xFF)] ^ tables[0x400 | Int(low >> 24)]
            let third = tables[0x300 | Int(bytes[index + 4])] ^ tables[0x200 | Int(bytes[index + 5])]
            let fourth = tables[0x100 | Int(bytes[index + 6])] ^ tables[Int(bytes[index + 7])]
            value = first ^ second ^ third ^ fourth
            index += 8
        }
        register = value
        while index < bytes.count {
            add(bytes[index])
            index += 1
        }
    }

    /// The CRC of these bytes.
    ///
    /// - Parameters:
    ///   - bytes: the whole input.
    ///   - polynomial: which CRC.
    public static func value(of bytes: Span<UInt8>, _ polynomial: Polynomial) -> UInt32 {
        var check = CRC32(polynomial)
        check.add(bytes)
        return check.value
    }
}
