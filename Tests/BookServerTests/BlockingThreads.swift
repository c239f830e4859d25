// Threads for tests that drive a loop of their own. The few threads that run tests are shared with every
// other suite, and whoever waits on one of them stops somebody else.

import Foundation
import Testing

/// Runs each job on a thread that may wait, a few of them at once.
final class BlockingThreads: TaskExecutor {
    static let shared = BlockingThreads()

    /// As many as two cores bear; `LOB_CASES_AT_ONCE` is for builds that are slow.
    private let room = DispatchSemaphore(
        value: ProcessInfo.processInfo.environment["LOB_CASES_AT_ONCE"].flatMap { Int($0) } ?? 4)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        Thread { [self] in
            room.wait()
            job.runSynchronously(on: asUnownedTaskExecutor())
            room.signal()
        }.start()
    }
}

/// The tests of a suite run on `BlockingThreads`.
struct BlockingTrait: SuiteTrait, TestTrait, TestScoping {
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(BlockingThreads.shared, operation: function)
    }
}

extension Trait where Self == BlockingTrait {
    /// Each test on a thread that may wait.
    static var blocking: Self { BlockingTrait() }
}
