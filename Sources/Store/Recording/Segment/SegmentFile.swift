// A file of a recording: read at any position, or appended to. Every call returns the system's error.
//
// SAFETY: owns the descriptor and closes it once; the system is given no more bytes than an array holds.

import Glibc

/// Why the system refuses something.
package struct DiskError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file or folder.
    package var path: String
    /// The system's error number.
    package var errno: Int32

    /// An error.
    ///
    /// - Parameters:
    ///   - path: the file or folder.
    ///   - errno: the system's error number.
    package init(path: String, errno: Int32) { (self.path, self.errno) = (path, errno) }

    /// Stands for a pipe or a device where a file is needed: no number of the system's.
    package static let notRegular: Int32 = -1

    /// One line for display.
    package var description: String {
        if errno == DiskError.notRegular { return "\(path): not a regular file" }
        return unsafe "\(path): \(String(cString: strerror(errno)))"
    }
}

/// An open file. Used by one thread at a time.
package final class SegmentFile {
    /// Its path.
    package private(set) var path: String
    private let descriptor: Int32
    /// Bytes read so far.
    package private(set) var readBytes = 0
    /// Its size in bytes, as far as this object knows.
    package private(set) var length: Int

    /// Opens a file for reading.
    package init(reading path: String) throws(DiskError) {
        self.path = path
        // Not even opened: a pipe's writer would find its reader gone.
        var named = stat()
        if unsafe stat(path, &named) == 0, named.st_mode & S_IFMT != S_IFREG {
            let isFolder = named.st_mode & S_IFMT == S_IFDIR
            throw DiskError(path: path, errno: isFolder ? EISDIR : DiskError.notRegular)
        }
        descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if descriptor < 0 { throw DiskError(path: path, errno: errno) }
        var facts = stat()
        if unsafe fstat(descriptor, &facts) != 0 || facts.st_mode & S_IFMT != S_IFREG {
            let number = facts.st_mode & S_IFMT == S_IFDIR ? EISDIR : DiskError.notRegular
            close(descriptor)
            throw DiskError(path: path, errno: number)
        }
        length = Int(facts.st_size)
    }

    /// Creates a new file.
    package init(creating path: String) throws(DiskError) {
        self.path = path
        descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o644)
        if descriptor < 0 { throw DiskError(path: path, errno: errno) }
        length = 0
    }

    /// Opens an existing file to truncate and append to it. A link is not followed: its target is not ours.
    package init(appending path: String) throws(DiskError) {
        self.path = path
        descriptor = unsafe open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        if descriptor < 0 { throw DiskError(path: path, errno: errno) }
        var facts = stat()
        if unsafe fstat(descriptor, &facts) != 0 || facts.st_mode & S_IFMT != S_IFREG {
            close(descriptor)
            throw DiskError(path: path, errno: DiskError.notRegular)
        }
        length = Int(facts.st_size)
    }

    deinit { close(descriptor) }

    /// Bytes from an offset on, fewer at the end of the file.
    package func read(at offset: Int, count: Int) throws(DiskError) -> [UInt8] {
        let wanted = offset < 0 ? 0 : max(min(count, length - min(offset, length)), 0)
        var bytes = [UInt8](repeating: 0, count: wanted)
        var got = 0
        while got < wanted {
            let step = unsafe bytes.withUnsafeMutableBytes { room in
                unsafe pread(descriptor, room.baseAddress! + got, wanted - got, off_t(offset + got))
            }
            if step < 0 && errno == EINTR { continue }
            if step < 0 { throw DiskError(path: path, errno: errno) }
            if step == 0 { break }
            got += step
        }
        bytes.removeLast(wanted - got)
        readBytes += got
        return bytes
    }

    /// Appends bytes, all or none.
    package func append(_ bytes: [UInt8]) throws(DiskError) {
        var written = 0
        while written < bytes.count {
            let step = unsafe bytes.withUnsafeBytes { all in
                unsafe write(descriptor, all.baseAddress! + written, bytes.count - written)
            }
            if step < 0 && errno == EINTR { continue }
            if step <= 0 {
                let number = step < 0 ? errno : ENOSPC
                _ = ftruncate(descriptor, off_t(length))
                throw DiskError(path: path, errno: number)
            }
            written += step
        }
        length += bytes.count
    }

    /// Truncates the file.
    package func cut(to length: Int) throws(DiskError) {
        if ftruncate(descriptor, off_t(length)) != 0 { throw DiskError(path: path, errno: errno) }
        self.length = length
    }

    /// Syncs it to the disk.
    package func sync() throws(DiskError) {
        if fdatasync(descriptor) != 0 && errno != EINVAL && errno != EROFS {
            throw DiskError(path: path, errno: errno)
        }
    }

    /// Renames it within its folder to a name that must not exist. Its folder belongs to this process.
    func rename(to name: String) throws(DiskError) {
        var named = stat()
        if unsafe lstat(name, &named) == 0 { throw DiskError(path: name, errno: EEXIST) }
        if unsafe Glibc.rename(path, name) != 0 { throw DiskError(path: name, errno: errno) }
        path = name
    }

    /// Whether its name still leads to it: a removed file accepts bytes silently.
    package var isThere: Bool {
        var (facts, named) = (stat(), stat())
        return unsafe fstat(descriptor, &facts) == 0 && facts.st_nlink > 0 && stat(path, &named) == 0
            && facts.st_ino == named.st_ino && facts.st_dev == named.st_dev
    }
}

