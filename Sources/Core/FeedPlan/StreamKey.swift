// The name of a stream as a key. The venue compares names byte by byte, `String` by what they look like: two
// streams whose names differ only in how an accent is written are one `String`.

/// The name of a stream, compared by its bytes.
struct StreamKey: Hashable, Comparable, Sendable {
    let name: String

    init(_ name: String) { self.name = name }

    /// The bytes before its `@`: its symbol.
    var symbol: [UInt8] { Array(name.utf8.prefix { $0 != UInt8(ascii: "@") }) }

    static func == (a: StreamKey, b: StreamKey) -> Bool { a.name.utf8.elementsEqual(b.name.utf8) }

    static func < (a: StreamKey, b: StreamKey) -> Bool { a.name.utf8.lexicographicallyPrecedes(b.name.utf8) }

    func hash(into hasher: inout Hasher) {
        for byte in name.utf8 { hasher.combine(byte) }
    }
}
