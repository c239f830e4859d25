// Why an export cannot be written.

/// What is wrong with an export's file.
package enum ExportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The system refuses.
    case cannotWrite(path: String, reason: String)
    /// The file is one of the inputs.
    case isInput(path: String)
    /// The layout needs a file that can be read back, and this is a pipe.
    case needsFile(path: String)

    /// One line for people.
    package var description: String {
        switch self {
        case .cannotWrite(let path, let reason): "\(path): cannot write: \(reason)"
        case .isInput(let path): "\(path): is itself being read; name another file for the export"
        case .needsFile(let path): "\(path): this layout is not written to a pipe; name a file"
        }
    }
}