/// The right to record into a folder: one process at a time holds it, until it ends.
package final class RecordingLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock of a folder.
    package init(folder: String) throws(DiskError) {
        descriptor = unsafe open(folder + "/.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        if descriptor < 0 { throw DiskError(path: folder, errno: errno) }
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let number = errno == EWOULDBLOCK ? EBUSY : errno
            close(descriptor)
            throw DiskError(path: folder, errno: number)
        }
    }

    deinit { close(descriptor) }
}

/// A folder of segments.
package enum RecordingFolder {
    /// Creates a folder unless it exists, and syncs its name to the disk.
    ///
    /// - Parameters:
    ///   - path: the folder.
    ///   - sync: syncs the names in a folder to the disk.
    package static func make(
        _ path: String, sync: (String) -> Void = RecordingFolder.sync
    ) throws(DiskError) {
        if unsafe mkdir(path, 0o755) == 0 { return sync(parent(of: path)) }
        if errno != EEXIST { throw DiskError(path: path, errno: errno) }
    }

    /// The parent folder of a file or folder.
    private static func parent(of path: String) -> String {
        let name = path.utf8.reversed().drop { $0 == 0x2F }.drop { $0 != 0x2F }
        let parent = String(decoding: name.reversed(), as: UTF8.self)
        return parent.isEmpty ? "." : parent
    }

    /// Paths of the segments in a folder, sorted by name: by shard, then by number.
    package static func segments(in path: String) throws(DiskError) -> [String] {
        try files(in: path, suffix: SegmentLayout.suffix)
    }

    /// Paths of the files in a folder with this suffix, sorted by name.
    package static func files(in path: String, suffix: String) throws(DiskError) -> [String] {
        guard let folder = unsafe opendir(path) else { throw DiskError(path: path, errno: errno) }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(suffix) { names.append(name) }
        }
        return names.sorted().map { path + "/" + $0 }
    }

    /// Size in bytes and time of the last change in nanoseconds since 1970; nil if it does not exist or is
    /// not a regular file.
    package static func facts(_ path: String) -> (bytes: Int, changedAtNs: Int64)? {
        var facts = stat()
        if unsafe lstat(path, &facts) != 0 || facts.st_mode & S_IFMT != S_IFREG { return nil }
        return (
            Int(facts.st_size), Int64(facts.st_mtim.tv_sec) * 1_000_000_000 + Int64(facts.st_mtim.tv_nsec)
        )
    }

    /// Whether a path is a folder.
    package static func isFolder(_ path: String) -> Bool {
        var facts = stat()
        return unsafe stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
    }

    /// Syncs the names in a folder to the disk, where the file system can do that.
    package static func sync(_ path: String) {
        let folder = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder < 0 { return }
        fsync(folder)
        close(folder)
    }

    /// Removes a file.
    package static func remove(_ path: String) throws(DiskError) {
        if unsafe unlink(path) != 0 { throw DiskError(path: path, errno: errno) }
    }
}
