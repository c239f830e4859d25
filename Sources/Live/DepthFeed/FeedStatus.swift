// A feed's status for other threads: one value, replaced as a whole.

import BinanceVenue
import LobHandoff
import MarketData

/// A feed's counters and current state. Counters only grow.
public struct FeedStatus: Sendable, BitwiseCopyable {
    /// The state of the connections.
    public var state = FeedState.idle
    /// The connection in service, the `source` of its frames; 0 if there is none.
    public var connection: UInt16 = 0
    /// When it was subscribed, in nanoseconds since 1970; 0 if none is in service.
    public var connectedAtNs: Int64 = 0
    /// When this status was written, in nanoseconds since 1970.
    public var writtenAtNs: Int64 = 0
    /// When the last message arrived, in nanoseconds since 1970; 0 if none has.
    public var lastMessageAtNs: Int64 = 0
    /// Connections dialled.
    public var attempts = 0
    /// Messages received, control messages included.
    public var messages = 0
    /// Bytes of those messages.
    public var bytes = 0
    /// Messages dropped for lack of room in the ring.
    public var droppedMessages = 0
    /// Frames that must arrive and are waiting for room.
    public var waitingFrames = 0
    /// Pings of the venue that were answered.
    public var pings = 0
    /// Our pings to a silent venue.
    public var probes = 0
    /// Streams resubscribed because they were silent.
    public var resubscribedStreams = 0
    /// Connections replaced while in service.
    public var replacements = 0
    /// Announcements that the venue will close a connection.
    public var shutdowns = 0
    /// Connections that ended unasked or could not be opened.
    public var losses = 0
    /// Requests refused by the venue.
    public var refusals = 0
    /// Messages that were neither data nor parsable.
    public var unreadable = 0
    /// Why the last connection ended.
    public var lastError = InlineText()

    /// Status of a new feed.
    public init() {}
}
