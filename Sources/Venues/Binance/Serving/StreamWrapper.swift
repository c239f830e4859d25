// The wrapper of messages on a combined connection: `{"stream":"<name>","data":<message>}`.

/// The two halves of the wrapper.
package enum StreamWrapper {
    /// The part before a message. It repeats the name as the client wrote it.
    package static func opening(_ name: String) -> [UInt8] {
        var bytes = Array("{\"stream\":\"".utf8)
        for byte in name.utf8 {
            switch byte {
            case 0x22, 0x5C: bytes += [0x5C, byte]
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                bytes += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            case _: bytes.append(byte)
            }
        }
        return bytes + Array("\",\"data\":".utf8)
    }

    /// The part after it.
    package static let closing = UInt8(ascii: "}")
}
