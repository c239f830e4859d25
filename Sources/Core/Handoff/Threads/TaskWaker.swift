// Resumes tasks that wait for bells, so that no publisher has to: resuming a task allocates, takes locks and
// may run an executor. One thread serves many bells and any number of tasks.
//
// A task adds itself, arms the signal that the bells share, and looks once more: what was published before
// that it sees itself, and anything later finds the signal armed and wakes the thread.
//
//     the thread        its sleep
//     ---------------   --------------------------------------------------------------------
//     no task waits     not armed: bells that ring do not wake it, and make no system call
//     a task waits      armed: the next ring wakes it; it resumes the tasks that are due
//     stopped           none: all tasks are resumed, later ones at once
//
// A resumed task usually runs on another thread of the executor, which is a second wake-up. A task that
// prefers the waker as its executor runs on this thread instead and saves it.
//
// Invariants
// * A task that was added is resumed exactly once: when it is due, cancelled, or at the end.
// * A job that was taken runs exactly once: on this thread, or after its end on the global executor.
// * A publisher makes a system call only for a ring that finds a task waiting.
//
// SAFETY: a job refers to its executor without keeping it. The task that the job is a part of keeps it, and
// ends after its last job.
//
// Bound: one sleeper for each task that waits and one job for each that prefers this executor.
// Worst case: a ring while tasks wait makes the thread check every one of them.

import Synchronization

/// One thread that wakes tasks. Any task may wait.
///
/// It is a task executor too: a task that prefers it, and every part of it that is bound to no actor, runs on
/// the thread that wakes it. Such a task holds up all others that wait while it runs, so it must be quick and
/// must not block.
public final class TaskWaker: TaskExecutor {
    private let room = Room()
    private let thread: PinnedThread
    private let isJoined = Atomic<Bool>(false)

    /// A waker whose thread sleeps.
    ///
    /// - Throws: `ThreadError` if the system gives no further thread.
    public init() throws(ThreadError) {
        thread = try PinnedThread("waker") { [room] in room.run() }
    }

    deinit {
        room.close()
        if !isJoined.load(ordering: .acquiring) { thread.detach() }
    }

    /// A bell whose rings reach the tasks of this waker.
    public func makeBell() -> Bell { Bell(tasks: room.signal) }

    /// Resumes all tasks and ends the thread; later waits return at once. Not from the thread itself, and
    /// once.
    public func stop() {
        room.close()
        if !isJoined.exchange(true, ordering: .acquiringAndReleasing) { thread.join() }
    }

    /// Whether it was stopped.
    public var isStopped: Bool { room.isStopped }

    /// Tasks that a ring should have woken but only the end of a sleep did; 0 wherever the kernel grants the
    /// barrier of `Bell`.
    var rescuedCount: Int { room.rescuedCount }

    /// Whether the caller is its thread.
    public var isCurrent: Bool { thread.isCurrent }

    /// Runs a part of a task on the waker's thread, and on the global executor once that has ended.
    ///
    /// - Parameter job: what the runtime hands over.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isTaken = unsafe room.take(Job(job: job, executor: asUnownedTaskExecutor()), wakes: !isCurrent)
        if !isTaken { globalConcurrentExecutor.enqueue(job) }
    }

    /// Suspends the calling task until `isDue`, until it is cancelled or until the waker stops.
    ///
    /// - Parameter isDue: looks for news. This thread and the waker's call it, so it must be quick. What it
    ///   looks at must be published before a bell of this waker rings, and the task must listen to that bell.
    func wait(
        isolation: isolated (any Actor)? = #isolation, until isDue: @escaping @Sendable () -> Bool
    ) async {
        let number = room.nextNumber()
        await withTaskCancellationHandler {
            await withCheckedContinuation { room.add(Sleeper(number: number, isDue: isDue, task: $0)) }
        } onCancel: {
            room.wake(number)
        }
    }
}

extension TaskWaker {
    /// A task that waits.
    private struct Sleeper: Sendable {
        let number: UInt64
        let isDue: @Sendable () -> Bool
        let task: CheckedContinuation<Void, Never>
    }

