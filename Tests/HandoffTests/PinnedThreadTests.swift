// Threads that let others go first.

import Glibc
import Synchronization
import Testing

@testable import LobHandoff

@Suite struct PinnedThreadTests {
    /// A thread that yields does so alone: those that it starts with, and its starter, stay as they are.
    @Test func niceness() throws {
        let own = getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0)
        let seen = Mutex<[Bool: Int32]>([:])
        for yields in [true, false] {
            let thread = try PinnedThread("polite", yields: yields) {
                let niceness = getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0)
                seen.withLock { $0[yields] = niceness }
            }
            thread.join()
        }
        let found = seen.withLock { $0 }
        // One that is nicer already stays so.
        #expect(found[true] == max(own, PinnedThread.yieldingNiceness) && found[false] == own)
        #expect(getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) == own)
    }
}
