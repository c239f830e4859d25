// A file as a stream of bytes: plain, gzip or zstd. Other formats are recognised and named.
//
// SAFETY: owns the gzFile and closes it once; reads go into the caller's memory, never beyond the given
// count.

import CLobZlib
import Glibc

/// Why a capture or recording cannot be read any further.
public enum ReadingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file cannot be opened.
    case cannotOpen(path: String, reason: String)
    /// The bytes end prematurely, or are damaged; everything before was delivered.
    case damaged(path: String, atByte: Int, reason: String)
    /// The file has an unsupported format.
    case foreign(path: String, format: String, advice: String)
    /// A recording of a version unknown to this build.
    case unknownVersion(path: String, version: UInt32)
    /// A stop was asked for while a pipe was read.
    case interrupted

    /// One line for people.
    public var description: String {
        switch self {
        case .cannotOpen(let path, let reason): "\(path): \(reason)"
        case .damaged(let path, let byte, let reason): "\(path): damaged at byte \(byte): \(reason)"
        case .foreign(let path, let format, let advice):
            "\(path): \(format); \(advice.replacing("FILE", with: path))"
        case .unknownVersion(let path, let version): "\(path): recording of unknown version \(version)"
        case .interrupted: "interrupted"
        }
    }
}

/// A readable file. Not copyable; closes itself.
@safe
struct ByteSource: ~Copyable {
    /// Its name for display.
    let name: String
    /// Size of the file on disk in bytes, 0 if it has none.
    let fileBytes: Int
    private let file: gzFile?
    private let zstd: ZstdFile?
    private let gzip: GzipFile?
    /// Uncompressed bytes delivered so far.
    private(set) var deliveredBytes = 0
    /// Time spent reading and decompressing, in nanoseconds.
    private(set) var readingNs: Int64 = 0

    /// - Parameter name: its name for display, if not the path.
    init(path: String, name: String? = nil) throws(ReadingError) {
        let name = name ?? path
        let (head, bytes) = try ByteSource.look(path, name)
        let isRead =
            FileFormat.isZstd(head) || head.starts(with: [0x1F, 0x8B]) || FrameFile.begins(head)
            || PacketFile.begins(head)
        if !isRead, let format = FileFormat(head: head, name: name) {
            throw .foreign(path: name, format: format.name, advice: format.advice)
        }
        let opened = try unsafe ByteSource.open(path, name, head)
        self.name = name
        fileBytes = bytes
        unsafe file = unsafe opened.file
        (zstd, gzip) = unsafe (opened.zstd, opened.gzip)
    }

    /// The first bytes and the size of a file.
    private static func look(_ path: String, _ name: String) throws(ReadingError) -> (head: [UInt8], Int) {
        var facts = stat()
        if unsafe stat(path, &facts) != 0 { throw failure(name) }
        if facts.st_mode & S_IFMT == S_IFDIR { throw .cannotOpen(path: name, reason: "is a directory") }
        // A pipe or device delivers its bytes only once, and may be waited for without end.
        if facts.st_mode & S_IFMT != S_IFREG {
            throw .cannotOpen(path: name, reason: "not a regular file")
        }
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { throw failure(name) }
        defer { close(descriptor) }
        var head = [UInt8](repeating: 0, count: FileFormat.headBytes)
        let got = unsafe pread(descriptor, &head, head.count, 0)
        if got < 0 { throw failure(name) }
        head.removeLast(head.count - got)
        return (head, Int(facts.st_size))
    }

    private static func open(
        _ path: String, _ name: String, _ head: [UInt8]
    ) throws(ReadingError) -> (file: gzFile?, zstd: ZstdFile?, gzip: GzipFile?) {
        let (isZstd, isGzip) = (FileFormat.isZstd(head), head.starts(with: [0x1F, 0x8B]))
        if isZstd || isGzip {
            let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
            if descriptor < 0 { throw failure(name) }
            if isZstd, let zstd = ZstdFile(descriptor: descriptor) { return (nil, zstd, nil) }
            if isGzip, let gzip = GzipFile(descriptor: descriptor) { return (nil, nil, gzip) }
            close(descriptor)
            throw .cannotOpen(path: name, reason: "no memory")
        }
        guard let file = unsafe gzopen(path, "rbe") else { throw failure(name) }
        unsafe gzbuffer(file, 1 << 17)
        return unsafe (file, nil, nil)
    }

    private static func failure(_ name: String) -> ReadingError {
        unsafe .cannotOpen(path: name, reason: String(cString: strerror(errno)))
    }

    deinit { if let file = unsafe file { unsafe gzclose_r(file) } }

    /// Bytes of the file on disk consumed so far, for progress.
    var consumedFileBytes: Int {
        unsafe zstd?.consumedBytes ?? gzip?.consumedBytes ?? file.map { unsafe max(Int(gzoffset($0)), 0) }
            ?? 0
    }

    /// Reads up to `count` bytes; fewer only at the end or before damage.
    mutating func read(into room: UnsafeMutableRawPointer, count: Int) throws(ReadingError) -> Int {
        let beganNs = ByteSource.nowNs
        defer { readingNs += ByteSource.nowNs - beganNs }
        if zstd != nil || gzip != nil {
            let (got, reason) =
                unsafe zstd?.read(into: room, count: count) ?? gzip?.read(into: room, count: count) ?? (0, "")
            guard let got else { throw .damaged(path: name, atByte: deliveredBytes, reason: reason) }
            deliveredBytes += got
            return got
        }
        let got = unsafe Int(gzread(file, room, UInt32(min(count, 1 << 30))))
        var code: Int32 = 0
        let text = unsafe gzerror(file, &code).map { unsafe String(cString: $0) } ?? ""
        if got > 0 { deliveredBytes += got }
        if got < 0 || (got < count && code != Z_OK && code != Z_STREAM_END) {
            if got > 0 { return got }
            // zlib prefixes its message with the path.
            let reason = text.split(separator: ": ").last.map { String($0) } ?? "read error"
            throw .damaged(path: name, atByte: deliveredBytes, reason: reason)
        }
        return max(got, 0)
    }

    private static var nowNs: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
