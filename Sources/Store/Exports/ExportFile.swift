// The file of an export: plain, gzip, or standard output.
//
// A file is written beside its destination under a unique name, and renamed at the end: an export is complete
// or absent. Through a symbolic link the target is replaced, unless it is being read. Anything but a regular
// file is written directly, a pipe once it has a reader. Rows go through one buffer of a quarter of a
// mebibyte.
//
// SAFETY: owns the descriptor or the gzFile and closes each once; the system and zlib are given no more bytes
// than an array holds.

import CLobZlib
import Glibc

/// A file written from beginning to end. Used by one thread at a time.
@safe
package final class ExportFile {
    private static let bufferBytes = 1 << 18

    /// Its destination; `-` is standard output.
    package let path: String
    /// The destination after resolving symbolic links.
    private let target: String
    /// The file written until the end; `target` if it needs no renaming.
    private let temporary: String
    private let descriptor: Int32
    /// Compresses what is written; nil if nothing is compressed.
    private let packer: GzipPacker?
    private let isStopped: () -> Bool
    private var buffer: [UInt8] = []
    /// Bytes written so far, before compression.
    package private(set) var length = 0
    /// The system's message on the first write that failed; nil if none did.
    package private(set) var failure: String?
    /// Whether that write was given up because a stop was asked for.
    private var isInterrupted = false
    private var isFinished = false
    /// What is to be written later; nil while all goes to the file.
    private var piece: [UInt8]?

    /// Starts a file. It is compressed if its name ends with `.gz`.
    ///
    /// - Parameters:
    ///   - path: its destination, or `-`.
    ///   - isPatched: whether its beginning is rewritten at the end, which a pipe does not allow.
    ///   - inputs: files that are being read and must not be replaced.
    ///   - isStopped: asked twenty times a second while a pipe has no reader, or one that takes nothing; true
    ///     ends that with `interrupted`.
    package init(
        path: String, isPatched: Bool = false, inputs: [String] = [],
        isStopped: @escaping () -> Bool = { false }
    ) throws(ExportError) {
        (self.path, self.isStopped) = (path, isStopped)
        if isPatched && path.hasSuffix(".gz") { throw .isArchive(path: path) }
        if path == "-" || ExportFile.isStandardOutput(path) {
            if isPatched { throw .needsFile(path: path == "-" ? "standard output" : path) }
            (target, temporary, descriptor, packer) = ("", "", 1, nil)
            return
        }
        packer = path.hasSuffix(".gz") ? GzipPacker() : nil
        if path.hasSuffix(".gz") && packer == nil {
            throw .cannotWrite(path: path, reason: "there is no memory to pack it")
        }
        let place = try ExportFile.resolved(path)
        target = place
        let isOther = try ExportFile.check(place, path, inputs)
        if isOther {
            if isPatched { throw .needsFile(path: path) }
            // A pipe or a device has its name already.
            temporary = place
            descriptor = try ExportFile.openOther(place, path, isStopped)
        } else {
            let name = "\(place).\(UInt64.random(in: 0 ... .max)).tmp"
            temporary = name
            descriptor = unsafe open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        }
        if descriptor < 0 { throw ExportFile.refusal(path) }
        buffer.reserveCapacity(ExportFile.bufferBytes + 4096)
    }

    deinit {
        if isFinished { return }
        if descriptor > 2 { close(descriptor) }
        if temporary != target { unsafe unlink(temporary) }
    }

    /// Opens a pipe or a device. A pipe without a reader is tried again until it has one.
    private static func openOther(
        _ place: String, _ path: String, _ isStopped: () -> Bool
    ) throws(ExportError) -> Int32 {
        while true {
            let descriptor = unsafe open(place, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
            if descriptor >= 0 { return descriptor }
            let number = errno
            let error = refusal(path)
            var facts = stat()
            let isPipe = unsafe stat(place, &facts) == 0 && facts.st_mode & S_IFMT == S_IFIFO
            if number != EINTR && !(number == ENXIO && isPipe) { throw error }
            if isStopped() { throw .interrupted }
            usleep(50_000)
        }
    }

    private static func refusal(_ path: String) -> ExportError {
        unsafe .cannotWrite(path: path, reason: String(cString: strerror(errno)))
    }

    /// Whether a path, such as `/dev/stdout`, denotes standard output.
    private static func isStandardOutput(_ path: String) -> Bool {
        if path.hasSuffix(".gz") { return false }
        var (facts, own) = (stat(), stat())
        return unsafe stat(path, &facts) == 0 && fstat(1, &own) == 0 && facts.st_dev == own.st_dev
            && facts.st_ino == own.st_ino
    }

    /// The path after resolving symbolic links, so that the target is replaced and not the link.
    private static func resolved(_ path: String) throws(ExportError) -> String {
        if let real = unsafe realpath(path, nil) {
            defer { unsafe free(real) }
            return unsafe String(cString: real)
        }
        var facts = stat()
        let isLink = unsafe lstat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFLNK
        // The links of open pipes have names that are not paths.
        if unsafe isLink && stat(path, &facts) != 0 {
            throw .cannotWrite(path: path, reason: "a symbolic link that leads nowhere")
        }
        return path
    }

    /// Whether something other than a regular file exists there.
    ///
    /// - Throws: `isInput` if it is one of the inputs.
    private static func check(
        _ place: String, _ path: String, _ inputs: [String]
    ) throws(ExportError) -> Bool {
        var facts = stat()
        if unsafe stat(place, &facts) != 0 { return false }
        if facts.st_mode & S_IFMT != S_IFREG { return true }
        for input in inputs {
            var other = stat()
            if unsafe stat(input, &other) == 0, other.st_dev == facts.st_dev, other.st_ino == facts.st_ino {
                throw .isInput(path: path)
            }
        }
        return false
    }

    /// From here on what is appended becomes a piece that is not in the file.
    func beginPiece() { piece = [] }

    /// The piece; what comes goes to the file again.
    func endPiece() -> [UInt8] {
        defer { piece = nil }
        return piece ?? []
    }

    /// Appends bytes; after a failure they are dropped.
    package func write(_ bytes: some Collection<UInt8>) {
        if piece != nil {
            piece?.append(contentsOf: bytes)
            return
        }
        buffer.append(contentsOf: bytes)
        length += bytes.count
        if buffer.count >= ExportFile.bufferBytes { flush() }
    }

    /// Appends a message.
    package func write(_ bytes: Span<UInt8>) {
        if piece != nil {
            for index in bytes.indices { piece?.append(bytes[index]) }
            return
        }
        unsafe bytes.withUnsafeBufferPointer { bytes in unsafe buffer.append(contentsOf: bytes) }
        length += bytes.count
        if buffer.count >= ExportFile.bufferBytes { flush() }
    }

    /// Appends words as they lie in memory.
    package func write(_ words: [UInt64]) {
        unsafe words.withUnsafeBytes { bytes in
            if piece != nil {
                unsafe piece?.append(contentsOf: bytes)
                return
            }
            unsafe buffer.append(contentsOf: bytes)
            length += bytes.count
            if buffer.count >= ExportFile.bufferBytes { flush() }
        }
    }

    /// - Throws: why the file accepts nothing more, if it does not.
    package func check() throws(ExportError) {
        if isInterrupted { throw .interrupted }
        if let failure { throw .cannotWrite(path: path, reason: failure) }
    }

    private func flush(isLast: Bool = false) {
        if failure == nil { put(packer?.pack(buffer, isLast: isLast) ?? buffer) }
        buffer.removeAll(keepingCapacity: true)
    }

    private func put(_ bytes: [UInt8]) {
        let number = PatientWriter.write(bytes, to: descriptor, isStopped: isStopped)
        if number == 0 { return }
        isInterrupted = number == ECANCELED
        failure = unsafe String(cString: strerror(number))
    }

    /// Rewrites bytes written before; only if the file was opened for that.
    package func patch(at offset: Int, _ bytes: [UInt8]) {
        flush()
        var written = 0
        while failure == nil && written < bytes.count {
            let step = unsafe bytes.withUnsafeBytes { all in
                unsafe pwrite(
                    descriptor, all.baseAddress! + written, all.count - written, off_t(offset + written))
            }
            if step < 0 && errno == EINTR { continue }
            if step <= 0 { failure = unsafe String(cString: strerror(errno)) }
            written += max(step, 0)
        }
    }

    /// Writes the rest and gives the file its name.
    ///
    /// - Throws: if anything could not be written; nothing of it then remains.
    package func finish() throws(ExportError) {
        flush(isLast: true)
        isFinished = true
        if isInterrupted {
            if descriptor > 2 { close(descriptor) }
            throw .interrupted
        }
        if descriptor == 1 {
            // A reader that has gone has all it wants.
            let gone = unsafe String(cString: strerror(EPIPE))
            if let failure, failure != gone {
                throw .cannotWrite(path: "standard output", reason: failure)
            }
            return
        }
        let isNamed = temporary == target
        if failure == nil && !isNamed && fsync(descriptor) != 0 && errno != EINVAL {
            failure = unsafe String(cString: strerror(errno))
        }
        if close(descriptor) != 0 && failure == nil { failure = unsafe String(cString: strerror(errno)) }
        if unsafe failure == nil && !isNamed && rename(temporary, target) != 0 {
            failure = unsafe String(cString: strerror(errno))
        }
        guard let failure else { return }
        if !isNamed { unsafe unlink(temporary) }
        throw .cannotWrite(path: path, reason: failure)
    }
}

/// The CRC that archives store for their members (CRC-32, IEEE).
package enum ArchiveCheck {
    /// The CRC of two concatenated runs of bytes.
    ///
    /// - Parameters:
    ///   - first: CRC of the first.
    ///   - second: CRC of the second.
    ///   - length: length of the second in bytes.
    package static func joined(_ first: UInt32, _ second: UInt32, length: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: crc32_combine(UInt(first), UInt(second), length))
    }

    /// The CRC of a run of bytes and the words behind it, as they lie in memory.
    ///
    /// - Parameters:
    ///   - first: CRC of the bytes; 0 if there are none.
    ///   - words: the words.
    package static func joined(_ first: UInt32, _ words: [UInt64]) -> UInt32 {
        unsafe words.withUnsafeBytes { bytes in
            unsafe UInt32(truncatingIfNeeded: crc32_z(UInt(first), bytes.baseAddress, bytes.count))
        }
    }
}
