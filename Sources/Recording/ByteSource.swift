// A file as a stream of bytes, gzip or plain; zlib tells them apart.
//
// SAFETY: owns the gzFile and closes it once; reads go into memory the caller owns, never beyond the count it
// names.

import CZlib
import Glibc

/// Why a capture or recording cannot be read any further.
public enum ReadingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file cannot be opened.
    case cannotOpen(path: String, reason: String)
    /// The bytes end in the middle, or are damaged; everything before was delivered.
    case damaged(path: String, atByte: Int, reason: String)
    /// A recording of a version this build does not know.
    case unknownVersion(path: String, version: UInt32)

    /// One line for people.
    public var description: String {
        switch self {
        case .cannotOpen(let path, let reason): "\(path): \(reason)"
        case .damaged(let path, let byte, let reason): "\(path): damaged at byte \(byte): \(reason)"
        case .unknownVersion(let path, let version): "\(path): recording of unknown version \(version)"
        }
    }
}

/// A readable file. Not copyable; closes itself.
struct ByteSource: ~Copyable {
    let path: String
    /// Length of the file on disk in bytes, 0 if it has none.
    let fileBytes: Int
    private let file: gzFile
    /// Uncompressed bytes delivered so far.
    private(set) var deliveredBytes = 0

    init(path: String) throws(ReadingError) {
        let opened = try ByteSource.open(path)
        self.path = path
        file = opened.file
        fileBytes = opened.bytes
    }

    private static func open(_ path: String) throws(ReadingError) -> (file: gzFile, bytes: Int) {
        var facts = stat()
        if stat(path, &facts) != 0 {
            throw .cannotOpen(path: path, reason: String(cString: strerror(errno)))
        }
        if facts.st_mode & S_IFMT == S_IFDIR { throw .cannotOpen(path: path, reason: "is a directory") }
        guard let file = gzopen(path, "rb") else {
            throw .cannotOpen(path: path, reason: String(cString: strerror(errno)))
        }
        gzbuffer(file, 1 << 17)
        return (file, Int(facts.st_size))
    }

    deinit { gzclose_r(file) }

    /// Bytes of the file on disk consumed so far, for progress.
    var consumedFileBytes: Int { max(Int(gzoffset(file)), 0) }

    /// Reads up to `count` bytes; fewer only at the end.
    mutating func read(into room: UnsafeMutableRawPointer, count: Int) throws(ReadingError) -> Int {
        let got = Int(gzread(file, room, UInt32(min(count, 1 << 30))))
        var code: Int32 = 0
        let text = gzerror(file, &code).map { String(cString: $0) } ?? ""
        if got > 0 { deliveredBytes += got }
        if got < 0 || (got < count && code != Z_OK && code != Z_STREAM_END) {
            if got > 0 { return got }
            throw .damaged(path: path, atByte: deliveredBytes, reason: text.isEmpty ? "read error" : text)
        }
        return max(got, 0)
    }
}
