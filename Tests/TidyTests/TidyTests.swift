import Foundation
import Testing

/// The house rules, applied to the repository itself. `swift format lint` is run beside them, not here.
@Suite struct TidyTests {
    /// Fails once per rule, with all findings, each `path:line: what`.
    private func expectNone(_ findings: [String], _ rule: String) {
        if findings.isEmpty { return }
        Issue.record("\(rule): \(findings.count) findings\n\(findings.joined(separator: "\n"))")
    }

    private func lines(of files: [SourceFile], _ finding: (Substring) -> String?) -> [String] {
        files.flatMap { file in
            file.lines.enumerated().compactMap { index, line in
                finding(line).map { "\(file.path):\(index + 1): \($0)" }
            }
        }
    }

    @Test func thereIsSomethingToCheck() {
        #expect(SourceTree.sources.count > 10)
        #expect(SourceTree.code.contains { $0.path == "Tests/TidyTests/TidyTests.swift" })
        #expect(SourceTree.texts.contains { $0.path == "Package.swift" })
    }

    @Test func importsFollowTheArrows() {
        let rows = Dictionary(uniqueKeysWithValues: HouseRules.arrows.map { ($0.target, $0.imports) })
        var findings: [String] = []
        for file in SourceTree.code where file.isSwift && !file.path.hasPrefix("Tests/") {
            guard let target = file.target, var allowed = rows[target] else {
                findings.append("\(file.path): no row for this target in the table of arrows")
                continue
            }
            if HouseRules.executables.contains(target) {
                allowed.formUnion(rows.keys)
                allowed.remove(HouseRules.face)
            }
            for (module, line) in file.imports() where !allowed.contains(module) {
                let isCTarget = HouseRules.executables.contains(target) && module.hasPrefix("C")
                if !isCTarget { findings.append("\(file.path):\(line): \(target) may not import \(module)") }
            }
        }
        expectNone(findings, "arrows")
    }

    /// Each floor stands on those above it in the table, and no arrow is drawn that nobody uses.
    @Test func arrowsPointUpwardsAndAreUsed() {
        var above: Set<String> = []
        var findings: [String] = []
        let targets = Set(HouseRules.arrows.map(\.target))
        var used: [String: Set<String>] = [:]
        for file in SourceTree.code where file.isSwift && !file.path.hasPrefix("Tests/") {
            used[file.target ?? "", default: []].formUnion(file.imports().map(\.module))
        }
        for (target, imports) in HouseRules.arrows {
            let below = imports.intersection(targets).subtracting(above)
            findings += below.map { "\(target) stands above \($0)" }
            above.insert(target)
            findings += imports.subtracting(used[target] ?? []).map { "\(target) does not import \($0)" }
        }
        expectNone(findings.sorted(), "arrows")
    }

    /// A file defines the type it is named after, or extends it as `Type+Topic`.
    @Test func filesAreNamedAfterTheirTypes() {
        let files = SourceTree.sources.filter {
            $0.isSwift && !HouseRules.executables.contains($0.target ?? "")
        }
        let findings = files.filter { file in
            let name = file.name.dropLast(".swift".count)
            if HouseRules.namedAfterFunctions.contains(String(name)) { return false }
            let type = name.split(separator: "+")[0]
            let kinds = name.contains("+") ? ["extension"] : ["struct", "class", "enum", "protocol"]
            return !file.lines.contains { line in
                kinds.contains { line.contains("\($0) \(type)") }
            }
        }
        expectNone(findings.map(\.path), "file and type")
    }

    @Test func theCoreKnowsNoVenue() {
        let files = SourceTree.sources.filter { file in
            HouseRules.venueless.contains { file.path.hasPrefix($0) }
        }
        #expect(files.count > 50)
        expectNone(
            lines(of: files) { line in
                let words = line.lowercased().replacing("-", with: "").split { !$0.isLetter }
                return words.contains { HouseRules.venueWords.contains(String($0)) } ? String(line) : nil
            }, "a venue's words above the venues")
    }

    @Test func onlyTheFaceReexports() {
        let attribute = "@_" + "exported"
        let files = SourceTree.code.filter { $0.target != HouseRules.face }
        expectNone(lines(of: files) { $0.contains(attribute) ? "re-export" : nil }, "no umbrella modules")
    }

    @Test func unsafeCodeStaysInsideTheFence() {
        let files = SourceTree.sources.filter { $0.isSwift }
        let outside = files.filter { !$0.isFenced }
        expectNone(
            lines(of: outside) { $0.contains("unsafe") || $0.contains("Unsafe") ? String($0) : nil },
            "unsafe code outside the fence")
        let unexplained = files.filter { file in
            file.isFenced && !file.lines.contains { $0.contains("//") && $0.contains("SAFETY:") }
        }
        expectNone(unexplained.map(\.path), "no SAFETY: line")
        for (target, names) in HouseRules.fence {
            for name in names {
                let isThere = files.contains { $0.target == target && $0.name == name + ".swift" }
                #expect(isThere, "the fence names \(name) of \(target), which does not exist")
            }
        }
    }

