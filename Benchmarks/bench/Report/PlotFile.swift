// Where a picture is written: looked at before anything is measured, because a run takes a minute.

import Foundation

/// The file of `--plot`.
enum PlotFile {
    /// Why a picture cannot be written there; nil if it can.
    static func refusal(_ path: String) -> String? {
        let url = URL(fileURLWithPath: path)
        let folder = url.deletingLastPathComponent().path
        let files = FileManager.default
        var isFolder: ObjCBool = false
        if files.fileExists(atPath: url.path, isDirectory: &isFolder) {
            if isFolder.boolValue { return "is a folder" }
            return files.isWritableFile(atPath: url.path) ? nil : "may not be written"
        }
        if !files.fileExists(atPath: folder, isDirectory: &isFolder) { return "there is no folder \(folder)" }
        if !isFolder.boolValue { return "\(folder) is no folder" }
        return files.isWritableFile(atPath: folder) ? nil : "nothing may be written in \(folder)"
    }

    static func write(_ svg: String, to path: String) throws {
        do {
            try svg.write(toFile: path, atomically: true, encoding: .utf8)
        } catch {
            throw PlotFileError(path: path)
        }
    }
}

/// A picture that could not be written after all.
struct PlotFileError: Error, CustomStringConvertible {
    var path: String
    var description: String { "\(path): the picture cannot be written" }
}
