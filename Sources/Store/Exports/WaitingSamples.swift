// Samples of books that are known to be right while those of other books, of the same time or earlier, are
// not yet: they wait, so that a file of several symbols is in the order of time.
//
// Bounded: `bytesMax` bytes wait; beyond that all are written, in their order, and counted.

/// Pieces of a file, by their times.
struct WaitingSamples {
    private static let bytesMax = 64 << 20

    /// In the order of times, from `first` on; of one time in that of adding.
    private var pieces: [(atNs: Int64, bytes: [UInt8])] = []
    private var first = 0
    private var bytes = 0
    /// Samples that were written too early.
    private(set) var disordered = 0
    private var isFull = false

    /// Whether none waits.
    var isEmpty: Bool { first == pieces.count }

    /// Adds a piece behind all that are not later.
    mutating func add(_ piece: [UInt8], atNs: Int64) {
        if piece.isEmpty { return }
        var (low, high) = (first, pieces.count)
        while low < high {
            let middle = (low + high) / 2
            if pieces[middle].atNs <= atNs { low = middle + 1 } else { high = middle }
        }
        pieces.insert((atNs, piece), at: low)
        bytes += piece.count
        isFull = bytes > WaitingSamples.bytesMax
    }

    /// Takes out what is earlier than a time, or everything if too much waits.
    mutating func release(before atNs: Int64, _ write: ([UInt8]) -> Void) {
        while first < pieces.count && (isFull || pieces[first].atNs < atNs) {
            if pieces[first].atNs >= atNs { disordered += 1 }
            write(pieces[first].bytes)
            bytes -= pieces[first].bytes.count
            pieces[first].bytes = []
            first += 1
        }
        isFull = false
        if first > 1024 && 2 * first > pieces.count {
            pieces.removeFirst(first)
            first = 0
        }
    }
}
