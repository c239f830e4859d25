// A short text without a reference, so that a status can be copied word by word through a mailbox.

/// The first bytes of a text. Trivially copyable.
public struct InlineText: Sendable, BitwiseCopyable, CustomStringConvertible {
    /// Longest text in bytes; the rest is cut off.
    public static var bytesMax: Int { 120 }

    private var bytes = InlineArray<120, UInt8>(repeating: 0)
    private var count: UInt8 = 0

    /// The empty text.
    public init() {}

    /// The beginning of a text, cut at a character boundary.
    public init(_ text: String) {
        var length = 0
        for character in text {
            if length + character.utf8.count > InlineText.bytesMax { break }
            for byte in character.utf8 {
                bytes[length] = byte
                length += 1
            }
        }
        count = UInt8(length)
    }

    /// The text.
    public var description: String {
        String(decoding: (0..<Int(count)).map { bytes[$0] }, as: UTF8.self)
    }
}
