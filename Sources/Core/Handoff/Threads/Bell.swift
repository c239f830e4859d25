// Tells listeners that something was published, at no cost to the publisher while there are none.
//
// The publisher stores a value and then loads the number of listeners; a listener raises that number and then
// reads the value. If either load could pass the store before it, the two might miss each other and the last
// value would go unseen. Usually two fences prevent that, and the publisher pays for one with every value.
// Here the listener pays for both: the kernel makes every running thread of the process pass a barrier.
//
//     publisher                        listener
//     ------------------------------   ------------------------------------------
//     store the value                  raise the number of listeners
//     (compiler fence)                 process barrier
//     load the number, ring if not 0   take a ticket, look at the value, sleep
//
// Either the publisher's load comes after the barrier and sees the listener, or its store comes before the
// barrier and the listener sees the value. After that the tickets of `Signal` do the rest.
//
// There are two kinds of listeners: threads, which sleep on their bell's own signal, and tasks, for all of
// which one thread sleeps on a signal shared by many bells (`TaskWaker`).
//
// Invariants
// * Without listeners `ring` is one relaxed load. With listeners it is one locked instruction per kind, and a
//   system call only if one sleeps.
// * A value published before `ring` or `close` is seen by every listener, or wakes it.
// * If the kernel refuses the barrier, no sleep is longer than `sleepNsMaxWithoutBarrier`.
//
// SAFETY: `listeners` has a cache line pair of its own, lives as long as the object and is accessed only by
// atomic operations.

import CLobKernels
import Synchronization

/// Wakes those waiting for what one thread publishes. Any thread may listen.
@safe
public final class Bell: @unchecked Sendable {
    /// Who sleeps: a thread, or a task.
    enum Kind {
        case thread
        case task

        /// Threads count in the lower half of `listeners`, tasks in the upper.
        fileprivate var unit: UInt64 { self == .thread ? 1 : 1 << 32 }
    }

    /// A listener for as long as it exists. Any thread; making one costs a system call.
    final class Listener: Sendable {
        let bell: Bell
        private let kind: Kind

        init(_ bell: Bell, _ kind: Kind) {
            (self.bell, self.kind) = (bell, kind)
            unsafe bell.listeners.pointee.wrappingAdd(kind.unit, ordering: .sequentiallyConsistent)
            Bell.passBarrier()
        }

        deinit { unsafe bell.listeners.pointee.wrappingSubtract(kind.unit, ordering: .relaxed) }
    }

    @usableFromInline let listeners: UnsafeMutablePointer<Atomic<UInt64>>
    private let threads = Signal()
    private let tasks: Signal
    private let closed = StopFlag()

    /// The longest sleep if the kernel refuses the barrier.
    static let sleepNsMaxWithoutBarrier: Int64 = 1_000_000

    /// Whether listeners can make the publisher pass a barrier; asked once per process.
    static let hasBarrier = lob_register_process_barrier() == 0

    /// A bell that notifies threads only.
    public convenience init() { self.init(tasks: Signal()) }

    /// A bell that also notifies `tasks` while a task listens.
    init(tasks: Signal) {
        self.tasks = tasks
        let block = UnsafeMutableRawPointer.allocate(byteCount: 128, alignment: 128)
        unsafe listeners = unsafe block.bindMemory(to: Atomic<UInt64>.self, capacity: 1)
        unsafe listeners.initialize(to: Atomic(0))
    }

    deinit {
        unsafe listeners.deinitialize(count: 1)
        unsafe UnsafeMutableRawPointer(listeners).deallocate()
    }

    /// Tells every listener that a new value was published. Thread: the publisher's.
    @inlinable
    @inline(__always)
    public func ring() {
        lob_compiler_fence()
        let count = unsafe listeners.pointee.load(ordering: .relaxed)
        if count != 0 { notify(count) }
    }

    /// Tells every listener that no more values will come. Thread: the publisher's, after its last value.
    public func close() {
        closed.raise()
        threads.notify()
        tasks.notify()
    }

    /// Whether no more values will come. A value read after this returned true is the last one.
    public var isClosed: Bool { closed.isRaised }

    @usableFromInline
    @inline(never)
    func notify(_ count: UInt64) {
        if count & 0xFFFF_FFFF != 0 { threads.notify() }
        if count &>> 32 != 0 { tasks.notify() }
    }

    /// Taken by a thread before it looks for news.
    var ticket: Signal.Ticket { threads.ticket }

    /// Puts the calling thread to sleep until the bell rings after `ticket`, for at most `timeoutNs`; may
    /// wake spuriously. The thread must be listening.
    func wait(since ticket: Signal.Ticket, timeoutNs: Int64) {
        threads.wait(since: ticket, timeoutNs: Bell.sleepNs(timeoutNs))
    }

    /// The longest safe sleep on this kernel.
    static func sleepNs(_ timeoutNs: Int64) -> Int64 {
        hasBarrier ? timeoutNs : min(timeoutNs, sleepNsMaxWithoutBarrier)
    }

    private static func passBarrier() {
        if hasBarrier { _ = lob_process_barrier() }
    }
}
