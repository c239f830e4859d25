// Where the memory lies that the next update of a book needs, for a processor that is to fetch it before: the
// best slots of both sides, the samples above them and the hints. Addresses, which are never read through:
// the memory may be gone by then, and all that is lost is the fetch.

import CLobKernels

/// Addresses of one side.
package struct SideLines: BitwiseCopyable {
    var keys: UInt = 0
    var quantities: UInt = 0
    var every8: UInt = 0
    var every64: UInt = 0
    var every512: UInt = 0
    /// 0 if they are not looked at.
    var hints: UInt = 0

    /// Slots below the best one that a view of twenty levels reads, and a few.
    private static let slotCount = 32

    func prefetch() {
        let bytes = Int64(SideLines.slotCount * 8)
        lob_prefetch_lines(keys &- UInt(bytes) &+ 8, bytes)
        lob_prefetch_lines(quantities &- UInt(bytes) &+ 8, bytes)
        lob_prefetch_lines(every8 &- 64, 128)
        lob_prefetch_lines(every64, 8)
        lob_prefetch_lines(every512, 8)
        if hints != 0 { lob_prefetch_lines(hints, Int64(LOB_HINTS) * 2) }
    }
}

/// Addresses of both sides.
package struct BookLines: BitwiseCopyable {
    var bids = SideLines()
    var asks = SideLines()

    /// Of no book.
    package init() {}

    /// Of a book as it is now.
    package init(_ book: borrowing OrderBook) {
        bids = book.bids.lines
        asks = book.asks.lines
    }

    /// Asks the processor for the memory.
    @inline(__always)
    package func prefetch() {
        bids.prefetch()
        asks.prefetch()
    }
}
