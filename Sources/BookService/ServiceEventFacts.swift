// What a service tells, taken apart for structured logs: words that are the same every time, and facts under
// names of their own. `description` says the same in one line.

import BinanceDepth
import DepthFeed
import MarketData
import Transport

/// A fact of an event.
public struct EventFact: Hashable, Sendable {
    /// What a fact is.
    public enum Value: Hashable, Sendable {
        /// A count, an id, a time in the unit that the name ends with.
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
    /// What kind of event it is, in words that do not depend on its facts.
    public var message: String { parts.message }

    /// What is particular about this one.
    public var facts: [EventFact] { parts.facts }

    private var parts: (message: String, facts: [EventFact]) {
        switch self {
        case .notPinned(let thread, let cpu, let errno):
            return (
                "a thread cannot be pinned",
                [EventFact("thread", text: thread), EventFact("cpu", cpu), EventFact("errno", errno)]
            )
        case .desk(let event): return event.parts
        case .feed(let lane, let event):
            let (message, facts) = event.parts
            return (message, [EventFact("lane", lane)] + facts)
        }
    }
}

extension FeedEvent {
    fileprivate var parts: (message: String, facts: [EventFact]) {
        switch self {
        case .life(let report): return report.parts
        case .dialling(let id): return ("dialling", [EventFact("connection", id)])
        case .opened(let id, let road):
            return ("open", [EventFact("connection", id), EventFact("road", text: "\(road)")])
        case .ended(let id, let end): return ("connection ended", [EventFact("connection", id)] + end.facts)
        case .shutdownAnnounced(let id):
            return ("the venue will close the connection", [EventFact("connection", id)])
        case .unreadable(let id, let error):
            let what = error.map { "\($0)" } ?? "too long"
            return ("unreadable message", [EventFact("connection", id), EventFact("reason", text: what)])
        case .fellSilent(let id, let forMs):
            return (
                "the connection was busy and has fallen silent",
                [EventFact("connection", id), EventFact("silentMs", forMs)]
            )
        case .dropped(let messages, let symbols):
            let names = symbols.map { "\($0)" }.joined(separator: " ")
            return (
                "messages found no room in the ring",
                [EventFact("messages", messages)] + (names.isEmpty ? [] : [EventFact("symbols", text: names)])
            )
        case .snapshotTooLong(let symbol, let bytes):
            return ("a snapshot does not fit the ring", [symbol.fact, EventFact("bytes", bytes)])
        case .snapshotRetried(let key, let status, let reason, let afterMs):
            return (
                "a snapshot did not come",
                [key.symbol.fact] + answer(status, reason) + [EventFact("retryMs", afterMs)]
            )
        case .snapshotFailed(let key, .unknownSymbol): return ("no such symbol", [key.symbol.fact])
        case .snapshotFailed(let key, .refused(let status, let code)):
            let codes = code.map { [EventFact("code", $0)] } ?? []
            return ("a snapshot is refused", [key.symbol.fact, EventFact("status", status)] + codes)
        case .limited(let status, let forMs): return limited(status, forMs)
        case .exchangeInfo(let market, let symbols, let bytes, let readInMs):
            return (
                "list of symbols",
                [
                    EventFact("market", text: market.name), EventFact("symbols", symbols),
                    EventFact("bytes", bytes), EventFact("readMs", readInMs),
                ]
            )
        case .exchangeInfoRetried(let market, let status, let reason, let afterMs):
            return (
                "the list of symbols did not come",
                [EventFact("market", text: market.name)] + answer(status, reason)
                    + [EventFact("retryMs", afterMs)]
            )
        }
    }

    private func limited(_ status: Int, _ forMs: Int64) -> (message: String, facts: [EventFact]) {
        let what = status == 418 ? "has banned this address" : "wants no requests"
        let until = clockText(ms: LoopClock.realtimeNs / 1_000_000 + forMs)
        return (
            "the venue \(what) for a while",
            [EventFact("status", status), EventFact("retryMs", forMs), EventFact("until", text: until)]
        )
    }

    /// The status if there was an answer, and the reason if one is known.
    private func answer(_ status: Int, _ reason: String) -> [EventFact] {
        (status == 0 ? [] : [EventFact("status", status)])
            + (reason.isEmpty ? [] : [EventFact("reason", text: reason)])
    }
}

extension ConnectionLife.Report {
    fileprivate var parts: (message: String, facts: [EventFact]) {
        switch self {
        case .subscribed(let id, let streamCount, let afterMs):
            return (
                "subscribed",
                [EventFact("connection", id), EventFact("streams", streamCount), EventFact("ms", afterMs)]
            )
        case .refused(let id, let request, let code, let text, let isFinal):
            return (
                isFinal ? "a request is refused for good" : "a request is refused",
                [
                    EventFact("connection", id), EventFact("method", text: request.method.rawValue),
                    EventFact("code", code), EventFact("reason", text: text),
                    EventFact("names", text: request.names),
                ]
            )
        case .unanswered(let id, let request):
            return (
                "a request is not answered",
                [
                    EventFact("connection", id), EventFact("method", text: request.method.rawValue),
                    EventFact("streams", request.streams.count),
                ]
            )
        case .notOpened(let id): return ("not open in time", [EventFact("connection", id)])
        case .replacing(let id, let reason):
            return (
                "the connection is to be replaced",
                [EventFact("connection", id), EventFact("reason", text: "\(reason)")]
            )
        case .resubscribing(let id, let streamCount):
            return (
                "silent streams are subscribed anew",
                [EventFact("connection", id), EventFact("streams", streamCount)]
            )
        case .waiting(let forMs, let failures):
            return (
                "the next connection waits", [EventFact("retryMs", forMs), EventFact("failures", failures)]
            )
        }
    }
}

extension WebSocketEnd {
    fileprivate var facts: [EventFact] {
        if let error { return [EventFact("reason", text: "\(error)")] }
        guard let peerCode else { return [] }
        let reasons = peerReason.isEmpty ? [] : [EventFact("reason", text: peerReason)]
        return [EventFact("code", peerCode)] + reasons
    }
}

extension SymbolName {
    fileprivate var fact: EventFact { EventFact("symbol", text: "\(self)") }
}
