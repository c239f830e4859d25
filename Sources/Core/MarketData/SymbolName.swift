// A symbol's name as inline bytes: compared and hashed without a String, copied without a reference count.
//
// Symbols may contain non-ASCII UTF-8 (`币安人生USDT`) and the punctuation `_` and `-`; only the length is
// checked here.
//
// SAFETY: byte access stays inside the 48 bytes of the struct and inside the range the caller gives.

/// The name of a symbol, at most 47 bytes of UTF-8. 48 bytes, trivially copyable.
public struct SymbolName: Hashable, Sendable, BitwiseCopyable, CustomStringConvertible {
    @usableFromInline
    var words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)

    /// The longest name in bytes.
    public static var lengthMax: Int { 47 }

    /// The empty name.
    @inlinable
    public init() { words = (0, 0, 0, 0, 0, 0) }

    /// The name of these bytes, or nil if there are more than `lengthMax`.
    public init?(_ bytes: Span<UInt8>) {
        self.init()
        if bytes.count > SymbolName.lengthMax { return nil }
        unsafe withUnsafeMutableBytes(of: &words) { raw in
            for index in bytes.indices { unsafe raw[index] = bytes[index] }
            unsafe raw[47] = UInt8(truncatingIfNeeded: bytes.count)
        }
    }

    /// The name of these bytes, or nil if there are more than `lengthMax`.
    @inlinable
    package init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.init()
        if bytes.count > SymbolName.lengthMax { return nil }
        unsafe withUnsafeMutableBytes(of: &words) { raw in
            if let source = bytes.baseAddress {
                unsafe raw.baseAddress!.copyMemory(from: source, byteCount: bytes.count)
            }
            unsafe raw[47] = UInt8(truncatingIfNeeded: bytes.count)
        }
    }

    /// The name in the first 1 ... 15 of these 16 bytes: two word loads instead of a copy.
    @inlinable
    @inline(__always)
    package init(shortName bytes: UnsafePointer<UInt8>, length: Int) {
        let raw = unsafe UnsafeRawPointer(bytes)
        let beyond = UInt64.max &<< UInt64(truncatingIfNeeded: 8 &* length)  // counts modulo 64
        let isOneWord = length < 8
        let low = unsafe raw.loadUnaligned(as: UInt64.self)
        let high = unsafe raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        let length = UInt64(truncatingIfNeeded: length) &<< 56
        words = (isOneWord ? low & ~beyond : low, isOneWord ? 0 : high & ~beyond, 0, 0, 0, length)
    }

    /// The name of this text, or nil if it is longer than `lengthMax` bytes.
    public init?(_ text: String) {
        var copy = text
        let made = copy.withUTF8 { unsafe SymbolName($0) }
        guard let made else { return nil }
        self = made
    }

    /// The first 16 bytes, the first of them in the lowest bits.
    @inlinable
    package var shortWords: SIMD2<UInt64> { SIMD2(words.0, words.1) }

    /// Length in bytes.
    @inlinable
    public var length: Int { Int(words.5 &>> 56) }

    /// Whether the name is empty.
    @inlinable
    public var isEmpty: Bool { length == 0 }

    /// Whether both names are bytewise equal.
    @inlinable
    public static func == (a: SymbolName, b: SymbolName) -> Bool {
        ((a.words.0 ^ b.words.0) | (a.words.1 ^ b.words.1) | (a.words.2 ^ b.words.2) | (a.words.3 ^ b.words.3)
            | (a.words.4 ^ b.words.4) | (a.words.5 ^ b.words.5)) == 0
    }

    /// Hashes the six words.
    @inlinable
    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.5)
        hasher.combine(words.2 ^ words.3 ^ words.4)
    }

    /// A cheap hash for this package's tables: one multiply-mix of the words, the same in every process.
    @inlinable
    public var quickHash: UInt64 {
        var h = words.0 ^ (words.1 &* 0x9E37_79B9_7F4A_7C15)
        h ^= (words.2 ^ words.3 &+ words.4) &* 0xC2B2_AE3D_27D4_EB4F
        h ^= words.5
        h &*= 0xD6E8_FEB8_6659_FD93
        return h ^ (h &>> 32)
    }

    /// Length of the prefix before the first such byte: the pair in `BTCUSDT_250627`.
    public func prefixLength(before byte: UInt8) -> Int {
        unsafe withBytes { unsafe $0.firstIndex(of: byte) ?? $0.count }
    }

    /// Calls `body` with the bytes of the name.
    @inlinable
    package func withBytes<R>(_ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        unsafe withUnsafeBytes(of: words) { raw in
            unsafe body(UnsafeBufferPointer(rebasing: raw.bindMemory(to: UInt8.self)[..<length]))
        }
    }

    /// The bytes of the name.
    public var bytes: [UInt8] { unsafe withBytes { unsafe Array($0) } }

    /// The name as text.
    public var description: String { unsafe withBytes { unsafe String(decoding: $0, as: UTF8.self) } }

    /// The name with ASCII letters lowercased, as stream names require; other bytes are unchanged.
    public var lowercasedASCII: String {
        unsafe withBytes { bytes in
            unsafe String(decoding: bytes.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }, as: UTF8.self)
        }
    }
}

extension SymbolName: Comparable {
    /// Byte order.
    public static func < (a: SymbolName, b: SymbolName) -> Bool {
        unsafe a.withBytes { x in unsafe b.withBytes { y in unsafe x.lexicographicallyPrecedes(y) } }
    }
}
