import CLobAllocator
import Testing

/// What jemalloc is told. A statistic that is not available is -1 here.
@Suite(.enabled(if: lob_allocator_statistic("stats.allocated") > 0, "jemalloc is not linked"))
struct AllocatorTests {
    /// Pages that are kept for ever are never merged: connections that come and go would leave splinters.
    @Test func freedPagesGoBack() {
        #expect((0...60_000).contains(lob_allocator_statistic("opt.dirty_decay_ms")))
        #expect((0...60_000).contains(lob_allocator_statistic("opt.muzzy_decay_ms")))
    }
}
