// Why an export cannot be written.

/// A fault of an export's file.
package enum ExportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file system refuses.
    case cannotWrite(path: String, reason: String)
    /// The file is one of the inputs.
    case isInput(path: String)
    /// The format needs a file that can be rewritten, and this is a pipe.
    case needsFile(path: String)
    /// The format is an archive already, and its beginning cannot be rewritten once compressed.
    case isArchive(path: String)
    /// A stop was asked for while a pipe had no reader, or one that took nothing.
    case interrupted

    /// One line for display.
    package var description: String {
        switch self {
        case .cannotWrite(let path, let reason): "\(path): cannot write: \(reason)"
        case .isInput(let path): "\(path): is itself being read; name another file for the export"
        case .needsFile(let path): "\(path): this layout is not written to a pipe; name a file"
        case .isArchive(let path): "\(path): this layout is an archive already; name a file without .gz"
        case .interrupted: "interrupted"
        }
    }
}
