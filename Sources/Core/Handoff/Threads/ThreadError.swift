// Failure to create a thread.

/// The system refused to create another thread.
public struct ThreadError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The system's error number.
    public var errno: Int32

    /// An error of this number.
    public init(errno: Int32) { self.errno = errno }

    /// One line.
    public var description: String { "the system gives no further thread (error \(errno))" }
}