    /// A part of a task that is to run on the waker's thread.
    @safe
    private struct Job: Sendable {
        let job: UnownedJob
        let executor: UnownedTaskExecutor
    }

    /// What is to be done in one turn.
    private struct Turn: Sendable {
        var due: [Sleeper] = []
        var jobs: [Job] = []
        var isAnybodyLeft = false
        var isStopped = false
    }

    /// What the thread and the tasks share.
    private final class Room: Sendable {
        private struct State: Sendable {
            var sleepers: [Sleeper] = []
            var jobs: [Job] = []
            var isStopped = false
        }

        let signal = Signal()
        private let numbers = Atomic<UInt64>(0)
        private let changeCount = Atomic<UInt64>(0)
        private let rescued = Atomic<Int>(0)
        private let state = Mutex(State())

        /// No sleep is longer.
        private static let sleepNsMax: Int64 = 60_000_000_000

        var isStopped: Bool { withState { $0.isStopped } }

        var rescuedCount: Int { rescued.load(ordering: .relaxed) }

        func nextNumber() -> UInt64 { numbers.wrappingAdd(1, ordering: .relaxed).newValue }

        /// Thread: the task's.
        func add(_ sleeper: Sleeper) {
            let isTaken = withState { state in
                if !state.isStopped { state.sleepers.append(sleeper) }
                return !state.isStopped
            }
            if !isTaken { return sleeper.task.resume() }
            signal.arm()
            // A cancellation before the task was added found nothing to wake.
            if Task.isCancelled || sleeper.isDue() { wake(sleeper.number) }
        }

        /// Resumes a task if it still waits.
        func wake(_ number: UInt64) {
            let sleeper = withState { state in
                state.sleepers.firstIndex { $0.number == number }.map { state.sleepers.remove(at: $0) }
            }
            sleeper?.task.resume()
        }

        func close() {
            withState { $0.isStopped = true }
            signal.arm()
            signal.notify()
        }

        /// Adds a job, unless the waker has stopped. Any thread; `wakes` unless it is the waker's.
        func take(_ job: Job, wakes: Bool) -> Bool {
            let isTaken = withState { state in
                if !state.isStopped { state.jobs.append(job) }
                return !state.isStopped
            }
            if isTaken {
                if wakes { signal.arm() }
                signal.notify()
            }
            return isTaken
        }

        /// Thread: the waker's.
        func run() {
            var isOverslept = false
            while true {
                let ticket = signal.ticket
                let turn = nextTurn()
                if isOverslept { rescued.wrappingAdd(turn.due.count, ordering: .relaxed) }
                isOverslept = false
                for sleeper in turn.due { sleeper.task.resume() }
                for job in turn.jobs { unsafe job.job.runSynchronously(on: job.executor) }
                if turn.isStopped { return }
                if turn.isAnybodyLeft {
                    isOverslept = !signal.wait(since: ticket, timeoutNs: Bell.sleepNs(Room.sleepNsMax))
                } else {
                    signal.waitUnarmed(since: ticket, timeoutNs: Room.sleepNsMax)
                }
            }
        }

        private func nextTurn() -> Turn {
            withState { state in
                var turn = Turn(isStopped: state.isStopped)
                swap(&turn.jobs, &state.jobs)
                state.sleepers.removeAll { sleeper in
                    let isOver = turn.isStopped || sleeper.isDue()
                    if isOver { turn.due.append(sleeper) }
                    return isOver
                }
                turn.isAnybodyLeft = !state.sleepers.isEmpty
                return turn
            }
        }

        /// The lock orders all this. `changeCount` repeats it because a sanitizer does not see how a
        /// contended lock changes hands.
        private func withState<R: Sendable>(_ body: (inout State) -> R) -> R {
            state.withLock { state in
                _ = changeCount.load(ordering: .acquiring)
                let result = body(&state)
                changeCount.wrappingAdd(1, ordering: .releasing)
                return result
            }
        }
    }
}
