// A layout that books are written in.

import DepthBook
import MarketData

/// Writes what is proven of books. A failure of the file is kept there.
package protocol BookSink: AnyObject {
    /// The file that is written.
    var file: ExportFile { get }

    /// A book is proven from here on; what was written of it before is void. Everything inside its proven
    /// range is to be written.
    func begin(_ book: borrowing OrderBook, _ moment: ExportMoment)

    /// A proven book has moved on.
    ///
    /// - Parameters:
    ///   - changes: levels that were set.
    ///   - book: the book behind them.
    ///   - moment: when.
    ///   - message: the venue's message, empty if the book is sampled.
    func change(
        _ changes: ExportedChanges, _ book: borrowing OrderBook, _ moment: ExportMoment,
        _ message: Span<UInt8>)

    /// Levels a side that `change` reads of the book.
    var levelsOfChange: Int { get }

    /// Brings the file to its end and gives it its name.
    func finish() throws(ExportError)

    /// What is worth saying to people, if anything.
    var note: String? { get }
}

extension BookSink {
    package var note: String? { nil }
    package var levelsOfChange: Int { 0 }
    package func finish() throws(ExportError) { try file.finish() }
}
