// Writes JSON: members and elements in order, with commas. Decimals are written as strings, so that no reader
// turns them into floats, and unknown values as null.

/// Writes one JSON value.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []
    private var isFirst = true

    /// The value as text.
    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// An object; a member if it has a key, otherwise the value or an element.
    mutating func object(_ key: String? = nil, _ body: (inout JSONWriter) -> Void) {
        begin(key)
        group(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
    }

    /// An array; as `object`.
    mutating func array(_ key: String? = nil, _ body: (inout JSONWriter) -> Void) {
        begin(key)
        group(UInt8(ascii: "["), UInt8(ascii: "]"), body)
    }

    /// A string, or null.
    mutating func member(_ key: String, _ text: String?) {
        begin(key)
        if let text { quote(text) } else { null() }
    }

    /// A number, or null.
    mutating func member(_ key: String, _ number: Int?) {
        begin(key)
        if let number { bytes += "\(number)".utf8 } else { null() }
    }

    /// True or false.
    mutating func member(_ key: String, _ flag: Bool) {
        begin(key)
        bytes += (flag ? "true" : "false").utf8
    }

    /// A member with the value null.
    mutating func nothing(_ key: String) {
        begin(key)
        null()
    }

    /// Preformatted members, without braces.
    mutating func members(_ text: String) {
        if text.isEmpty { return }
        begin(nil)
        bytes += text.utf8
    }

    /// A string element.
    mutating func element(_ text: String) {
        begin(nil)
        quote(text)
    }

    private mutating func group(_ open: UInt8, _ close: UInt8, _ body: (inout JSONWriter) -> Void) {
        bytes.append(open)
        isFirst = true
        body(&self)
        bytes.append(close)
        isFirst = false
    }

    private mutating func begin(_ key: String?) {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
        guard let key else { return }
        quote(key)
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func null() { bytes += "null".utf8 }

    private mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                bytes += ("\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits).utf8
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
