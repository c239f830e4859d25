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
        let yields: Bool
        let body: @Sendable () -> Void

        init(_ name: String, _ yields: Bool, _ body: @escaping @Sendable () -> Void) {
            (self.name, self.yields, self.body) = (name, yields, body)
        }
    }

    /// Starts a thread.
    ///
    /// - Parameters:
    ///   - name: shown by system tools; truncated to 15 bytes.
    ///   - yields: whether threads with a reader waiting come before it where CPUs are scarce: a niceness of
    ///     `yieldingNiceness`, at which it still gets a quarter of a CPU that others would use alone.
    ///   - body: returns when the thread is to end.
    /// - Throws: `ThreadError` if the system refuses another thread.
    public init(
        _ name: String, yields: Bool = false, _ body: @escaping @Sendable () -> Void
    ) throws(ThreadError) {
        let start = unsafe Unmanaged.passRetained(Start(name, yields, body))
        let failure = unsafe pthread_create(
            &thread, nil,
            { argument in
                let start = unsafe Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                unsafe lob_name_thread(start.name)
                if start.yields { PinnedThread.yield() }
                start.body()
                return nil
            }, unsafe start.toOpaque())
        if failure != 0 {
            unsafe start.release()
            throw ThreadError(errno: failure)
        }
    }

    /// See `init`.
    public static let yieldingNiceness: Int32 = 5

    /// Makes the calling thread nicer, unless it is so already; Linux keeps this per thread.
    private static func yield() {
        let thread = __priority_which_t(PRIO_PROCESS.rawValue)
        setpriority(thread, 0, max(getpriority(thread, 0), yieldingNiceness))
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
