// Where the result is written: an existing file is kept unless it may be replaced, and an input is always
// kept.
//
// SAFETY: the system writes into local variables.

import BookRecording
import Glibc
import LobRecording

/// The target of a conversion.
struct ConvertTarget {
    private let path: String
    private let isFolder: Bool

    /// - Parameters:
    ///   - path: path of the result.
    ///   - isFolder: whether it may be a folder.
    init(_ path: String, isFolder: Bool) {
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        self.isFolder = isFolder
    }

    /// Refuses a path that is taken.
    ///
    /// - Parameters:
    ///   - isForced: whether what exists may be replaced.
    ///   - inputs: files that are being read.
    func check(_ isForced: Bool, _ inputs: [String]) throws(ConvertRefusal) {
        var facts = stat()
        // A dangling link is refused when it is opened.
        if unsafe stat(path, &facts) != 0 { return }
        let kind = facts.st_mode & S_IFMT
        for input in inputs {
            var other = stat()
            let folder = input.split(separator: "/", omittingEmptySubsequences: false).dropLast()
                .joined(separator: "/")
            for name in [input, folder] where unsafe !name.isEmpty && stat(name, &other) == 0 {
                if other.st_dev == facts.st_dev && other.st_ino == facts.st_ino {
                    throw ConvertRefusal("\(path): is itself being read; name another place")
                }
            }
        }
        if kind == S_IFDIR {
            if !isFolder { throw ConvertRefusal("\(path): is a folder; name a file") }
            let names = ConvertTarget.names(in: path)
            if names.isEmpty { return }
            let areSegments = names.allSatisfy { $0 == ".lock" || $0.hasSuffix(SegmentLayout.suffix) }
            if !areSegments { throw ConvertRefusal("\(path): holds more than segments; it stays as it is") }
        } else if kind != S_IFREG {
            if isFolder { throw ConvertRefusal("\(path): is no folder") }
            return
        } else if isFolder && !path.hasSuffix(SegmentLayout.suffix) {
            throw ConvertRefusal("\(path): is a file; name a folder, or NAME\(SegmentLayout.suffix)")
        }
        if !isForced { throw ConvertRefusal("\(path): is there already; --force replaces it") }
    }

    private static func names(in folder: String) -> [String] {
        guard let open = unsafe opendir(folder) else { return [""] }
        defer { unsafe closedir(open) }
        var names: [String] = []
        while let entry = unsafe readdir(open) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }
}
