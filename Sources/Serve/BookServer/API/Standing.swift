// How the server's own requests describe the state of a book.
//
//     replica's book | server behind the feed | state    | reason    | served
//     ---------------|------------------------|----------|-----------|---------------------------
//     live           | no                     | live     | none      | unless it is being bridged
//     live           | yes                    | stale    | backlog   | no
//     anything else  | either                 | the same | the same  | no

import DepthBook

/// The state of a book, and whether it may be shown now.
struct Standing: Hashable {
    var state = BookState.syncing
    /// Name of the reason why it is stale; nil if it is not.
    var reason: String?
    /// Whether anything of it may be shown: exactly when depth requests are not refused.
    var isServed = false

    /// The reason for books that are live but shown too late.
    static let backlog = "backlog"
}
