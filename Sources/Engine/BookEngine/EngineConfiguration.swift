// An engine's configuration, fixed for its life. It is part of the engine's input: the same frames and the
// same configuration give the same books.

import BookSync
import DepthBook
import MarketData

/// Configuration of an engine.
public struct EngineConfiguration: Sendable {
    /// How the ids and snapshots of all symbols behave.
    public var rules: VenueRules
    /// Whether unknown symbols are added when their first message arrives.
    public var addsUnknownSymbols = false
    /// Most symbols an engine holds; messages of further ones are counted and dropped.
    public var symbolCountMax = 2048
    /// Most levels per side that a book keeps.
    public var levelCountMax = 10_000
    /// Most bytes of messages buffered for one book; on overflow it starts collecting anew, keeps its place
    /// in the snapshot queue, and is counted.
    public var bufferBytesMax = 4 << 20
    /// Most bytes of messages buffered for all books together; the book whose message does not fit is treated
    /// likewise.
    public var bufferSumBytesMax = 64 << 20
    /// Whether the snapshot fetcher announces each request with a `snapshotRequested` frame. If so,
    /// nothing is kept for a first snapshot before that, nor for any other one for more than a second, and
    /// after a `cancel` no snapshot counts before it; if not, everything is kept from the request on.
    /// Likewise whether a `resubscribed` frame announces that the venue has accepted a resubscription; if
    /// not, it counts as accepted three seconds after the request.
    public var requestsAreAnnounced = false
    /// Whether a resubscription that the engine requests is carried out and, if requests are announced, its
    /// acceptance too. False if another engine's requests are, as in a replica: such a one then counts as
    /// carried out after a while.
    public var resubscribes = true
    /// Tickers remembered per symbol until the depth update with their id arrives; the oldest are evicted.
    public var tickerCountMax = 512
    /// When views are published.
    public var publication = Publication.perMessage
    /// Reaction to a contradiction.
    public var mismatchPolicy = MismatchPolicy.resync
    /// How the venue computes the checksums in its updates. A book with a different checksum after an update
    /// is wrong from there on, whatever the mismatch policy. Nil: there are none, or they are not verified.
    public var checksum: BookChecksum?
    /// Rebuild a book for more depth when fewer levels than this are proven on a side; 0 disables.
    public var provenLevelCountMin = 0
    /// Compare a book with a candidate from a new snapshot after this much time, or up to a quarter sooner; 0
    /// disables audits.
    public var auditEveryNs: Int64 = 0
    /// A snapshot (where ids are contiguous, also a ticker or partial depth) ahead of the book for this long,
    /// and for three usual intervals, means that the book is behind; updates behind the book for that long
    /// mean that it does not belong to this stream.
    public var aheadNsMin: Int64 = 1_000_000_000
    /// Upper limit of those three usual intervals, however quiet the symbol: three times the stream's update
    /// speed plus half a second in transit.
    public var aheadNsMax: Int64 = 1_500_000_000
    /// A snapshot not reached by the stream after this much time belongs to another symbol or id epoch. A new
    /// one is requested long before that.
    public var snapshotAheadNsMax: Int64 = 30_000_000_000
    /// A doubt not settled by updates after this much time requests a snapshot.
    public var doubtNsMin: Int64 = 1_000_000_000
    /// Update ids a symbol may use per second; an update further ahead is not of this stream.
    public var idsPerSecondMax: Int64 = 10_000_000
    /// A subscribed symbol that has delivered no update for this long is to be resubscribed,
    public var firstEventNsMax: Int64 = 30_000_000_000
    /// as is one that delivered updates and has been silent for this long and for thirty usual intervals.
    public var silenceNsMin: Int64 = 30_000_000_000
    /// After a fruitless resubscription the wait for the next doubles, up to this.
    public var silenceNsMax: Int64 = 1_800_000_000_000
    /// A book whose updates arrive this much later than usual is stale until they are in time again; 0
    /// disables.
    public var lagNsMax: Int64 = 5_000_000_000
    /// Status and counters are published for other threads by the first tick after this much time; 0
    /// disables.
    public var statusEveryNs: Int64 = 0

    /// Defaults for these rules.
    public init(rules: VenueRules) { self.rules = rules }

    /// The same with durations that can be added to any time of the engine (`.max` means never), and a depth
    /// that a snapshot leaves proven for a while: less than it shows, and than a book keeps.
    var saturated: EngineConfiguration {
        var same = self
        let times: [WritableKeyPath<EngineConfiguration, Int64>] = [
            \.auditEveryNs, \.aheadNsMin, \.aheadNsMax, \.snapshotAheadNsMax, \.doubtNsMin, \.firstEventNsMax,
            \.silenceNsMin, \.silenceNsMax, \.lagNsMax, \.statusEveryNs,
        ]
        for time in times {
            same[keyPath: time] = min(max(same[keyPath: time], 0), TimeLimit.ns(TimeLimit.longestMs))
        }
        let depth = min(rules.snapshotLevelCountMax, levelCountMax)
        same.provenLevelCountMin = min(provenLevelCountMin, max(depth / 2, 1))
        return same
    }
}
