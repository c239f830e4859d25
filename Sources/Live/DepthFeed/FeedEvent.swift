// Loggable events as values: the executable decides how to print them, and tests check the cases.

import BinanceVenue
import FeedPlan
import MarketData

/// An event reported by a feed or a snapshot fetcher.
@nonexhaustive
public enum FeedEvent: Sendable {
    /// From the connection supervisor.
    case supervisor(ConnectionSupervisor.Report)
    /// A connection is being opened.
    case dialling(UInt16)
    /// A connection is open; its streams are subscribed next.
    case opened(UInt16, backend: String)
    /// A connection ended unasked, or could not be opened.
    case ended(UInt16, LinkEnd)
    /// The venue announced that it will close a connection.
    case shutdownAnnounced(UInt16)
    /// A message that is neither data nor parsable; nil if it was too long to be examined.
    case unreadable(UInt16, ParseError?)
    /// A connection was busy, and nothing but pongs has arrived for this long.
    case fellSilent(UInt16, forMs: Int64)
    /// Number of messages dropped for lack of room since the last report, with their symbols as far as known;
    /// at most once a second.
    case dropped(messages: Int, symbols: [SymbolName])
    /// A snapshot did not fit the ring and was reported as failed.
    case snapshotTooLong(SymbolName, bytes: Int)
    /// A snapshot will be requested again; `status` is 0 if there was no answer.
    case snapshotRetried(SnapshotKey, status: Int, reason: String, afterMs: Int64)
    /// A snapshot failed for good.
    case snapshotFailed(SnapshotKey, SnapshotPlanner.Failure)
    /// The venue told us to stay away for this long.
    case limited(status: Int, forMs: Int64)
    /// A symbol list was parsed, this long after its last byte.
    case exchangeInfo(Market, symbols: Int, bytes: Int, readInMs: Int)
    /// A request for a symbol list will be retried.
    case exchangeInfoRetried(Market, status: Int, reason: String, afterMs: Int64)
}

extension FeedEvent: CustomStringConvertible {
    /// One line.
    public var description: String {
        switch self {
        case .supervisor(let report): "\(report)"
        case .dialling(let id): "connection \(id): dialling"
        case .opened(let id, let backend): "connection \(id): open on the \(backend) backend"
        case .ended(let id, let end): "connection \(id): ended: \(end.line)"
        case .shutdownAnnounced(let id): "connection \(id): the venue will close it"
        case .unreadable(let id, let error):
            "connection \(id): unreadable message: \(error.map { "\($0)" } ?? "too long")"
        case .fellSilent(let id, let forMs):
            "connection \(id): was busy, and nothing has come for \(forMs) ms"
        case .dropped(let messages, let symbols):
            "\(messages) messages found no room in the ring"
                + (symbols.isEmpty ? "" : ", of " + symbols.map { "\($0)" }.joined(separator: " "))
        case .snapshotTooLong(let symbol, let bytes):
            "snapshot of \(symbol): \(bytes) bytes do not fit the ring"
        case .snapshotRetried(let key, let status, let reason, let afterMs):
            "snapshot of \(key.symbol): \(FeedEvent.answer(status, reason)), again in \(afterMs) ms"
        case .snapshotFailed(let key, .unknownSymbol): "\(key.market.name) has no symbol \(key.symbol)"
        case .snapshotFailed(let key, .refused(let status, let code)):
            "snapshot of \(key.symbol) refused with \(status)\(code.map { ", \($0)" } ?? "")"
        case .limited(let status, let forMs): "the venue answered \(status): no request for \(forMs) ms"
        case .exchangeInfo(let market, let symbols, let bytes, let readInMs):
            "\(market): \(symbols) symbols in \(bytes) bytes, read in \(readInMs) ms"
        case .exchangeInfoRetried(let market, let status, let reason, let afterMs):
            "symbols of \(market): \(FeedEvent.answer(status, reason)), again in \(afterMs) ms"
        }
    }
}

extension FeedEvent {
    /// A status with its reason, if any; the reason alone if there was no answer.
    static func answer(_ status: Int, _ reason: String) -> String {
        if status == 0 { return reason }
        return reason.isEmpty ? "\(status)" : "\(status) \(reason)"
    }
}
