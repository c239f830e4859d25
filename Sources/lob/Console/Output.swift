// Standard output: results, whole or not at all. A failure to write is an error of the command, since a
// script that reads the file of a full disk must not believe that it has its data. Only a reader that has
// gone, as `head` does, got what it wanted.
//
// SAFETY: the system gets a pointer that lives inside the closure that made it.

import ArgumentParser
import Glibc
import Synchronization

private let outputFailure = Atomic<Int32>(0)

/// Where results go. Used by one thread at a time.
enum Output {
    /// Writes lines, as long as a reader takes them.
    ///
    /// - Throws: `ExitCode` 1 if they cannot be written; the reason is then on standard error.
    static func print(_ text: String) throws {
        let failure = write(all: Array((text + "\n").utf8))
        if failure == 0 || failure == EPIPE { return }
        printError("lob: standard output cannot be written: \(unsafe String(cString: strerror(failure)))")
        throw ExitCode(1)
    }

    /// Writes a line of results; an error is kept for `failure`, and nothing is written after it.
    static func write(_ line: String) {
        if outputFailure.load(ordering: .relaxed) != 0 { return }
        outputFailure.store(write(all: Array((line + "\n").utf8)), ordering: .relaxed)
    }

    /// Writes a piece of a picture; as `write`, without the end of a line.
    static func writePart(_ text: String) {
        if outputFailure.load(ordering: .relaxed) != 0 { return }
        outputFailure.store(write(all: Array(text.utf8)), ordering: .relaxed)
    }

    /// Whether nothing can be written any more.
    static var isOver: Bool { outputFailure.load(ordering: .relaxed) != 0 }

    /// Why results could not be written; nil if all were, or if the reader wanted no more of them.
    static var failure: String? {
        let number = outputFailure.load(ordering: .relaxed)
        if number == 0 || number == EPIPE { return nil }
        return unsafe String(cString: strerror(number))
    }

    /// 0, or the system's number of what is wrong.
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

    /// The descriptor was made a non-blocking one.
    private static func waitForRoom() {
        var place = pollfd(fd: 1, events: Int16(POLLOUT), revents: 0)
        unsafe poll(&place, 1, 1000)
    }
}
