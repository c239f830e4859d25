// Writes to a descriptor whose reader may be slow, or take nothing any more: it waits for room as long as
// nobody asks to stop, and is never caught in a call to the system.
//
// A pipe or terminal that reports room accepts as many bytes as a pipe writes at once (POSIX: 4096 here)
// without blocking. One opened without blocking accepts what it can. Regular files are written as they are:
// the system makes nobody wait for a disk in vain.
//
// SAFETY: the system is given parts of an array during its calls.

import Glibc

/// Writes bytes, and gives up after a stop.
package enum PatientWriter {
    /// How long a reader that takes nothing is waited for once a stop was asked for, in milliseconds.
    package static let graceMs = 400
    /// How often a stop is asked about, in milliseconds.
    private static let turnMs = 50
    private static let pieceBytes = 4096

    /// Writes all of these bytes.
    ///
    /// - Parameters:
    ///   - bytes: the bytes.
    ///   - descriptor: the destination.
    ///   - isStopped: asked while there is no room.
    /// - Returns: 0; `ECANCELED` if a stop was asked for and the reader took nothing for `graceMs`; or the
    ///   system's error.
    package static func write(
        _ bytes: [UInt8], to descriptor: Int32, isStopped: () -> Bool
    ) -> Int32 {
        let bytesMax = pieceBytesMax(descriptor)
        var written = 0
        while written < bytes.count {
            if bytesMax != nil {
                let failure = waitForRoom(descriptor, isStopped)
                if failure != 0 { return failure }
            }
            let count = min(bytes.count - written, bytesMax ?? .max)
            let step = unsafe bytes.withUnsafeBytes { all in
                unsafe Glibc.write(descriptor, all.baseAddress! + written, count)
            }
            if step < 0 && (errno == EINTR || errno == EAGAIN) { continue }
            if step <= 0 { return step < 0 ? errno : ENOSPC }
            written += step
        }
        return 0
    }

    /// Most bytes written at once; nil for a file that does not make anybody wait.
    private static func pieceBytesMax(_ descriptor: Int32) -> Int? {
        var facts = stat()
        if unsafe fstat(descriptor, &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG { return nil }
        return fcntl(descriptor, F_GETFL) & O_NONBLOCK != 0 ? .max : pieceBytes
    }

    private static func waitForRoom(_ descriptor: Int32, _ isStopped: () -> Bool) -> Int32 {
        var place = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        var stoppedTurns = 0
        while unsafe poll(&place, 1, Int32(turnMs)) <= 0 {
            if !isStopped() { continue }
            // A signal that interrupts the call makes the first turn shorter.
            stoppedTurns += 1
            if stoppedTurns > graceMs / turnMs { return ECANCELED }
        }
        return 0
    }
}
