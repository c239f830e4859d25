import Foundation
import Testing

/// The pages for people: README, the DocC catalog, and what scripts need to find in them.
@Suite struct DocumentTests {
    private static let catalog = "Sources/LocalOrderBook/LocalOrderBook.docc"

    /// The README and the articles.
    private static let pages: [SourceFile] =
        [SourceTree.file("README.md")].compactMap { $0 } + SourceTree.files(under: catalog)

    /// Those and the other pages of the repository.
    private static let allPages: [SourceFile] =
        pages + SourceTree.texts.filter { $0.name == "README.md" && $0.path != "README.md" }

    /// The comments of all code, and every word of code, scripts and manifest and the names of all files.
    private static let code: (comments: [(path: String, lines: [CommentLine])], words: Set<String>) = {
        let texts = SourceTree.texts.filter { !$0.path.hasSuffix(".md") && !$0.path.hasSuffix(".svg") }
        var comments: [(path: String, lines: [CommentLine])] = []
        var words: Set<String> = []
        for file in texts {
            words.formUnion(file.name.split { $0 == "." || $0 == "+" }.map(String.init))
            var bytes = file.bytes
            if file.isSwift || file.isC {
                let classes = TextClasses(bytes).classes
                comments.append((file.path, file.commentLines(classes)))
                for index in bytes.indices where classes[index] == .comment { bytes[index] = 0x20 }
            }
            for word in bytes.split(whereSeparator: { !isWordByte($0) }) {
                words.insert(String(decoding: word, as: UTF8.self))
            }
        }
        return (comments, words)
    }()

    private static var codeWords: Set<String> { code.words }

    private func expectNone(_ findings: [String], _ rule: String) {
        if findings.isEmpty { return }
        Issue.record("\(rule): \(findings.count) findings\n\(findings.joined(separator: "\n"))")
    }

    /// What `finding` says of the lines of these pages that are prose, not code between fences.
    private func prose(of pages: [SourceFile], _ finding: (SourceFile, Substring) -> [String]) -> [String] {
        pages.flatMap { page in
            var isCode = false
            return page.lines.enumerated().flatMap { index, line in
                if line.hasPrefix("```") { isCode.toggle() }
                return isCode ? [] : finding(page, line).map { "\(page.path):\(index + 1): \($0)" }
            }
        }
    }

    @Test func thereArePages() {
        #expect(Self.pages.count > 8)
        #expect(Self.allPages.contains { $0.path == "perf/README.md" })
        #expect(Self.codeWords.contains("BookEngine") && !Self.codeWords.contains("Engine" + "Book"))
    }

    @Test func theREADMEIsShort() throws {
        let readme = try #require(SourceTree.file("README.md"))
        #expect(readme.lineCount <= HouseRules.readmeLineCountMax)
    }

