// What takes the frames of a conversion.

import LobHandoff

/// Writes frames in one form. Used by one thread.
protocol ConvertSink: AnyObject {
    /// Takes a frame.
    ///
    /// - Parameters:
    ///   - frame: a frame of a feed.
    ///   - shard: number of the stream that it is of.
    func take(_ frame: Frame, of shard: Int) throws

    /// Brings what is written to its end and gives it its name. Without it nothing is left.
    ///
    /// - Returns: what it has come to, for people.
    func finish() throws -> String

    /// What the form has no word for, in words; a line each.
    var losses: [String] { get }
}
