// One book's day: how long it was live, what was wrong, and how it was checked.
//
// Times are measured on a monotonic clock; the day is the UTC day at the time of a look, so a day ends within
// a twentieth of a second of midnight. Lag is sampled with the looks, twenty times a second, if the book has
// moved.
//
// Invariant: `liveNs`, `syncingNs` and the values of `staleNs` add up to the time looked at.

import BookEngine
import DepthBook
import LobMetrics
import MarketData

/// A book's day, or the part of it that was seen.
package struct DayTally: Hashable, Sendable {
    /// Counters of the day.
    package struct Counts: Hashable, Sendable {
        /// Updates applied.
        package var updates = 0
        /// Number of times an update was found missing.
        package var gaps = 0
        /// Number of times the book became untrusted.
        package var resyncs = 0
        /// Audits finished, and those that agreed.
        package var audits = 0
        /// See `audits`.
        package var auditsAgreed = 0
        /// Tickers compared, and those that agreed.
        package var tickers = 0
        /// See `tickers`.
        package var tickersAgreed = 0
        /// Partial depths compared, and those that agreed.
        package var partials = 0
        /// See `partials`.
        package var partialsAgreed = 0

        /// All zero.
        package init() {}

        /// Comparisons of any kind that found a difference.
        package var mismatches: Int {
            audits - auditsAgreed + tickers - tickersAgreed + partials - partialsAgreed
        }
    }

    /// Time of the first look, in nanoseconds since 1970.
    package var fromNs: Int64
    /// Time of the last look.
    package var toNs: Int64
    /// Time live.
    package var liveNs: Int64 = 0
    /// Time before the first snapshot.
    package var syncingNs: Int64 = 0
    /// Time stale, by the reason's name.
    package var staleNs: [String: Int64] = [:]
    /// Counters.
    package var counts = Counts()
    /// Longest time between two updates, or since the last one.
    package var longestSilenceNs: Int64 = 0
    /// How much later than usual updates arrived.
    package var lag = LatencyHistogram()

    /// A day that starts now.
    package init(fromNs: Int64) { (self.fromNs, toNs) = (fromNs, fromNs) }

    /// Time passed in a state.
    mutating func passed(_ ns: Int64, _ state: BookState, _ reason: StaleReason, atNs: Int64) {
        // A clock that is set back makes no day shorter.
        toNs = max(toNs, atNs)
        switch state {
        case .live: liveNs += ns
        case .syncing: syncingNs += ns
        case .stale: staleNs["\(reason)", default: 0] += ns
        }
    }

    /// Counters have grown.
    mutating func grew(from old: SymbolCounters, to new: SymbolCounters) {
        counts.updates += new.applied - old.applied
        counts.gaps += new.gaps - old.gaps
        counts.resyncs += new.resyncs - old.resyncs
        counts.audits += new.auditsCompared - old.auditsCompared
        counts.auditsAgreed += new.auditsAgreed - old.auditsAgreed
        counts.tickers += new.tickersCompared - old.tickersCompared
        counts.tickersAgreed += new.tickersAgreed - old.tickersAgreed
        counts.partials += new.partialsCompared - old.partialsCompared
        counts.partialsAgreed += new.partialsAgreed - old.partialsAgreed
    }

    /// Adds another run's view of the same day.
    package mutating func add(_ other: DayTally) {
        (fromNs, toNs) = (min(fromNs, other.fromNs), max(toNs, other.toNs))
        liveNs &+= other.liveNs
        syncingNs &+= other.syncingNs
        for (reason, ns) in other.staleNs { staleNs[reason] = (staleNs[reason] ?? 0) &+ ns }
        counts.updates &+= other.counts.updates
        counts.gaps &+= other.counts.gaps
        counts.resyncs &+= other.counts.resyncs
        counts.audits &+= other.counts.audits
        counts.auditsAgreed &+= other.counts.auditsAgreed
        counts.tickers &+= other.counts.tickers
        counts.tickersAgreed &+= other.counts.tickersAgreed
        counts.partials &+= other.counts.partials
        counts.partialsAgreed &+= other.counts.partialsAgreed
        longestSilenceNs = max(longestSilenceNs, other.longestSilenceNs)
        lag.add(other.lag)
    }
}

/// A book's day as stored.
package struct StoredReport: Hashable, Sendable {
    /// Its symbol.
    package var symbol: SymbolName
    /// The day, as `2026-11-29`.
    package var day: String
    /// Its tally.
    package var tally: DayTally
}
