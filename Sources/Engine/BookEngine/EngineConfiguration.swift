// What an engine is told once. Everything here is part of its input: the same frames and the same
// configuration give the same books.

import BookSync
import DepthBook
import MarketData

/// Configuration of an engine.
public struct EngineConfiguration: Sendable {
    /// What holds for the ids and snapshots of all symbols.
    public var rules: VenueRules
    /// Whether symbols that were not added are added when their first message comes.
    public var addsUnknownSymbols = false
    /// Most symbols an engine holds; messages of further ones are counted and dropped.
    public var symbolCountMax = 2048
    /// Most levels a side that a book keeps.
    public var levelCountMax = 10_000
    /// Most bytes of messages buffered for one book; on overflow it collects anew, keeps its place in the
    /// queue for snapshots, and it is counted.
    public var bufferBytesMax = 4 << 20
    /// Most bytes of messages buffered for all books together; the same happens to the book whose message
    /// finds no room.
    public var bufferSumBytesMax = 64 << 20
    /// Whether whoever fetches snapshots says with a `snapshotRequested` frame when a request is sent. If so,
    /// nothing is kept for a first snapshot before that, nor for any other one for more than a second, and
    /// behind a `cancel` no snapshot counts before it; if not, everything is kept from the request on.
    public var requestsAreAnnounced = false
    /// Tickers remembered per symbol until the depth update of their id comes; the oldest go first.
    public var tickerCountMax = 512
    /// When views are published.
    public var publication = Publication.perMessage
    /// What a contradiction leads to.
    public var mismatchPolicy = MismatchPolicy.resync
    /// How the venue computes the checksums that its updates carry. A book that has another one behind an
    /// update is wrong from there on, whatever the policy for mismatches. Nil: there are none, or they are
    /// not looked at.
    public var checksum: BookChecksum?
    /// Rebuild a book for more depth when fewer levels than this are proven on a side; 0 switches it off.
    public var provenLevelCountMin = 0
    /// Compare a book with a candidate out of a new snapshot after this much time, or up to a quarter sooner;
    /// 0 switches audits off.
    public var auditEveryNs: Int64 = 0
    /// A snapshot, or where ids are contiguous a ticker or partial depth, that is ahead of the book for this
    /// long, and for three usual intervals, means that the book is behind; updates that are behind the book
    /// for so long, that it is no book of this stream.
    public var aheadNsMin: Int64 = 1_000_000_000
    /// Three usual intervals are no longer than this here, however quiet the symbol: three times the speed of
    /// the stream, and half a second for the way.
    public var aheadNsMax: Int64 = 1_500_000_000
    /// A snapshot that the stream has not reached after this much time belongs to another symbol or another
    /// time. It is asked for again long before that.
    public var snapshotAheadNsMax: Int64 = 30_000_000_000
    /// A doubt that updates have not settled after this much time asks for a snapshot.
    public var doubtNsMin: Int64 = 1_000_000_000
    /// Update ids that a symbol may use up in a second; an update further ahead is none of this stream.
    public var idsPerSecondMax: Int64 = 10_000_000
    /// A symbol that is subscribed and has delivered no update for this long is to be resubscribed.
    public var firstEventNsMax: Int64 = 30_000_000_000
    /// So is one that has delivered updates and falls silent for this long, and for thirty usual intervals.
    public var silenceNsMin: Int64 = 30_000_000_000
    /// After a fruitless resubscription twice as long is waited for the next, but no longer than this.
    public var silenceNsMax: Int64 = 1_800_000_000_000
    /// A book whose updates arrive this much later than usual is stale until they are in time again; 0
    /// switches that off.
    public var lagNsMax: Int64 = 5_000_000_000
    /// Status and counters are published for other threads by the first tick after this much time; 0 switches
    /// that off.
    public var statusEveryNs: Int64 = 0

    /// The defaults under these rules.
    public init(rules: VenueRules) { self.rules = rules }
}
