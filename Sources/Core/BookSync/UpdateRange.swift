// The ids of one depth update.

import MarketData

/// The update ids of one depth update.
public struct UpdateRange: Hashable, Sendable, BitwiseCopyable {
    /// First update id covered, `U`.
    public var first: UpdateID
    /// Last update id covered, `u`.
    public var last: UpdateID
    /// Last id of the previous update, `pu`; nil if the venue does not send it.
    public var previousLast: UpdateID?

    /// Ids of an update.
    @inlinable
    public init(first: UpdateID, last: UpdateID, previousLast: UpdateID? = nil) {
        self.first = first
        self.last = last
        self.previousLast = previousLast
    }

    /// Ids of this update.
    @inlinable
    public init(_ update: borrowing DepthUpdate) {
        self.init(first: update.first, last: update.last, previousLast: update.previousLast)
    }
}
