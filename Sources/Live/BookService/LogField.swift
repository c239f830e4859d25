// A service's events for structured logs: a constant message plus named fields. `description` says the same
// in one line.

import BinanceVenue
import DepthFeed
import FeedPlan
import LobTransport
import MarketData

/// A field of an event.
public struct LogField: Hashable, Sendable {
    /// The value of a field.
    public enum Value: Hashable, Sendable {
        /// A count, an id, or a time in the unit named by the field's suffix.
        case number(Int64)
        /// Anything else.
        case text(String)
    }

    /// Name, such as `retryMs`.
    public var name: String
    /// Value.
    public var value: Value

    /// A number.
    init(_ name: String, _ number: some BinaryInteger) {
        (self.name, value) = (name, .number(Int64(clamping: number)))
    }

    /// A text.
    init(_ name: String, text: String) { (self.name, value) = (name, .text(text)) }
}

extension ServiceEvent {
    /// The kind of event, in words that do not depend on its fields.
    public var message: String { parts.message }

    /// The fields of this event.
    public var facts: [LogField] { parts.facts }

    private var parts: (message: String, facts: [LogField]) {
        switch self {
        case .notPinned(let thread, let cpu, let errno):
            return (
                "a thread cannot be pinned",
                [LogField("thread", text: thread), LogField("cpu", cpu), LogField("errno", errno)]
            )
        case .fetcher(let event): return event.parts
        case .feed(let shard, let event):
            let (message, facts) = event.parts
            return (message, [LogField("shard", shard)] + facts)
        }
    }
}

extension FeedEvent {
    fileprivate var parts: (message: String, facts: [LogField]) {
        switch self {
        case .supervisor(let report): return report.parts
        case .dialling(let id): return ("dialling", [LogField("connection", id)])
        case .opened(let id, let backend):
            return ("open", [LogField("connection", id), LogField("backend", text: backend)])
        case .ended(let id, let end): return ("connection ended", [LogField("connection", id)] + end.facts)
        case .shutdownAnnounced(let id):
            return ("the venue will close the connection", [LogField("connection", id)])
        case .unreadable(let id, let error):
            let what = error.map { "\($0)" } ?? "too long"
            return ("unreadable message", [LogField("connection", id), LogField("reason", text: what)])
        case .fellSilent(let id, let forMs):
            return (
                "the connection was busy and has fallen silent",
                [LogField("connection", id), LogField("silentMs", forMs)]
            )
        case .dropped(let messages, let symbols):
            let names = symbols.map { "\($0)" }.joined(separator: " ")
            return (
                "messages found no room in the ring",
                [LogField("messages", messages)] + (names.isEmpty ? [] : [LogField("symbols", text: names)])
            )
        case .snapshotTooLong(let symbol, let bytes):
            return ("a snapshot does not fit the ring", [symbol.fact, LogField("bytes", bytes)])
        case .snapshotRetried(let key, let status, let reason, let afterMs):
            return (
                "a snapshot did not come",
                [key.symbol.fact] + answer(status, reason) + [LogField("retryMs", afterMs)]
            )
        case .snapshotFailed(let key, .unknownSymbol): return ("no such symbol", [key.symbol.fact])
        case .snapshotFailed(let key, .refused(let status, let code)):
            let codes = code.map { [LogField("code", $0)] } ?? []
            return ("a snapshot is refused", [key.symbol.fact, LogField("status", status)] + codes)
        case .limited(let status, let forMs): return limited(status, forMs)
        case .exchangeInfo(let market, let symbols, let bytes, let readInMs):
            return (
                "list of symbols",
                [
                    LogField("market", text: market.name), LogField("symbols", symbols),
                    LogField("bytes", bytes), LogField("readMs", readInMs),
                ]
            )
        case .exchangeInfoRetried(let market, let status, let reason, let afterMs):
            return (
                "the list of symbols did not come",
                [LogField("market", text: market.name)] + answer(status, reason)
                    + [LogField("retryMs", afterMs)]
            )
        }
    }

    private func limited(_ status: Int, _ forMs: Int64) -> (message: String, facts: [LogField]) {
        let what = status == 418 ? "has banned this address" : "wants no requests"
        let until = clockText(ms: LoopClock.realtimeNs / 1_000_000 + forMs)
        return (
            "the venue \(what) for a while",
            [LogField("status", status), LogField("retryMs", forMs), LogField("until", text: until)]
        )
    }

    /// The status if there was an answer, and the reason if known.
    private func answer(_ status: Int, _ reason: String) -> [LogField] {
        (status == 0 ? [] : [LogField("status", status)])
            + (reason.isEmpty ? [] : [LogField("reason", text: reason)])
    }
}

extension ConnectionSupervisor.Report {
    fileprivate var parts: (message: String, facts: [LogField]) {
        switch self {
        case .subscribed(let id, let streamCount, let afterMs):
            return (
                "subscribed",
                [LogField("connection", id), LogField("streams", streamCount), LogField("ms", afterMs)]
            )
        case .refused(let id, let request, let code, let text, let isFinal):
            return (
                isFinal ? "a request is refused for good" : "a request is refused",
                [
                    LogField("connection", id), LogField("method", text: request.method.rawValue),
                    LogField("code", code), LogField("reason", text: text),
                    LogField("names", text: request.names),
                ]
            )
        case .unanswered(let id, let request):
            return (
                "a request is not answered",
                [
                    LogField("connection", id), LogField("method", text: request.method.rawValue),
                    LogField("streams", request.streams.count),
                ]
            )
        case .notOpened(let id): return ("not open in time", [LogField("connection", id)])
        case .replacing(let id, let reason):
            return (
                "the connection is to be replaced",
                [LogField("connection", id), LogField("reason", text: "\(reason)")]
            )
        case .resubscribing(let id, let streamCount):
            return (
                "silent streams are subscribed anew",
                [LogField("connection", id), LogField("streams", streamCount)]
            )
        case .waiting(let forMs, let failures):
            return (
                "the next connection waits", [LogField("retryMs", forMs), LogField("failures", failures)]
            )
        }
    }
}

extension LinkEnd {
    fileprivate var facts: [LogField] {
        if let error { return [LogField("reason", text: error)] }
        guard let peerCode else { return [] }
        let reasons = peerReason.isEmpty ? [] : [LogField("reason", text: peerReason)]
        return [LogField("code", peerCode)] + reasons
    }
}

extension SymbolName {
    fileprivate var fact: LogField { LogField("symbol", text: "\(self)") }
}
