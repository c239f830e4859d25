// Turns pipes into files. A capture is read more than once: to identify it, and to replay it. A pipe delivers
// its bytes only once, so they first go into an unnamed temporary file, which exists until the process ends.
//
// A pipe that is a descriptor of this process keeps its name: the file takes the descriptor's place, and
// `/dev/stdin` is then a file like any other, read from its first byte at each opening.
//
// Neither opening nor reading waits without end: a pipe that has no writer, or a silent one, is polled, and
// between polls is asked whether to stop.
//
// SAFETY: paths and templates live during the calls that get them; no call is given more bytes than its
// buffer holds.

import Glibc

/// Makes files of inputs that can be read only once.
enum PipeSpool {
    /// Most bytes a pipe may deliver, before decompression.
    static let bytesMax = 4 << 30
    /// Longest wait for bytes until the next question whether to stop.
    private static let pollMs: Int32 = 100

    /// A path at which the bytes of `path` can be read any number of times: itself if it is a file or folder,
    /// or does not exist. `-` is standard input. Returns only at the end of a pipe. Devices are refused, but
    /// standard input may be a terminal.
    ///
    /// - Parameters:
    ///   - path: the file, folder or pipe.
    ///   - bytesMax: most bytes a pipe may deliver.
    ///   - isStopped: asked at least ten times a second while a pipe is read; true ends that with
    ///     `interrupted`.
    static func file(
        _ path: String, bytesMax: Int = bytesMax, isStopped: () -> Bool = { false }
    ) throws(ReadingError) -> String {
        let path = path == "-" ? "/dev/stdin" : path
        var facts = stat()
        if unsafe stat(path, &facts) != 0 || [S_IFREG, S_IFDIR].contains(facts.st_mode & S_IFMT) {
            return path
        }
        let own = descriptor(of: path)
        try check(facts, path, own)
        // A descriptor of this process keeps its flags: others may share it.
        let pipe = unsafe own ?? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        if pipe < 0 { throw failure(path, errno) }
        defer { if own == nil { close(pipe) } }
        // The name may lead elsewhere by now.
        if unsafe fstat(pipe, &facts) != 0 { throw failure(path, errno) }
        try check(facts, path, own)
        let spool = try emptyFile(path)
        do throws(ReadingError) {
            try copy(path, from: pipe, to: spool, bytesMax, isStopped)
        } catch {
            close(spool)
            throw error
        }
        guard let own else { return "/dev/fd/\(spool)" }
        dup2(spool, own)
        close(spool)
        return path
    }

    /// Refuses what is neither a pipe nor a socket, nor a terminal or the like as standard input.
    private static func check(_ facts: stat, _ path: String, _ own: Int32?) throws(ReadingError) {
        let kind = facts.st_mode & S_IFMT
        if kind == S_IFIFO || kind == S_IFSOCK || kind == S_IFCHR && own == 0 { return }
        throw .cannotOpen(path: path, reason: "neither a file nor a pipe")
    }

    /// The descriptor of this process named by a path.
    private static func descriptor(of path: String) -> Int32? {
        if path == "/dev/stdin" { return 0 }
        for folder in ["/dev/fd/", "/proc/self/fd/"] where path.hasPrefix(folder) {
            return Int32(path.dropFirst(folder.utf8.count))
        }
        return nil
    }

    private static func emptyFile(_ path: String) throws(ReadingError) -> Int32 {
        let folder = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        var template = Array("\(folder)/lob-XXXXXX".utf8CString)
        let file = unsafe mkstemp(&template)
        if file < 0 { throw failure("\(path): a temporary file in \(folder)", errno) }
        unsafe unlink(template)
        return file
    }

    private static func copy(
        _ path: String, from pipe: Int32, to file: Int32, _ bytesMax: Int, _ isStopped: () -> Bool
    ) throws(ReadingError) {
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        var total = 0
        while true {
            if isStopped() { throw .interrupted }
            // Before the first writer there are neither bytes nor an end.
            var place = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
            let count = unsafe poll(&place, 1, PipeSpool.pollMs)
            if count < 0 && errno != EINTR { throw failure(path, errno) }
            if count <= 0 { continue }
            let got = unsafe read(pipe, &chunk, chunk.count)
            if got == 0 { return }
            if got < 0 {
                if errno == EINTR || errno == EAGAIN { continue }
                throw failure(path, errno)
            }
            total += got
            if total > bytesMax {
                throw .cannotOpen(
                    path: path, reason: "a pipe of more than \(bytesMax) bytes; write it to a file first")
            }
            var written = 0
            while written < got {
                let count = unsafe chunk[written..<got].withContiguousStorageIfAvailable {
                    unsafe write(file, $0.baseAddress, $0.count)
                }
                guard let count, count > 0 else { throw failure("\(path): its temporary file", errno) }
                written += count
            }
        }
    }

    private static func failure(_ path: String, _ number: Int32) -> ReadingError {
        unsafe .cannotOpen(path: path, reason: String(cString: strerror(number)))
    }
}
