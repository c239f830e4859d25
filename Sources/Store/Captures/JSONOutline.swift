// The members of one JSON object and their positions, by which the shape of a line is recognised. Only
// brackets, quotes, colons and commas are read; validating the values is the parser's business.
//
// Worst case: O(bytes) per level of nested objects examined, at most `LineShape.depthMax`.

/// The members of an object, in order.
struct JSONOutline {
    /// A member: its name without quotes and its value, as ranges of the text.
    struct Member {
        var name: Range<Int>
        var value: Range<Int>
    }

    /// An object with more members is not a message.
    static let countMax = 256

    private(set) var members: [Member] = []
    /// Offset after the closing brace.
    private(set) var end = 0

    /// The object at an offset; nil if there is none, or its brackets do not match.
    init?(_ text: Span<UInt8>, at start: Int) {
        var at = start
        guard at < text.count, text[at] == UInt8(ascii: "{") else { return nil }
        at += 1
        skipBlanks(text, &at)
        if at < text.count, text[at] == UInt8(ascii: "}") {
            end = at + 1
            return
        }
        while members.count < JSONOutline.countMax {
            skipBlanks(text, &at)
            guard let name = skipText(text, &at) else { return nil }
            skipBlanks(text, &at)
            guard at < text.count, text[at] == UInt8(ascii: ":") else { return nil }
            at += 1
            skipBlanks(text, &at)
            let first = at
            guard skipValue(text, &at), at > first else { return nil }
            members.append(Member(name: name, value: first..<at))
            skipBlanks(text, &at)
            guard at < text.count else { return nil }
            at += 1
            if text[at - 1] == UInt8(ascii: "}") {
                end = at
                return
            }
            if text[at - 1] != UInt8(ascii: ",") { return nil }
        }
        return nil
    }

    /// The value of a member with this name, nil if there is none.
    func value(_ name: StaticString, _ text: Span<UInt8>) -> Range<Int>? {
        members.first { equals(text, $0.name, name) }?.value
    }

    /// Whether there is a member with this name.
    func has(_ name: StaticString, _ text: Span<UInt8>) -> Bool { value(name, text) != nil }

    /// The text of a string member without its quotes, escapes unchanged.
    func text(_ name: StaticString, _ text: Span<UInt8>) -> String? {
        guard let value = value(name, text), text[value.lowerBound] == 0x22 else { return nil }
        return string(text, (value.lowerBound + 1)..<(value.upperBound - 1))
    }

    /// The names of the first members, for display.
    func names(_ text: Span<UInt8>) -> String {
        let shown = members.prefix(8).map { string(text, $0.name, countMax: 40) }
        return shown.joined(separator: ", ") + (members.count > 8 ? ", …" : "")
    }
}

/// Whether these bytes equal this text.
func equals(_ text: Span<UInt8>, _ range: Range<Int>, _ word: StaticString) -> Bool {
    let word = "\(word)".utf8
    guard range.count == word.count else { return false }
    return zip(range, word).allSatisfy { text[$0] == $1 }
}

/// These bytes as text, truncated to this many bytes.
func string(_ text: Span<UInt8>, _ range: Range<Int>, countMax: Int = 200) -> String {
    String(decoding: range.prefix(countMax).map { text[$0] }, as: UTF8.self)
}

/// Skips blanks.
func skipBlanks(_ text: Span<UInt8>, _ at: inout Int) {
    while at < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[at]) { at += 1 }
}

/// Skips a quoted string and returns its contents; nil if there is none.
private func skipText(_ text: Span<UInt8>, _ at: inout Int) -> Range<Int>? {
    guard at < text.count, text[at] == 0x22 else { return nil }
    at += 1
    let first = at
    while at < text.count {
        if text[at] == 0x22 {
            at += 1
            return first..<(at - 1)
        }
        at += text[at] == UInt8(ascii: "\\") ? 2 : 1
    }
    return nil
}

/// Skips a value; false if it is not terminated.
private func skipValue(_ text: Span<UInt8>, _ at: inout Int) -> Bool {
    var depth = 0
    while at < text.count {
        switch text[at] {
        case 0x22:
            if skipText(text, &at) == nil { return false }
            if depth == 0 { return true }
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            depth += 1
            at += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            if depth == 0 { return true }
            depth -= 1
            at += 1
            if depth == 0 { return true }
        case UInt8(ascii: ","), 0x20, 0x09, 0x0A, 0x0D:
            if depth == 0 { return true }
            at += 1
        default: at += 1
        }
    }
    return false
}
