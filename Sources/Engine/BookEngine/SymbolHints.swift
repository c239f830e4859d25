// Whose a message is, from its first bytes, before it is parsed: enough to fetch the book from memory
// meanwhile.
//
// A guess. A name is looked for where the venue writes it, in the stream of the combined wrapper or as the
// third or fourth member of a bare update, and found by a hash that knows no case and is not compared with
// the name: a wrong answer costs time alone.
//
// SAFETY: reads only the first bytes of a frame that has `lengthMin` of them.

import LobHandoff
import MarketData

/// Names by hash.
struct SymbolHints {
    /// 12 bits of the hash, and 20 bits of slot + 1; 0 where free. A power of two, at least twice the
    /// symbols.
    private var buckets = [UInt32](repeating: 0, count: 64)
    private var hashes: [UInt64] = []

    /// Shorter messages are no updates.
    private static let lengthMin = 96
    /// `{"stream":"`, and where the names of bare updates begin: with one time before, and with two.
    private static let streamPlace = 11
    private static let barePlaces = [42, 60]

    /// The slot of the symbol that a frame is about, -1 if that cannot be seen.
    @inline(__always)
    func slot(of frame: Frame) -> Int {
        if unsafe frame.kind != .message || frame.bytes.count < SymbolHints.lengthMin { return -1 }
        let bytes = unsafe UnsafeRawPointer(frame.bytes.baseAddress!)
        let front = unsafe bytes.loadUnaligned(fromByteOffset: 2, as: UInt64.self)
        if front == SymbolHints.stream { return unsafe slot(bytes + SymbolHints.streamPlace, end: 0x40) }
        for place in SymbolHints.barePlaces {
            let before = unsafe bytes.loadUnaligned(fromByteOffset: place - 5, as: UInt32.self)
            if before == SymbolHints.symbolKey { return unsafe slot(bytes + place, end: 0x22) }
        }
        return -1
    }

    /// `stream":` and `"s":` as words.
    private static let stream: UInt64 = 0x3A22_6D61_6572_7473
    private static let symbolKey: UInt32 = 0x3A22_7322

    @inline(__always)
    private func slot(_ name: UnsafeRawPointer, end: UInt8) -> Int {
        let low = unsafe name.loadUnaligned(as: UInt64.self)
        let high = unsafe name.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        return slot(hash: SymbolHints.hash(low, high, end))
    }

    private func slot(hash: UInt64) -> Int {
        let mask = buckets.count &- 1
        var bucket = Int(truncatingIfNeeded: hash) & mask
        let tag = UInt32(truncatingIfNeeded: hash &>> 52)
        while buckets[bucket] != 0 {
            if buckets[bucket] &>> 20 == tag { return Int(buckets[bucket] & 0xF_FFFF) &- 1 }
            bucket = (bucket &+ 1) & mask
        }
        return -1
    }

    /// Of the bytes before `end` among these sixteen, letters small or not.
    @inline(__always)
    private static func hash(_ low: UInt64, _ high: UInt64, _ end: UInt8) -> UInt64 {
        let ends = UInt64(end) &* 0x0101_0101_0101_0101
        let lowLength = zeroByte(low ^ ends)
        let isShort = lowLength < 8
        let highLength = isShort ? 0 : zeroByte(high ^ ends)
        let cases: UInt64 = 0x2020_2020_2020_2020
        let first = (low | cases) & mask(lowLength)
        let second = (high | cases) & mask(highLength)
        var h = (first ^ (second &* 0x9E37_79B9_7F4A_7C15)) &* 0xD6E8_FEB8_6659_FD93
        h ^= h &>> 32
        return h &* 0xD6E8_FEB8_6659_FD93
    }

    /// The place of the first byte that is zero; 8 if none is.
    @inline(__always)
    private static func zeroByte(_ x: UInt64) -> Int {
        ((x &- 0x0101_0101_0101_0101) & ~x & 0x8080_8080_8080_8080).trailingZeroBitCount &>> 3
    }

    @inline(__always)
    private static func mask(_ length: Int) -> UInt64 {
        length >= 8 ? .max : (1 &<< UInt64(8 &* length)) &- 1
    }

    /// Adds a symbol under the next slot.
    mutating func add(_ name: SymbolName) {
        var bytes = name.bytes.prefix(16) + [0x40]
        while bytes.count < 17 { bytes.append(0) }
        var words: (UInt64, UInt64) = (0, 0)
        for index in 0..<8 {
            words.0 |= UInt64(bytes[index]) << UInt64(8 * index)
            words.1 |= UInt64(bytes[8 + index]) << UInt64(8 * index)
        }
        hashes.append(SymbolHints.hash(words.0, words.1, 0x40))
        if hashes.count >= 1 << 20 { return }
        if hashes.count * 2 > buckets.count {
            buckets = [UInt32](repeating: 0, count: buckets.count * 2)
            for slot in hashes.indices { place(slot) }
        } else {
            place(hashes.count - 1)
        }
    }

    private mutating func place(_ slot: Int) {
        let mask = buckets.count - 1
        var bucket = Int(truncatingIfNeeded: hashes[slot]) & mask
        while buckets[bucket] != 0 { bucket = (bucket + 1) & mask }
        buckets[bucket] = UInt32(truncatingIfNeeded: hashes[slot] >> 52) << 20 | UInt32(slot + 1)
    }
}
