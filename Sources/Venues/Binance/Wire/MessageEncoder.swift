// Writes the venue's messages from our types, in the venue's field order and decimals.
//
// One growing buffer serves every message: a message first states the most bytes it can need, the buffer
// grows once if it must, and the bytes are then written through a cursor without further capacity checks. The
// shapes are in MessageEncoder+Depth.swift and MessageEncoder+Replies.swift; of the three files only this one
// touches raw memory.
//
// Invariants
// * `count <= capacity <= capacityMax`; a message is appended whole or, on error, not at all.
// * No allocation once the largest message has been met.
//
// SAFETY: the struct owns `base`, frees it in `deinit`, and cannot be copied. Every `put` is preceded, in the
// same message, by a `reserve` of at least as many bytes; debug builds check each.
//
// Worst case: a book of 2 × 5000 levels with 18-digit numbers is 0.5 MB; one byte loop over the levels.

import MarketData

/// Why a message could not be encoded. The buffer is then unchanged.
package enum EncoderError: Error, Hashable, Sendable {
    /// The message may need more than the encoder's `capacityMax`.
    case tooLong
    /// Levels are present but the message states no decimals for them.
    case missingScales
    /// A futures update without the id of the stream's previous update.
    case missingPreviousLast
}

/// A reusable byte buffer and the shapes of the venue's messages. Not copyable; frees itself.
@safe
package struct MessageEncoder: ~Copyable {
    /// The dialect written.
    package let dialect: WireDialect
    /// Bytes held.
    package private(set) var count = 0
    /// Largest size of the buffer in bytes; a message that might exceed it is refused.
    package let capacityMax: Int
    private var capacity: Int
    private var base: UnsafeMutablePointer<UInt8>

    /// An empty encoder.
    ///
    /// - Parameters:
    ///   - dialect: market and era to write.
    ///   - capacity: initial size in bytes.
    ///   - capacityMax: largest size in bytes.
    package init(_ dialect: WireDialect, capacity: Int = 1 << 14, capacityMax: Int = 1 << 24) {
        self.dialect = dialect
        self.capacityMax = max(capacityMax, 1)
        self.capacity = min(max(capacity, 1), self.capacityMax)
        unsafe base = .allocate(capacity: self.capacity)
    }

    deinit { unsafe base.deallocate() }

    /// Removes all bytes, keeping the memory.
    package mutating func removeAll() { count = 0 }

    /// Appends all bytes held to an array.
    package borrowing func append(to bytes: inout [UInt8]) {
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: base, count: count))
    }
}

// The parts of the shapes. Each `put` needs room made by `reserve`.
extension MessageEncoder {
    /// Longest decimal or integer in bytes.
    static var numberLengthMax: Int { 21 }

    /// Makes room for `length` more bytes.
    mutating func reserve(_ length: Int) throws(EncoderError) {
        if length <= capacity - count { return }
        if length > capacityMax - count { throw .tooLong }
        let larger = min(max(count + length, capacity * 2), capacityMax)
        let room: UnsafeMutablePointer<UInt8> = .allocate(capacity: larger)
        unsafe room.update(from: base, count: count)
        unsafe base.deallocate()
        unsafe base = unsafe room
        capacity = larger
    }

    @inline(__always)
    mutating func putByte(_ byte: UInt8) {
        assert(count < capacity)
        unsafe base[count] = byte
        count += 1
    }

    @inline(__always)
    mutating func put(_ text: StaticString) {
        assert(text.hasPointerRepresentation && count + text.utf8CodeUnitCount <= capacity)
        unsafe (base + count).update(from: text.utf8Start, count: text.utf8CodeUnitCount)
        count += text.utf8CodeUnitCount
    }

    /// A quoted string, escaped as JSON requires: at most six bytes for one.
    mutating func putQuoted(_ text: String) {
        let digits: StaticString = "0123456789abcdef"
        putByte(0x22)
        for byte in text.utf8 {
            if byte < 0x20 {
                put("\\u00")
                unsafe putByte(digits.utf8Start[Int(byte >> 4)])
                unsafe putByte(digits.utf8Start[Int(byte & 15)])
            } else {
                if byte == 0x22 || byte == 0x5C { putByte(0x5C) }
                putByte(byte)
            }
        }
        putByte(0x22)
    }

    /// The first `length` bytes of a name, quoted; a name contains nothing that JSON escapes.
    mutating func putQuoted(_ name: SymbolName, length: Int) {
        assert(count + length + 2 <= capacity)
        putByte(0x22)
        unsafe name.withBytes { bytes in
            if let start = bytes.baseAddress { unsafe (base + count).update(from: start, count: length) }
        }
        count += length
        putByte(0x22)
    }

    mutating func putInteger(_ value: Int64) {
        assert(count + MessageEncoder.numberLengthMax <= capacity)
        if value < 0 { putByte(0x2D) }
        unsafe count += writeDecimal(value, decimals: 0, to: base + count)
    }

    /// A quoted decimal.
    @inline(__always)
    mutating func putQuoted(mantissa: Int64, decimals: UInt8) {
        assert(count + MessageEncoder.numberLengthMax + 2 <= capacity)
        putByte(0x22)
        unsafe count += writeDecimal(mantissa, decimals: Int(decimals), to: base + count)
        putByte(0x22)
    }

    /// `[["price","quantity"],…]` in the buffer's order.
    mutating func putLevels(_ levels: borrowing LevelBuffer, _ scales: SymbolScales) {
        putByte(0x5B)
        for index in 0..<levels.count {
            put(index == 0 ? "[" : ",[")
            let level = unsafe levels.base[index]
            putQuoted(mantissa: level.price.mantissa, decimals: scales.priceDecimals)
            putByte(0x2C)
            putQuoted(mantissa: level.quantity.mantissa, decimals: scales.quantityDecimals)
            putByte(0x5D)
        }
        putByte(0x5D)
    }
}
