// Standard output: results, complete or not at all. A failure to write is an error of the command, because a
// script that reads a file on a full disk must not believe that it has all its data. Only a reader that has
// closed the pipe, as `head` does, got what it wanted. One that takes nothing does not keep a command from
// ending once that is asked for.
//
// SAFETY: the system's text of an error is copied at once.

import ArgumentParser
import BookExports
import Glibc
import Synchronization

private let outputFailure = Atomic<Int32>(0)

/// Where results go. Used by one thread at a time.
enum Output {
    /// Writes lines, as long as somebody reads them.
    ///
    /// - Throws: `ExitCode` 1 if they cannot be written, 130 if that was given up after a stop; the reason is
    ///   then on standard error.
    static func print(_ text: String) throws {
        let failure = write(all: Array((text + "\n").utf8))
        if failure == 0 || failure == EPIPE { return }
        if failure == ECANCELED { throw ExitCode(130) }
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

    /// Why results could not be written; nil if all were, or if the reader closed the pipe, or `isCut`.
    static var failure: String? {
        let number = outputFailure.load(ordering: .relaxed)
        if number == 0 || number == EPIPE || number == ECANCELED { return nil }
        return unsafe String(cString: strerror(number))
    }

    /// Whether a stop was asked for while the reader took nothing, so that results are missing.
    static var isCut: Bool { outputFailure.load(ordering: .relaxed) == ECANCELED }

    /// 0, or the error number.
    private static func write(all bytes: [UInt8]) -> Int32 {
        let failure = PatientWriter.write(bytes, to: 1, isStopped: { StopSignals.isRaised })
        if failure == ECANCELED { printError("lob: standard output: cut, since nobody reads it") }
        return failure
    }
}
