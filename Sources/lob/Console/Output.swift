// Standard output: results, complete or not at all. A failure to write is an error of the command, because a
// script that reads a file on a full disk must not believe that it has all its data. Only a reader that has
// closed the pipe, as `head` does, got what it wanted.
//
// SAFETY: system calls get pointers that live inside the closure that made them.

import ArgumentParser
import Glibc
import Synchronization

private let outputFailure = Atomic<Int32>(0)

/// Where results go. Used by one thread at a time.
enum Output {
    /// Writes lines, as long as somebody reads them.
    ///
    /// - Throws: `ExitCode` 1 if they cannot be written; the reason is then on standard error.
    static func print(_ text: String) throws {
        let failure = write(all: Array((text + "\n").utf8))
        if failure == 0 || failure == EPIPE { return }
        printError("lob: standard output cannot be written: \(unsafe String(cString: strerror(failure)))")
        throw ExitCode(1)
    }

    /// Writes a line of results; an error is kept in `failure`, and nothing is written after it.
    static func write(_ line: String) {
        if outputFailure.load(ordering: .relaxed) != 0 { return }
        outputFailure.store(write(all: Array((line + "\n").utf8)), ordering: .relaxed)
    }

    /// Writes a piece of a screen; like `write`, without the end of line.
    static func writePart(_ text: String) {
        if outputFailure.load(ordering: .relaxed) != 0 { return }
        outputFailure.store(write(all: Array(text.utf8)), ordering: .relaxed)
    }

    /// Whether nothing can be written any more.
    static var isOver: Bool { outputFailure.load(ordering: .relaxed) != 0 }

    /// Why results could not be written; nil if all were, or if the reader closed the pipe.
    static var failure: String? {
        let number = outputFailure.load(ordering: .relaxed)
        if number == 0 || number == EPIPE { return nil }
        return unsafe String(cString: strerror(number))
    }

    /// 0, or the system's error number.
    private static func write(all bytes: [UInt8]) -> Int32 {
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(1, $0.baseAddress! + written, bytes.count - written)
            }
            if count >= 0 {
                written += count
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: waitForRoom()
            case let failure: return failure
            }
        }
        return 0
    }

    /// For a descriptor that somebody made non-blocking.
    private static func waitForRoom() {
        var place = pollfd(fd: 1, events: Int16(POLLOUT), revents: 0)
        unsafe poll(&place, 1, 1000)
    }
}
