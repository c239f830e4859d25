// A recording: the frames of a ring, verbatim, after a versioned header. It is the input of an engine, so
// replaying it repeats what the engine did.
//
//     header   8 bytes  "LOBFRAME", then u32 version (1), u32 zero
//     frame    u32 body length, u16 source, u8 kind, u8 zero, i64 receivedAtNs, then the body
//
// Little endian, no padding. Version 1; a change of meaning is a new version, and the number of a kind is
// never reused. A reader rejects unknown versions; from a file that ends inside a frame it delivers every
// whole frame first. Reads plain and gzip files; RecordingWriter writes plain ones.
//
// SAFETY: the reader's buffer is owned by the struct and has 128 bytes after the longest frame it holds.

import Glibc
import LobHandoff

/// The layout of a recording.
enum FrameFile {
    static let magic = Array("LOBFRAME".utf8)
    static let version: UInt32 = 1
    static let headerLength = 16
    static let frameHeaderLength = 16
    /// Longest body; a larger length means that the file is damaged.
    static let bodyBytesMax = 1 << 28

    /// Whether these bytes start a recording.
    static func begins(_ bytes: some Collection<UInt8>) -> Bool { bytes.starts(with: magic) }
}

/// Reads the frames of a recording. Not copyable.
@safe
public struct RecordingReader: ~Copyable {
    private var source: ByteSource
    private var buffer: UnsafeMutablePointer<UInt8>
    private var capacity = 1 << 16

    /// Opens a recording and checks its header.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - name: its name for display, if not the path.
    public init(path: String, name: String? = nil) throws(ReadingError) {
        let opened = try RecordingReader.open(path, name)
        source = opened
        unsafe buffer = .allocate(capacity: capacity + 128)
        unsafe buffer.initialize(repeating: 0, count: capacity + 128)
    }

    deinit { unsafe buffer.deallocate() }

    private static func open(_ path: String, _ name: String?) throws(ReadingError) -> ByteSource {
        var source = try ByteSource(path: path, name: name)
        var header: (UInt64, UInt32, UInt32) = (0, 0, 0)
        let (got, begins) = try readHeader(&source, &header)
        if got < FrameFile.headerLength || !begins {
            throw .damaged(path: source.name, atByte: 0, reason: "not a recording")
        }
        if header.1 != FrameFile.version { throw .unknownVersion(path: source.name, version: header.1) }
        return source
    }

    private static func readHeader(
        _ source: inout ByteSource, _ header: inout (UInt64, UInt32, UInt32)
    ) throws(ReadingError) -> (got: Int, begins: Bool) {
        let room = UnsafeMutablePointer<UInt8>.allocate(capacity: FrameFile.headerLength)
        defer { unsafe room.deallocate() }
        let got = try unsafe source.read(into: room, count: FrameFile.headerLength)
        if got < FrameFile.headerLength { return (got, false) }
        let raw = UnsafeRawPointer(room)
        header = unsafe (
            raw.loadUnaligned(as: UInt64.self), raw.loadUnaligned(fromByteOffset: 8, as: UInt32.self),
            raw.loadUnaligned(fromByteOffset: 12, as: UInt32.self)
        )
        return unsafe (got, FrameFile.begins(UnsafeBufferPointer(start: room, count: got)))
    }

    /// Whether a file starts like a recording; false also if it cannot be read.
    public static func isRecording(path: String) -> Bool {
        guard var source = try? ByteSource(path: path) else { return false }
        var header: (UInt64, UInt32, UInt32) = (0, 0, 0)
        return (try? readHeader(&source, &header).begins) ?? false
    }

    /// Fraction of the file on disk read so far, 0 … 1.
    public var progress: Double {
        source.fileBytes == 0 ? 1 : min(Double(source.consumedFileBytes) / Double(source.fileBytes), 1)
    }

    /// Current room for a body.
    var bufferBytes: Int { capacity }

    /// Time spent reading and decompressing so far, in nanoseconds.
    public var readingNs: Int64 { source.readingNs }

    /// The next frame, valid until the next call; nil at the end. Frames of unknown kinds are skipped.
    public mutating func next() throws(ReadingError) -> Frame? {
        while true {
            let at = source.deliveredBytes
            let got = try unsafe source.read(into: buffer, count: FrameFile.frameHeaderLength)
            if got == 0 { return nil }
            if got < FrameFile.frameHeaderLength { throw damaged(at, "ends inside a frame header") }
            let raw = unsafe UnsafeRawPointer(buffer)
            let length = unsafe Int(raw.loadUnaligned(as: UInt32.self))
            let sourceNumber = unsafe raw.loadUnaligned(fromByteOffset: 4, as: UInt16.self)
            let kind = unsafe FrameKind(rawValue: buffer[6])
            let time = unsafe raw.loadUnaligned(fromByteOffset: 8, as: Int64.self)
            if length > FrameFile.bodyBytesMax { throw damaged(at, "a frame of \(length) bytes") }
            if try readBody(length) < length { throw damaged(at, "ends inside a frame") }
            guard let kind else { continue }
            return unsafe Frame(
                kind: kind, source: sourceNumber, receivedAtNs: time,
                bytes: UnsafeBufferPointer(start: buffer, count: length), readableAfter: 128)
        }
    }

    private func damaged(_ at: Int, _ reason: String) -> ReadingError {
        .damaged(path: source.name, atByte: at, reason: reason)
    }

    /// Reads a body to the front of the buffer. The buffer grows with the data received, not with the
    /// announced length.
    private mutating func readBody(_ length: Int) throws(ReadingError) -> Int {
        var got = 0
        while got < length {
            if got == capacity { grow(keeping: got) }
            let step = min(length, capacity) - got
            let count = try unsafe source.read(into: buffer + got, count: step)
            got += count
            if count < step { break }
        }
        return got
    }

    private mutating func grow(keeping count: Int) {
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity * 2 + 128)
        unsafe larger.initialize(from: buffer, count: count)
        unsafe (larger + count).initialize(repeating: 0, count: capacity * 2 + 128 - count)
        unsafe buffer.deallocate()
        unsafe buffer = unsafe larger
        capacity *= 2
    }
}
