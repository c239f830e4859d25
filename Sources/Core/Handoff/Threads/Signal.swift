// Lets a thread sleep until another has news, without a lock or a lost wake-up.
//
// One 32-bit word: bit 0 says that a thread sleeps, the other 31 count notifications. The waiter takes a
// ticket (the count), looks for news, and only then waits; a notification in between changes the count, and
// both the compare-and-exchange below and the kernel's own compare refuse to sleep on an old count. The order
// of changes to one word decides everything, so no fence between two words is needed.
//
//     step                        word                 what a notification before this step does
//     -------------------------   ------------------   -------------------------------------------------
//     ticket                      count, bit ?         the ticket includes it
//     look for news                                    the count differs, the next step refuses
//     set bit if count = ticket   count, bit 1         the count differs, the step refuses
//     kernel sleeps if unchanged                       the word differs, the kernel refuses
//     asleep                                           wakes it
//
// A thread may also sleep without setting the bit (`waitUnarmed`). A thread that needs it awake sets the bit
// on its behalf (`arm`) and then looks once more: it sees any earlier notification itself, and a later one
// wakes the sleeper.
//
// Invariants
// * `notify` makes a system call only if a thread has set the bit since the last one that did.
// * A thread that sleeps on a count is woken by the first notification after it.
//
// Worst case: a notification is one locked instruction, plus one system call if a thread sleeps. A waiter
// that takes a ticket and then stalls for exactly a multiple of 2^31 notifications sleeps until its timeout.
//
// SAFETY: `word` has a cache line pair of its own, lives as long as the object and is accessed only by atomic
// operations here and by the kernel.

import CLobKernels
import Synchronization

/// Wakes threads that wait for news. Any number of threads may notify and wait.
@safe
public final class Signal: @unchecked Sendable {
    /// The notification count at one moment; no thread sleeps on an old one.
    public struct Ticket: Hashable, Sendable {
        fileprivate let count: UInt32
    }

    private let word: UnsafeMutablePointer<Atomic<UInt32>>
    /// The object that frees the word; nil if this one does.
    private let owner: AnyObject?
    private let isShared: Bool

    /// A signal with no notification yet, for the threads of this process.
    public init() {
        let block = UnsafeMutableRawPointer.allocate(byteCount: 128, alignment: 128)
        unsafe word = unsafe block.bindMemory(to: Atomic<UInt32>.self, capacity: 1)
        unsafe word.initialize(to: Atomic(0))
        owner = nil
        isShared = false
    }

    /// A signal in memory mapped by several processes: each makes its own object over it, and any of them
    /// wakes all. A process that dies midway leaves it usable.
    ///
    /// - Parameters:
    ///   - region: four bytes, aligned to 4, zero before the first signal is made there.
    ///   - owner: kept as long as this object lives.
    @unsafe
    public init(sharedAt region: UnsafeMutableRawPointer, owner: AnyObject) {
        unsafe word = unsafe region.bindMemory(to: Atomic<UInt32>.self, capacity: 1)
        self.owner = owner
        isShared = true
    }

    deinit {
        // An atomic integer needs no deinitialisation.
        if owner == nil { unsafe UnsafeMutableRawPointer(word).deallocate() }
    }

    /// The current count. Take it before looking for news.
    public var ticket: Ticket { unsafe Ticket(count: word.pointee.load(ordering: .acquiring) & ~1) }

    /// Wakes all waiting threads; call it once the news is visible.
    public func notify() {
        let (before, _) = unsafe word.pointee.wrappingAdd(2, ordering: .acquiringAndReleasing)
        if before & 1 == 0 { return }
        // The bit first: a thread that sets it after this is refused by the kernel's compare or woken
        // needlessly, never forgotten.
        unsafe word.pointee.bitwiseAnd(~1, ordering: .relaxed)
        unsafe lob_futex_wake_all(word, isShared)
    }

    /// Sleeps until a notification after `ticket`, for at most `timeoutNs`; may wake spuriously.
    ///
    /// - Returns: whether there was a notification (either already, or it woke this thread).
    @discardableResult
    public func wait(since ticket: Ticket, timeoutNs: Int64) -> Bool {
        let asleep = ticket.count | 1
        let (exchanged, found) = unsafe word.pointee.compareExchange(
            expected: ticket.count, desired: asleep, successOrdering: .acquiring, failureOrdering: .acquiring)
        if exchanged || found == asleep { unsafe lob_futex_wait(word, asleep, timeoutNs, isShared) }
        return self.ticket != ticket
    }

    /// Makes the next notification wake all threads, including those in `waitUnarmed`: for a caller that
    /// wants another thread woken on its behalf.
    func arm() { unsafe word.pointee.bitwiseOr(1, ordering: .acquiringAndReleasing) }

    /// Sleeps like `wait` without asking to be woken: notifications cost no system call until a thread arms
    /// the signal or waits.
    func waitUnarmed(since ticket: Ticket, timeoutNs: Int64) {
        let found = unsafe word.pointee.load(ordering: .acquiring)
        if found & ~1 == ticket.count { unsafe lob_futex_wait(word, found, timeoutNs, isShared) }
    }
}
