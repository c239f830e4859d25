// A thread: named, pinned if asked for, and joined by its maker. No pool, no queue: the few threads of a
// service live as long as it does, and each is one loop.
//
// SAFETY: the one pointer is a retained box that the new thread takes over; `thread` is written before
// anybody else can see the object, and joined once.

import CLobKernels
import Glibc

/// A thread that runs one function.
public final class PinnedThread: @unchecked Sendable {
    private var thread = pthread_t()

    /// What the thread is given.
    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(_ name: String, _ body: @escaping @Sendable () -> Void) { (self.name, self.body) = (name, body) }
    }

    /// Starts a thread.
    ///
    /// - Parameters:
    ///   - name: shown by the system's tools; cut after 15 bytes.
    ///   - body: returns when the thread is to end.
    /// - Throws: `ThreadError` if the system gives no further thread.
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

    /// Waits until the thread has ended. Once, and not after `detach`.
    public func join() { pthread_join(thread, nil) }

    /// Lets the thread run on its own: nothing will join it. Once.
    public func detach() { pthread_detach(thread) }

    /// Whether the caller is this thread.
    public var isCurrent: Bool { pthread_equal(thread, pthread_self()) != 0 }

    /// Keeps the calling thread on a CPU; 0, or the system's number of what is wrong.
    public static func pin(_ cpu: Int) -> Int32 { lob_pin_thread(Int32(clamping: cpu)) }
}
