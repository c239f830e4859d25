// The id of a control message.

/// The `id` of a control message, echoed in its reply.
public enum RequestID: Hashable, Sendable {
    /// A signed 64-bit integer.
    case integer(Int64)
    /// A string.
    case text(String)
    /// `null`.
    case null
}
