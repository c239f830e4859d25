// Why there is no thread.

/// The system gives no further thread.
public struct ThreadError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The system's number of what is wrong.
    public var errno: Int32

    /// An error of this number.
    public init(errno: Int32) { self.errno = errno }

    /// One line.
    public var description: String { "the system gives no further thread (error \(errno))" }
}
