// Damage to the bytes of one frame that a strict reader can notice (FaultPlan.swift explains why no other).

extension SeededRandom {
    /// Cuts a message somewhere: the rest is not a complete JSON text.
    mutating func truncate(_ bytes: inout [UInt8], from start: Int) {
        let length = bytes.count - start
        bytes.removeLast(length - below(length))
    }

    /// Destroys a structural byte, or a run of bytes anywhere.
    mutating func corrupt(_ bytes: inout [UInt8], from start: Int) {
        let length = bytes.count - start
        if length == 0 { return }
        if chance(perMille: 500) {
            let origin = below(length)
            for step in 0..<length {
                let index = start + (origin + step) % length
                guard isStructural(bytes[index]) else { continue }
                bytes[index] = chance(perMille: 500) ? 0x7E : 0x01
                return
            }
        }
        let first = start + below(length)
        for index in first..<min(first + 1 + below(48), bytes.count) {
            bytes[index] = UInt8(0x80 + below(0x80))
        }
    }

    private func isStructural(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: ":"),
            UInt8(ascii: ","), UInt8(ascii: "\""):
            true
        default: false
        }
    }
}

extension VenueConnection {
    /// Puts a message under the name of a symbol that nobody asked for: in the wrapper, and wherever the
    /// message names its symbol or pair.
    static func disguise(_ bytes: inout [UInt8], from start: Int) {
        let names = [
            ("\"stream\":\"", "strangerusdt"), ("\"s\":\"", "STRANGERUSDT"), ("\"ps\":\"", "STRANGERUSDT"),
        ]
        for (key, name) in names {
            guard let place = bytes[start...].firstRange(of: Array(key.utf8)) else { continue }
            let end = bytes[place.upperBound...].firstIndex {
                $0 == UInt8(ascii: "@") || $0 == UInt8(ascii: "\"")
            }
            bytes.replaceSubrange(place.upperBound..<(end ?? bytes.endIndex), with: Array(name.utf8))
        }
    }
}
