// A thread: named, optionally pinned, and joined by its creator. No pool, no queue: a service's few threads
// live as long as it does, and each runs one loop.
//
// SAFETY: the one pointer is a retained box that the new thread takes over; `thread` is written before anyone
// else can see the object, and joined once.

import CLobKernels
import Glibc

/// A thread that runs one function.
public final class PinnedThread: @unchecked Sendable {
    private var thread = pthread_t()

    /// Argument of the new thread.
    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(_ name: String, _ body: @escaping @Sendable () -> Void) { (self.name, self.body) = (name, body) }
    }

    /// Starts a thread.
    ///
    /// - Parameters:
    ///   - name: shown by system tools; truncated to 15 bytes.
    ///   - body: returns when the thread is to end.
    /// - Throws: `ThreadError` if the system refuses another thread.
    public init(_ name: String, _ body: @escaping @Sendable () -> Void) throws(ThreadError) {
        let start = unsafe Unmanaged.passRetained(Start(name, body))
        let failure = unsafe pthread_create(
            &thread, nil,
            { argument in
                let start = unsafe Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                unsafe lob_name_thread(start.name)
                start.body()
                return nil
            }, unsafe start.toOpaque())
        if failure != 0 {
            unsafe start.release()
            throw ThreadError(errno: failure)
        }
    }

    /// Waits until the thread has ended. Call once, and not after `detach`.
    public func join() { pthread_join(thread, nil) }

    /// Lets the thread run unjoined. Call once.
    public func detach() { pthread_detach(thread) }

    /// Whether the caller is this thread.
    public var isCurrent: Bool { pthread_equal(thread, pthread_self()) != 0 }

    /// Pins the calling thread to a CPU; returns 0 or an `errno` value.
    public static func pin(_ cpu: Int) -> Int32 { lob_pin_thread(Int32(clamping: cpu)) }
}
