// Resumes tasks that wait for bells, so that publishers need not: resuming a task allocates, takes locks and
// may run an executor. One thread serves many bells and any number of tasks.
//
// A task adds itself, arms the signal shared by the bells, and looks once more: it sees earlier publications
// itself, and any later one finds the signal armed and wakes the thread.
//
//     the thread        its sleep
//     ---------------   --------------------------------------------------------------------
//     no task waits     not armed: bells that ring do not wake it, and make no system call
//     a task waits      armed: the next ring wakes it; it resumes the tasks that are due
//     stopped           none: all tasks are resumed, later ones at once
//
// A resumed task usually runs on another thread of the executor, which costs a second wake-up. A task that
// prefers the waker as its executor runs on this thread and avoids that.
//
// Invariants
// * An added task is resumed exactly once: when it is due, cancelled, or at the end.
// * An accepted job runs exactly once: on this thread, or after its end on the global executor.
// * A publisher makes a system call only for a ring while a task waits.
//
// SAFETY: a job holds its executor unretained. The job's task retains it, and ends after its last job.
//
// Bound: one sleeper per waiting task and one job per task that prefers this executor. Worst case: a ring
// while tasks wait makes the thread check every one of them.

import Synchronization

/// One thread that wakes tasks. Any task may wait.
///
/// It is also a task executor: a task that prefers it runs, wherever it is not bound to an actor, on the
/// thread that wakes it. While it runs it holds up all others that wait, so it must be quick and must not
/// block.
public final class TaskWaker: TaskExecutor {
    private let room = Room()
    private let thread: PinnedThread
    private let isJoined = Atomic<Bool>(false)

    /// A waker whose thread sleeps.
    ///
    /// - Throws: `ThreadError` if the system refuses another thread.
    public init() throws(ThreadError) {
        thread = try PinnedThread("waker") { [room] in room.run() }
    }

    deinit {
        room.close()
        if !isJoined.load(ordering: .acquiring) { thread.detach() }
    }

    /// A bell that reaches the tasks of this waker.
    public func makeBell() -> Bell { Bell(tasks: room.signal) }

    /// Resumes all tasks and ends the thread; later waits return at once. Call once, and not from the thread
    /// itself.
    public func stop() {
        room.close()
        if !isJoined.exchange(true, ordering: .acquiringAndReleasing) { thread.join() }
    }

    /// Whether it was stopped.
    public var isStopped: Bool { room.isStopped }

    /// Tasks that a ring should have woken but only the end of a sleep did; always 0 if the kernel grants the
    /// barrier of `Bell`.
    var rescuedCount: Int { room.rescuedCount }

    /// Whether the caller is its thread.
    public var isCurrent: Bool { thread.isCurrent }

    /// Runs a job on the waker's thread, or on the global executor once that has ended.
    ///
    /// - Parameter job: from the runtime.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isTaken = unsafe room.take(Job(job: job, executor: asUnownedTaskExecutor()), wakes: !isCurrent)
        if !isTaken { globalConcurrentExecutor.enqueue(job) }
    }

    /// Suspends the calling task until `isDue`, until it is cancelled or until the waker stops.
    ///
    /// - Parameter isDue: looks for news. Called on this thread and the waker's, so it must be quick. What it
    ///   reads must be published before a bell of this waker rings, and the task must listen to that bell.
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
    /// A waiting task.
    private struct Sleeper: Sendable {
        let number: UInt64
        let isDue: @Sendable () -> Bool
        let task: CheckedContinuation<Void, Never>
    }

    /// A job to run on the waker's thread.
    @safe
    private struct Job: Sendable {
        let job: UnownedJob
        let executor: UnownedTaskExecutor
    }

    /// The work of one turn.
    private struct Turn: Sendable {
        var due: [Sleeper] = []
        var jobs: [Job] = []
        var isAnybodyLeft = false
        var isStopped = false
    }

    /// State shared by the thread and the tasks.
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

        /// Longest sleep.
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

        /// Ordering comes from the lock. `changeCount` repeats it only because a sanitizer does not see how a
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
