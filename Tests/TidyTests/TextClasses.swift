/// Tells code from comments and strings, byte by byte, as far as the other rules need it. Swift and C alike.
///
/// Not known: regular expressions between bare slashes, and preprocessor tricks, that hold a quote or half a
/// pair of brackets. Whoever relies on brackets checks that they close.
struct TextClasses {
    enum Class: UInt8 {
        case code, comment, string
    }

    let bytes: [UInt8]
    private(set) var classes: [Class]
    private var at = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        classes = [Class](repeating: .code, count: bytes.count)
        while at < bytes.count { step(in: .code) }
    }

    /// The text with comments and strings turned into blanks; line ends stay.
    var codeOnly: [UInt8] {
        zip(bytes, classes).map { $1 == .code || $0 == UInt8(ascii: "\n") ? $0 : UInt8(ascii: " ") }
    }

    private func has(_ text: StaticString, _ offset: Int = 0) -> Bool {
        let length = text.utf8CodeUnitCount
        if at + offset + length > bytes.count { return false }
        return text.withUTF8Buffer { $0.elementsEqual(bytes[(at + offset)..<(at + offset + length)]) }
    }

    private mutating func take(_ count: Int, as kind: Class) {
        for _ in 0..<min(count, bytes.count - at) {
            classes[at] = kind
            at += 1
        }
    }

    /// Takes one byte, or the whole of what begins there.
    private mutating func step(in kind: Class) {
        if has("//") {
            while at < bytes.count && !has("\n") { take(1, as: .comment) }
        } else if has("/*") {
            blockComment()
        } else if has("'") {
            character()
        } else if has("\"") || has("#") {
            string(in: kind)
        } else {
            take(1, as: kind)
        }
    }

    private mutating func blockComment() {
        var depth = 0
        repeat {
            if has("/*") {
                depth += 1
                take(2, as: .comment)
            } else if has("*/") {
                depth -= 1
                take(2, as: .comment)
            } else {
                take(1, as: .comment)
            }
        } while depth > 0 && at < bytes.count
    }

    /// A character literal of C; a lone apostrophe is a byte like others.
    private mutating func character() {
        if has("\\", 1) && has("'", 3) {
            take(4, as: .string)
        } else if has("'", 2) {
            take(3, as: .string)
        } else {
            take(1, as: .code)
        }
    }

    /// A string with any number of `#` around it, on one line or many, its interpolations included; or a
    /// regular expression in `#/ /#`.
    private mutating func string(in kind: Class) {
        var hashes = 0
        while has("#", hashes) { hashes += 1 }
        if hashes > 0 && has("/", hashes) {
            take(hashes + 1, as: .string)
            while at < bytes.count && !(has("/") && hasHashes(hashes, 1)) { take(1, as: .string) }
            take(1 + hashes, as: .string)
            return
        }
        if !has("\"", hashes) {
            take(max(hashes, 1), as: kind)
            return
        }
        take(hashes, as: .string)
        let isLong = has("\"\"\"")
        take(isLong ? 3 : 1, as: .string)
        while at < bytes.count {
            if has("\\") && hasHashes(hashes, 1) {
                take(1 + hashes, as: .string)
                if has("(") { interpolation() } else { take(1, as: .string) }
            } else if (isLong ? has("\"\"\"") : has("\"")) && hasHashes(hashes, isLong ? 3 : 1) {
                take((isLong ? 3 : 1) + hashes, as: .string)
                return
            } else if !isLong && has("\n") {
                return
            } else {
                take(1, as: .string)
            }
        }
    }

    private func hasHashes(_ count: Int, _ offset: Int) -> Bool {
        (0..<count).allSatisfy { has("#", offset + $0) }
    }

    private mutating func interpolation() {
        var depth = 0
        repeat {
            if has("(") { depth += 1 }
            if has(")") { depth -= 1 }
            step(in: .string)
        } while depth > 0 && at < bytes.count
    }
}
