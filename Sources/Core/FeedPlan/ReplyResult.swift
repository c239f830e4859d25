// The result of an accepted request.

/// The result of an accepted request.
public enum ReplyResult: Hashable, Sendable {
    /// `null`: the request was not a query.
    case done
    /// A boolean.
    case flag
    /// A list, as of subscriptions.
    case list
    /// Anything else.
    case other
}
