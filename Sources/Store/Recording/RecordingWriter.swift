// A recording being written.
//
// The frames go to `FILE.tmp` beside the file, which gets its name only when all of them are on the disk: a
// recording is complete or absent, even after a power failure, and one being replaced stays until then. A
// file that is not a recording, or is being read, is never replaced.
//
// SAFETY: owns the FILE and closes it once; a frame's bytes are read only during the call.

import Glibc
import LobHandoff

/// Why a recording cannot be written.
public enum WritingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file is one of the inputs.
    case isInput(path: String)
    /// A file with that name exists and is not a recording.
    case isOther(path: String)
    /// The file system refuses.
    case cannotWrite(path: String, reason: String)

    /// One line for display.
    public var description: String {
        switch self {
        case .isInput(let path): "\(path): is itself being read; name another file for the recording"
        case .isOther(let path): "\(path): exists and is not a recording; it stays as it is"
        case .cannotWrite(let path, let reason): "\(path): cannot write: \(reason)"
        }
    }
}

/// Writes frames to a recording. Not copyable; without `finish` nothing of it remains.
@safe
public struct RecordingWriter: ~Copyable {
    private let path: String
    private let temporary: String
    private let file: UnsafeMutablePointer<FILE>
    /// The first write error, 0 if there was none.
    private var failure: Int32 = 0
    private var isFinished = false

    /// Starts a recording; an existing one with that name stays until `finish`.
    ///
    /// - Parameters:
    ///   - path: its final path.
    ///   - inputs: files that are being read and must not be replaced.
    public init(path: String, inputs: [String] = []) throws(WritingError) {
        let target = RecordingWriter.resolved(path)
        let temporary = target + ".tmp"
        for place in [target, temporary] { try RecordingWriter.check(place, inputs) }
        guard let opened = unsafe fopen(temporary, "wb") else {
            throw unsafe .cannotWrite(path: temporary, reason: String(cString: strerror(errno)))
        }
        unsafe (self.path, self.temporary, file) = unsafe (target, temporary, opened)
        unsafe setvbuf(opened, nil, Int32(_IOFBF), 1 << 18)
        var header = FrameFile.magic
        unsafe withUnsafeBytes(of: FrameFile.version.littleEndian) { unsafe header += $0 }
        header += [0, 0, 0, 0]
        if unsafe fwrite(header, 1, header.count, opened) != header.count { failure = errno }
    }

    deinit {
        if isFinished { return }
        unsafe fclose(file)
        unsafe unlink(temporary)
    }

    /// Syncs a file's folder, where the file system can do that.
    private static func keepName(_ path: String) throws(WritingError) {
        let end = path.lastIndex(of: "/")
        let name = end.map { path[..<$0].isEmpty ? "/" : String(path[..<$0]) } ?? "."
        let folder = unsafe open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder < 0 { return }
        defer { close(folder) }
        if fsync(folder) == 0 || errno == EINVAL || errno == EROFS { return }
        throw unsafe .cannotWrite(path: path, reason: String(cString: strerror(errno)))
    }

    /// The path after resolving symbolic links, so that the target is replaced and not the link.
    private static func resolved(_ path: String) -> String {
        guard let real = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(real) }
        return unsafe String(cString: real)
    }

    /// Whether a file may be replaced: it does not exist, or is a recording that is not being read.
    private static func check(_ path: String, _ inputs: [String]) throws(WritingError) {
        var facts = stat()
        if unsafe stat(path, &facts) != 0 { return }
        for input in inputs {
            var other = stat()
            if unsafe stat(input, &other) == 0, other.st_dev == facts.st_dev, other.st_ino == facts.st_ino {
                throw .isInput(path: path)
            }
        }
        guard facts.st_mode & S_IFMT == S_IFREG, RecordingReader.isRecording(path: path) else {
            throw .isOther(path: path)
        }
    }

    /// Appends a frame.
    public mutating func write(_ frame: Frame) {
        var header: (UInt32, UInt16, UInt8, UInt8, Int64) = unsafe (
            UInt32(truncatingIfNeeded: frame.bytes.count), frame.source, frame.kind.rawValue, 0,
            frame.receivedAtNs
        )
        let length = FrameFile.frameHeaderLength
        let wroteHeader = unsafe withUnsafeBytes(of: &header) {
            unsafe fwrite($0.baseAddress!, 1, length, file) == length
        }
        let body =
            unsafe frame.bytes.count == 0 ? 0 : fwrite(frame.bytes.baseAddress!, 1, frame.bytes.count, file)
        if unsafe (!wroteHeader || body != frame.bytes.count) && failure == 0 { failure = errno }
    }

    /// Ends the recording, syncs it to the disk and gives it its name.
    /// - Throws: if anything could not be written; nothing of it then remains.
    public consuming func finish() throws(WritingError) {
        isFinished = true
        if unsafe fflush(file) != 0 && failure == 0 { failure = errno }
        if unsafe failure == 0 && fsync(fileno(file)) != 0 { failure = errno }
        if unsafe fclose(file) != 0 && failure == 0 { failure = errno }
        if unsafe failure == 0 && rename(temporary, path) != 0 { failure = errno }
        if failure == 0 {
            try RecordingWriter.keepName(path)
            return
        }
        unsafe unlink(temporary)
        throw unsafe .cannotWrite(path: path, reason: String(cString: strerror(failure)))
    }
}
