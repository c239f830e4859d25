// Samples of books that are proven, while samples of other books with the same or earlier times are not yet:
// they wait, so that a file of several symbols is in order of time.
//
// Bounded: `bytesMax` bytes wait; beyond that all are written in their order, and those too early counted.

/// Pieces of a file in order of time.
struct WaitingSamples {
    private static let bytesMax = 64 << 20

    /// In order of time, from `first` on; those with equal times in the order in which they were added.
    private var pieces: [(atNs: Int64, bytes: [UInt8])] = []
    private var first = 0
    private var bytes = 0
    /// Number of samples written too early.
    private(set) var disordered = 0
    /// Whether too much is waiting, so that the next `release` writes everything.
    private(set) var isFull = false

    /// Whether none is waiting.
    var isEmpty: Bool { first == pieces.count }

    /// Adds a piece after all that are not later.
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

    /// Removes and writes what is earlier than a time, or everything if too much is waiting.
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