    /// Commands and options that pages name are there: whoever types them gets no usage error.
    @Test func commandsAndOptionsExist() {
        let sources = SourceTree.sources.filter { $0.path.hasPrefix("Sources/lob/") }
            .map { String(decoding: $0.bytes, as: UTF8.self) }.joined()
        let commands = Set(sources.matches(of: #/commandName: "([a-z][a-z-]*)"/#).map { String($0.1) })
        let options = Set(sources.matches(of: #/ var ([a-z][A-Za-z]*)/#).map { String($0.1) })
        #expect(commands.contains("watch") && options.contains("wsUrl"))
        var findings: [String] = []
        for page in Self.pages {
            for (index, line) in page.lines.enumerated() {
                for call in line.matches(of: #/(?:^|[ `\/])lob ([a-z][a-z-]*)((?: +[^`|]*)?)/#) {
                    if !commands.contains(String(call.1)) {
                        if line.contains("`lob \(call.1)") || line.hasPrefix("lob ") {
                            findings.append("\(page.path):\(index + 1): no command \(call.1)")
                        }
                        continue
                    }
                    for option in call.2.matches(of: #/--([a-z]+(?:-[a-z]+)*)/#) where option.1 != "help" {
                        let words = option.1.split(separator: "-").map(String.init)
                        let name = words[0] + words.dropFirst().map(\.capitalized).joined()
                        if !options.contains(name) {
                            findings.append("\(page.path):\(index + 1): no option --\(option.1)")
                        }
                    }
                }
            }
        }
        expectNone(findings, "commands that do not exist")
    }

    /// Links into the repository and paths in backticks point to what is there.
    @Test func linksLeadSomewhere() {
        let folders = ["Sources/", "Tests/", "Benchmarks/", "perf/", ".ci/"]
        let findings = prose(of: Self.allPages) { page, line in
            let folder = page.path.split(separator: "/").dropLast().joined(separator: "/")
            let links = line.matches(of: #/\]\(([^)#]+)[^)]*\)/#).map { String($0.1) }
            let relative = links.filter { !$0.contains("://") }.map { "\(folder)/\($0)" }
            let articles = line.matches(of: #/<doc:([A-Za-z]+)>/#).map { "\(Self.catalog)/\($0.1).md" }
            let paths = inlineCode(in: line).filter { code in folders.contains { code.hasPrefix($0) } }
                .compactMap { $0.split(separator: " ").first.map(String.init) }
                .filter { !$0.hasPrefix("perf/out/") }
            return (relative + articles + paths).filter { path in
                let url = SourceTree.root.appendingPathComponent(path)
                return !FileManager.default.fileExists(atPath: url.path)
            }
        }
        expectNone(findings, "links to nothing")
    }

    /// Whoever reads `Type.member` in a page finds it by one grep, in a file of that type.
    @Test func membersInPagesExist() {
        let files = Dictionary(grouping: SourceTree.sources.filter(\.isSwift)) {
            String($0.name.dropLast(".swift".count).split(separator: "+")[0])
        }
        let findings = prose(of: Self.pages) { _, line in
            inlineCode(in: line).compactMap { code in
                guard let match = code.wholeMatch(of: #/([A-Z][A-Za-z]*)\.([a-z][A-Za-z]*)/#),
                    files[String(match.1)] != nil || !Self.codeWords.contains(String(match.1))
                else { return nil }
                let pattern = "(func|var|let|case) \(match.2)\\b"
                let isThere = files[String(match.1), default: []].contains { file in
                    file.lines.contains { $0.range(of: pattern, options: .regularExpression) != nil }
                }
                return isThere ? nil : code
            }
        }
        expectNone(findings, "members that do not exist")
    }

    /// Names in backticks, of pages and of comments, are those of something.
    @Test func namesInBackticksExist() {
        let inPages = prose(of: Self.allPages) { _, line in strangers(in: inlineCode(in: line)) }
        let inComments = Self.code.comments.flatMap { path, lines in
            lines.flatMap { comment in
                strangers(in: inlineCode(in: comment.text)).map { "\(path):\(comment.line): \($0)" }
            }
        }
        expectNone(inPages + inComments, "names of nothing")
    }

    /// Comments that send the reader to another file send him to one that is there.
    @Test func filesNamedInCommentsExist() {
        let names = Set(SourceTree.texts.map(\.name))
        let findings = Self.code.comments.flatMap { path, lines in
            lines.flatMap { comment -> [String] in
                if !comment.text.contains(".swift") { return [] }
                let named = comment.text.matches(of: #/[A-Za-z+]+\.swift\b/#).map { String($0.0) }
                return named.filter { !names.contains($0) }.map { "\(path):\(comment.line): \($0)" }
            }
        }
        expectNone(findings, "files that do not exist")
    }

    /// Those of these names that occur nowhere in the code.
    private func strangers(in names: [String]) -> [String] {
        names.filter { name in
            if name.wholeMatch(of: #/[A-Za-z_][A-Za-z0-9_.]*(\([A-Za-z_:]*\))?/#) == nil { return false }
            return name.utf8.split { !isWordByte($0) }.contains { bytes in
                let word = String(Substring(bytes))
                return !Self.codeWords.contains(word) && !HouseRules.foreignNames.contains(word)
            }
        }
    }

    /// The table of floors in the pages names every target of the table of arrows, from top to bottom, and no
    /// other.
    @Test func floorsArePrinted() throws {
        let page = try #require(Self.pages.first { $0.name == "Pipeline.md" })
        let rows = page.lines.drop { $0 != "## Floors" }.filter { $0.hasPrefix("|") }
        let named = rows.dropFirst(2).flatMap { row in
            inlineCode(in: row.split(separator: "|", omittingEmptySubsequences: false)[2])
        }
        #expect(named == HouseRules.arrows.map(\.target))
    }

    /// Every Swift example of README and documentation is compiled and run by `.ci/embed`.
    @Test func examplesAreRun() throws {
        let script = try #require(SourceTree.file(".ci/embed"))
        let commands = Set(script.lines.flatMap { $0.split { $0 == " " || $0 == "|" } })
        for page in Self.pages {
            for (index, line) in page.lines.enumerated() where line == "```swift" {
                let marker = index > 0 ? page.lines[index - 1] : ""
                let match = marker.wholeMatch(of: #/<!-- (embed-[a-z]+) -->/#)
                let isRun = match.map { commands.contains($0.1) } ?? false
                #expect(isRun, "\(page.path):\(index + 1): \(marker) is not run by .ci/embed")
            }
        }
    }

    /// Tables in comments are whole: as many cells in each row, and columns of blanks in code fences or
    /// indented, where no reflow can break them.
    @Test func tablesInCommentsAreWhole() {
        let findings = Self.code.comments.flatMap { path, lines in
            brokenTables(lines).map { "\(path):\($0.line): \($0.text)" }
        }
        expectNone(findings, "broken tables")
    }
}

/// Whether a byte may stand in a name.
private func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: true
    default: false
    }
}

/// What stands between backticks in a line.
private func inlineCode(in line: Substring) -> [String] {
    let parts = line.utf8.split(separator: 0x60, omittingEmptySubsequences: false)
    if parts.count < 3 { return [] }
    return stride(from: 1, to: parts.count - 1, by: 2).map { String(Substring(parts[$0])) }
}

/// Cells of a row, and one.
private func cellCount(_ row: CommentLine) -> Int { row.text.utf8.count { $0 == 0x7C } }

/// Whether a line has a column of blanks between two words.
private func hasColumn(_ line: Substring) -> Bool {
    var blanks = 0
    for byte in line.utf8.drop(while: { $0 == 0x20 }) {
        if byte != 0x20 && blanks > 2 { return true }
        blanks = byte == 0x20 ? blanks + 1 : 0
    }
    return false
}

/// Rows that are not rows of their table, and columns that the next reflow would destroy.
func brokenTables(_ lines: [CommentLine]) -> [CommentLine] {
    var found: [CommentLine] = []
    var isFenced = false
    var row: CommentLine?
    for line in lines {
        let isNext = row.map { $0.line + 1 == line.line } ?? false
        let before = isNext ? row : nil
        row = nil
        if line.text.hasPrefix("```") {
            isFenced.toggle()
        } else if isFenced {
            continue
        } else if line.text.hasPrefix("|") {
            let isFirst = before == nil
            let isWhole = line.text.hasSuffix("|") && (isFirst || before.map(cellCount) == cellCount(line))
            if !isWhole { found.append(line) }
            row = line
        } else if before != nil && !line.text.isEmpty {
            found.append(line)
        } else if !line.text.hasPrefix("   ") && hasColumn(line.text) {
            found.append(line)
        }
    }
    return found
}
