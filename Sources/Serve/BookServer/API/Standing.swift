// What is said of a book wherever the server's own requests mention it.
//
//     replica's book | server behind the feed | state    | reason    | served
//     ---------------|------------------------|----------|-----------|---------------------------
//     live           | no                     | live     | none      | unless it is being bridged
//     live           | yes                    | stale    | backlog   | no
//     anything else  | either                 | the same | the same  | no

import DepthBook

/// Where a book stands, and whether it may be shown now.
struct Standing: Hashable {
    var state = BookState.syncing
    /// The word for why it is stale; nil if it is not.
    var reason: String?
    /// Whether anything of it may be shown: exactly when depth answers are not refused.
    var isServed = false

    /// The reason of books that are live, but shown too late.
    static let backlog = "backlog"
}
