// Texts for people: why a book is not trusted, what a fetcher waits for, how two books differ.

import BinanceVenue
import BookEngine
import DepthBook
import DepthFeed
import MarketData

extension StaleReason {
    /// A few words to follow the name of a book.
    public var words: String {
        switch self {
        case .none: "nothing is wrong"
        case .gap: "an update was lost"
        case .disconnected: "the connection ended"
        case .crossed: "best bid at or above best ask"
        case .mismatch: "the venue's own best prices differ"
        case .rescale: "the venue prints other decimals"
        case .behind: "the venue is ahead, and the updates leading there do not arrive"
        case .shallow: "the best price of a side is not known"
        case .unreadable: "one of its messages could not be read"
        case .dropped: "one of its messages found no room"
        case .audit: "a snapshot at the same update id differs"
        case .lagging: "updates arrive too late"
        case .silent: "its connection was busy and has fallen silent"
        }
    }
}

extension SnapshotFetcherStatus {
    /// What delays the next request, until when, and when everything should have arrived; nil if nothing
    /// waits.
    public func waitText(nowMs: Int64) -> String? {
        let waiting = (0..<queued.count).reduce(inFlight) { $0 + queued[$1] }
        if waiting == 0 { return nil }
        let until = clockText(ms: waitingUntilMs)
        let text: String? =
            switch waitsFor {
            case nil: nil
            case .limited: "requests are not wanted until \(until)"
            case .banned: "banned until \(until)"
            case .blocked: "kept out by the venue's firewall until \(until)"
            case .outage: "no request is answered, the next one at \(until)"
            case .budget: "weight used up (\(weightSpent) of \(weightMax)) until \(until)"
            case .answers: inFlight == 1 ? "an answer is on its way" : "\(inFlight) answers are on their way"
            case .backoff: "after a failure, the next request at \(until)"
            }
        guard etaMs > nowMs else { return text }
        let left = "all snapshots in \(durationText(ms: etaMs - nowMs))"
        return text.map { "\($0), \(left)" } ?? left
    }
}

/// A UTC time of day, such as `12:34:56Z`.
func clockText(ms: Int64) -> String {
    let seconds = max(ms, 0) / 1000 % 86_400
    func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return "\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))Z"
}

/// A duration in a suitable unit: `12 s`, `3 min`, `2 h`.
func durationText(ms: Int64) -> String {
    let seconds = max(ms + 999, 0) / 1000
    if seconds < 100 { return "\(seconds) s" }
    let minutes = (seconds + 59) / 60
    return minutes < 100 ? "\(minutes) min" : "\((minutes + 59) / 60) h"
}

extension VenueMismatch {
    /// The contradiction with prices and quantities: `bid 9.0 × 1.5 here, 9.1 × 2.0 by the venue's ticker,
    /// at update id 7`.
    public var text: String {
        let name = check == .ticker ? "ticker" : "partial depth"
        var parts: [String] = []
        for (side, own, other) in [("bid", book.bid, venue.bid), ("ask", book.ask, venue.ask)]
        where own != other {
            parts.append("\(side) \(quote(own)) here, \(quote(other)) by the venue's \(name)")
        }
        let place = rank == 0 ? "" : ", level \(rank + 1) of the side"
        return parts.joined(separator: "; ") + "\(place), at update id \(at)"
    }

    private func quote(_ level: PriceLevel?) -> String {
        level.map { "\(scales.text($0.price)) × \(scales.text($0.quantity))" } ?? "none"
    }
}
