// Writers for the frames of a conversion.

import LobHandoff

/// Writes frames in one format. Used by one thread.
protocol ConvertSink: AnyObject {
    /// Takes a frame.
    ///
    /// - Parameters:
    ///   - frame: a frame of a feed.
    ///   - shard: number of the stream that it belongs to.
    func take(_ frame: Frame, of shard: Int) throws

    /// Completes what was written and gives it its name. Without this call nothing is left behind.
    ///
    /// - Returns: a summary in words.
    func finish() throws -> String

    /// What the format cannot express, one line each.
    var losses: [String] { get }
}
