// Books fetched from memory before their messages are read. Thousands of books lie in no cache: what an
// update touches is some seventy lines, and where each waits for the one before it, they take longer than the
// work.
//
// So the engine notes for each symbol where they lie, and asks for all of them at once: for the next frame of
// the ring while this one is applied, and for the first one of a batch before it is parsed. With few symbols
// everything is in the cache anyway, and nothing of this is done.
//
// SAFETY: addresses are compared and asked for, never read through.

import DepthBook
import LobHandoff

/// Where the memory of one symbol lies. Addresses that are never read through.
struct HotLines: BitwiseCopyable {
    private var book: UInt = 0
    private var synced: UInt = 0
    private var view: UInt = 0
    private var viewOwner: UInt = 0
    private var top: UInt = 0
    private var topOwner: UInt = 0
    private var levels = BookLines()

    init() {}

    init(_ book: SymbolBook) {
        self.book = UInt(bitPattern: ObjectIdentifier(book))
        synced = UInt(bitPattern: ObjectIdentifier(book.served))
        let mailboxes = book.mailboxes.addresses
        (view, viewOwner) = mailboxes.view
        (top, topOwner) = mailboxes.top
        levels = BookLines(book.served.book)
    }

    /// Bytes of the two objects that every update meets.
    static let bookBytes = 1024
    static let syncedBytes = 512
    /// Bytes of a view with twenty levels a side, and of the best prices, in their mailboxes.
    static let viewBytes = 768
    static let topBytes = 72

    @inline(__always)
    func prefetch() {
        CacheLines.prefetch(book, HotLines.bookBytes)
        CacheLines.prefetch(synced, HotLines.syncedBytes)
        levels.prefetch()
        CacheLines.prefetch(viewOwner, 64)
        CacheLines.prefetch(topOwner, 64)
        CacheLines.prefetch(view, HotLines.viewBytes)
        CacheLines.prefetch(top, HotLines.topBytes)
    }
}

extension BookEngine {
    /// With fewer symbols all books are in the cache.
    static let lookAheadCountMin = 64

    /// Asks for the memory that the next frame needs, and for that of this one unless it was the next one
    /// before.
    @inline(__always)
    mutating func lookAhead(_ frame: Frame, _ next: Frame?) {
        let place = unsafe UInt(bitPattern: frame.bytes.baseAddress)
        hintedSlot = place == aheadPlace ? aheadSlot : fetch(frame)
        guard let next else { return }
        aheadPlace = unsafe UInt(bitPattern: next.bytes.baseAddress)
        aheadSlot = fetch(next)
    }

    /// - Returns: the slot that the frame seems to be for, or -1.
    @inline(__always)
    private func fetch(_ frame: Frame) -> Int {
        let slot = hints.slot(of: frame)
        if slot < 0 || slot >= hot.count { return -1 }
        hot[slot].prefetch()
        return slot
    }
}
