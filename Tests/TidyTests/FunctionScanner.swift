/// A function, initialiser or accessor: its name, and its first and last line counted from 1.
struct FunctionSpan: Equatable {
    var name: String
    var first: Int
    var last: Int

    var lineCount: Int { last - first + 1 }
}

/// Finds the bodies of functions by counting braces in text without comments and strings.
///
/// A declaration waits for the first `{` that is not inside its own parentheses. Another declaration, or the
/// end of the block around it, means that it has no body (a protocol requirement).
struct FunctionScanner {
    private struct Waiting {
        var name: String
        var line: Int
        var depth: Int
        var isProperty: Bool
    }

    private(set) var functions: [FunctionSpan] = []
    /// Whether every bracket has been closed by its partner; if not, the result cannot be trusted.
    private(set) var isBalanced = true

    private let text: [UInt8]
    private var at = 0
    private var line = 1
    private var open: [(bracket: UInt8, function: Waiting?)] = []
    private var waiting: Waiting?

    /// Scans a Swift file; accessors and computed properties count as functions.
    init(swift bytes: [UInt8]) {
        text = TextClasses(bytes).codeOnly
        scan { $0.swiftWord($1) }
    }

    /// Scans a C file: a function is a block behind a parenthesis at the outermost level.
    init(c bytes: [UInt8]) {
        text = FunctionScanner.withoutDirectives(TextClasses(bytes).codeOnly)
        scan { $0.cWord($1) }
    }

    private mutating func scan(_ word: (inout FunctionScanner, String) -> Void) {
        while at < text.count {
            if FunctionScanner.isWord(text[at]) {
                let start = at
                while at < text.count && FunctionScanner.isWord(text[at]) { at += 1 }
                word(&self, String(decoding: text[start..<at], as: UTF8.self))
            } else {
                sign(text[at])
                at += 1
            }
        }
        if !open.isEmpty { isBalanced = false }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x60, 0x80...0xFF: true
        default: false
        }
    }

    private mutating func sign(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\n"):
            if let property = waiting, property.isProperty, property.depth == open.count { waiting = nil }
            line += 1
        case UInt8(ascii: "="), UInt8(ascii: ";"):
            if let declared = waiting, declared.depth == open.count, declared.isProperty || byte != 0x3D {
                waiting = nil
            }
        case UInt8(ascii: "("), UInt8(ascii: "["): open.append((byte, nil))
        case UInt8(ascii: "{"):
            let isBody = waiting?.depth == open.count
            open.append((byte, isBody ? waiting : nil))
            if isBody { waiting = nil }
        case UInt8(ascii: ")"): close(UInt8(ascii: "("))
        case UInt8(ascii: "]"): close(UInt8(ascii: "["))
        case UInt8(ascii: "}"):
            close(UInt8(ascii: "{"))
            if let declared = waiting, declared.depth > open.count { waiting = nil }
        default: break
        }
    }

    private mutating func close(_ bracket: UInt8) {
        guard let last = open.popLast(), last.bracket == bracket else {
            isBalanced = false
            return
        }
        guard let function = last.function else { return }
        functions.append(FunctionSpan(name: function.name, first: function.line, last: line))
    }

    private mutating func swiftWord(_ word: String) {
        let start = at - word.utf8.count
        if start > 0 && text[start - 1] == UInt8(ascii: ".") { return }
        switch word {
        case "func": wait(for: nextWord(), isProperty: false)
        case "init", "subscript", "deinit": wait(for: word, isProperty: false)
        case "var": wait(for: nextWord(), isProperty: true)
        case "get", "set", "willSet", "didSet", "_read", "_modify":
            if opensAccessor() { wait(for: word, isProperty: false) }
        default: break
        }
    }

    private mutating func cWord(_ word: String) {
        if open.isEmpty && next(from: at) == UInt8(ascii: "(") && waiting == nil {
            wait(for: word, isProperty: false)
        }
    }

    private mutating func wait(for name: String, isProperty: Bool) {
        waiting = Waiting(name: name, line: line, depth: open.count, isProperty: isProperty)
    }

    /// The next byte that is not a blank or a line end, 0 if there is none.
    private func next(from start: Int) -> UInt8 { text[start...].first { $0 > 0x20 } ?? 0 }

    /// The name behind `func` or `var`; for an operator its first word, whatever that is.
    private func nextWord() -> String {
        let rest = text[at...].drop { $0 == 0x20 }
        return String(
            decoding: rest.prefix { $0 > 0x20 && $0 != 0x28 && $0 != 0x3A && $0 != 0x3C }, as: UTF8.self)
    }

    /// Whether an accessor's block begins here, behind an optional name in parentheses.
    private func opensAccessor() -> Bool {
        var from = at
        if next(from: from) == UInt8(ascii: "(") {
            guard let end = text[from...].firstIndex(of: UInt8(ascii: ")")) else { return false }
            from = end + 1
        }
        return next(from: from) == UInt8(ascii: "{")
    }

    private static func withoutDirectives(_ text: [UInt8]) -> [UInt8] {
        var result = text
        var isDirective = false
        var isContinued = false
        var isLineStart = true
        for (index, byte) in text.enumerated() {
            if byte == UInt8(ascii: "\n") {
                isDirective = isDirective && isContinued
                isLineStart = true
                continue
            }
            if byte > 0x20 {
                if isLineStart && byte == UInt8(ascii: "#") { isDirective = true }
                isLineStart = false
                isContinued = byte == UInt8(ascii: "\\")
            }
            if isDirective { result[index] = 0x20 }
        }
        return result
    }
}
