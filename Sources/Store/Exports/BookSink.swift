// An output format for books.

import DepthBook
import MarketData

/// Writes proven books. The file keeps its own failures.
package protocol BookSink: AnyObject {
    /// The output file.
    var file: ExportFile { get }

    /// A book is proven from here on; anything written of it before is void. Write everything inside its
    /// proven range.
    func begin(_ book: borrowing OrderBook, _ moment: ExportMoment)

    /// A proven book has advanced.
    ///
    /// - Parameters:
    ///   - changes: levels that were set.
    ///   - book: the book after them.
    ///   - moment: the time.
    ///   - message: the venue's message; empty if the book is sampled.
    func change(
        _ changes: ExportedChanges, _ book: borrowing OrderBook, _ moment: ExportMoment,
        _ message: Span<UInt8>)

    /// Levels per side of the book read by `change`.
    var levelsOfChange: Int { get }

    /// Completes the file and gives it its name.
    func finish() throws(ExportError)

    /// A note for the user, if any.
    var note: String? { get }
}

extension BookSink {
    package var note: String? { nil }
    package var levelsOfChange: Int { 0 }
    package func finish() throws(ExportError) { try file.finish() }
}