    @Test func filesFunctionsAndLinesAreShort() {
        let long = SourceTree.code.filter { $0.lineCount > HouseRules.lineCountMax }
        expectNone(long.map { "\($0.path): \($0.lineCount) lines" }, "file length")
        let tests = SourceTree.code.filter { $0.path.hasPrefix("Tests/") }
        expectNone(
            lines(of: SourceTree.code.filter { !$0.path.hasPrefix("Tests/") }) {
                $0.count > HouseRules.columnMax ? "\($0.count) columns" : nil
            }, "line length")
        expectNone(
            lines(of: tests) {
                let most = $0.contains("\"") ? HouseRules.quotedColumnMax : HouseRules.columnMax
                return $0.count > most ? "\($0.count) columns" : nil
            }, "line length of tests")
        var findings: [String] = []
        for file in SourceTree.code {
            let scanner =
                file.isSwift ? FunctionScanner(swift: file.bytes) : FunctionScanner(c: file.bytes)
            if !scanner.isBalanced { findings.append("\(file.path): brackets do not match") }
            for function in scanner.functions where function.lineCount > HouseRules.functionLineCountMax {
                findings.append(
                    "\(file.path):\(function.first): \(function.name) has \(function.lineCount) lines")
            }
        }
        expectNone(findings, "function length")
    }

    @Test func nothingIsLeftUndone() {
        let marks = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]
        expectNone(
            lines(of: SourceTree.code) { line in
                let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
                return words.contains { marks.contains(String($0)) } ? String(line) : nil
            }, "unfinished work")
    }

    @Test func nothingIsCommentedOut() {
        let findings = SourceTree.code.flatMap { file in
            file.plainComments().filter { looksLikeCode($0.text) }.map {
                "\(file.path):\($0.line):\($0.text)"
            }
        }
        expectNone(findings, "code in a comment")
    }

    /// Absolute paths of one machine; the same words inside an address or a relative path are something else.
    @Test func noPathsOfOneMachine() {
        let folders = ["work", "home", "root"]
        expectNone(
            lines(of: SourceTree.texts) { line in
                for folder in folders {
                    var rest = line[...]
                    while let range = rest.range(of: "/" + folder + "/") {
                        let before = rest[..<range.lowerBound].last ?? " "
                        if !before.isLetter && !before.isNumber && !"._-~}$".contains(before) {
                            return String(line)
                        }
                        rest = rest[range.upperBound...]
                    }
                }
                return nil
            }, "machine path")
    }

    /// One-line shims of system libraries have nothing to say.
    @Test func filesBeginWithAHeader() {
        let bare = SourceTree.sources.filter {
            $0.lineCount > 1 && $0.lines.first?.hasPrefix("//") != true
        }
        expectNone(bare.map(\.path), "no header comment")
    }

    @Test func theRootFolderIsTidy() {
        let strangers = SourceTree.topLevel.filter {
            !$0.hasPrefix(".") && !HouseRules.topLevel.contains($0)
        }
        expectNone(strangers, "not allowed in the root folder")
    }

    @Test func everyFileBelongsToATarget() {
        let folders = Set(SourceTree.targets.map(\.folder))
        #expect(folders.contains("Sources/Core/MarketData") && folders.contains("Benchmarks/bench"))
        let files = ["Sources", "Tests"].flatMap { SourceTree.files(under: $0) } + SourceTree.code
        let known = folders.union(HouseRules.otherPrograms)
        let strays = files.filter { file in !known.contains { file.path.hasPrefix($0 + "/") } }
        expectNone(strays.map(\.path), "in no target of Package.swift")
        let empty = folders.filter { folder in !files.contains { $0.path.hasPrefix(folder + "/") } }
        expectNone(empty.sorted(), "target without a file")
    }
}

/// The targets a manifest declares, with their folders.
func targetFolders(of manifest: String) -> [(name: String, folder: String)] {
    let call = #/\n\s*\.(target|executableTarget|systemLibrary|testTarget)\(\s*name: "([^"]+)"/#
    let matches = manifest.matches(of: call)
    return matches.enumerated().map { index, match in
        let end = index + 1 < matches.count ? matches[index + 1].range.lowerBound : manifest.endIndex
        let rest = manifest[match.range.upperBound..<end]
        let path = rest.firstMatch(of: #/path: "([^"]+)"/#).map { String($0.1) }
        let usual = (match.1 == "testTarget" ? "Tests/" : "Sources/") + String(match.2)
        return (String(match.2), path ?? usual)
    }
}
