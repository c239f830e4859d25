import Foundation

/// A file of the repository, by its path from the package root.
struct SourceFile {
    let path: String
    let bytes: [UInt8]
    let lines: [Substring]

    init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
        lines = String(decoding: bytes, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false)
    }

    /// Number of lines, the empty rest behind the last line end not counted.
    var lineCount: Int { lines.last == "" ? lines.count - 1 : lines.count }

    var isSwift: Bool { path.hasSuffix(".swift") }
    var isC: Bool { path.hasSuffix(".c") || path.hasSuffix(".h") }

    /// The target whose folder it lies in, the innermost; nil if it lies in none.
    var target: String? {
        SourceTree.targets.filter { path.hasPrefix($0.folder + "/") }
            .max { $0.folder.utf8.count < $1.folder.utf8.count }?.name
    }

    /// The file name without folders.
    var name: String { String(path.split(separator: "/").last ?? "") }
}

/// The repository this test was compiled from.
enum SourceTree {
    /// The package root, three levels above this file.
    static let root: URL = {
        var url = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { url.deleteLastPathComponent() }
        return url
    }()

    /// All Swift and C files of the package's own code.
    static let code: [SourceFile] = ["Sources", "Tests", "Benchmarks/bench"].flatMap { files(under: $0) }
        .filter { $0.isSwift || $0.isC }

    /// Those of them in `Sources`.
    static let sources: [SourceFile] = code.filter { $0.path.hasPrefix("Sources/") }

    /// Everything a reader of the repository sees: code, scripts, pages and settings.
    static let texts: [SourceFile] =
        (["Sources", "Tests", "Benchmarks", "perf", ".ci"].flatMap { files(under: $0) }
            + topLevel.filter { $0.hasSuffix(".md") || $0 == "Package.swift" }.compactMap { file($0) })

    /// The targets of the manifest, with their folders.
    static let targets: [(name: String, folder: String)] =
        file("Package.swift").map { targetFolders(of: String(decoding: $0.bytes, as: UTF8.self)) } ?? []

    /// Names of the entries of the root folder.
    static let topLevel: [String] =
        ((try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []).sorted()

    static func file(_ path: String) -> SourceFile? {
        guard let data = try? Data(contentsOf: root.appendingPathComponent(path)) else { return nil }
        return SourceFile(path: path, bytes: Array(data))
    }

    /// The text files below a folder, without hidden ones and without what tools generate.
    static func files(under folder: String) -> [SourceFile] {
        let names = FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path)
        var files: [SourceFile] = []
        while let name = names?.nextObject() as? String {
            let parts = name.split(separator: "/")
            if parts.contains(where: { $0.hasPrefix(".") || $0 == "out" || $0 == "__pycache__" }) { continue }
            let isFolder = names?.fileAttributes?[.type] as? FileAttributeType == .typeDirectory
            if !isFolder, !name.hasSuffix(".png"), let file = file(folder + "/" + name) { files.append(file) }
        }
        return files.sorted { $0.path < $1.path }
    }
}
