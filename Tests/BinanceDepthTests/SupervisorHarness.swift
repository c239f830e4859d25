// A supervisor with a clock that the test turns, its actions as short words.

import BinanceVenue
import MarketData

@testable import FeedPlan

struct SupervisorHarness {
    var supervisor: ConnectionSupervisor
    var nowMs: Int64 = 1_000_000
    /// Names of the requests sent, by connection, oldest first.
    var requests: [UInt16: [StreamRequest]] = [:]
    var reports: [ConnectionSupervisor.Report] = []
    /// Streams that were said to be subscribed again.
    var resubscribed: [String] = []

    /// Whether a subscribed connection exists.
    var isConnected: Bool { supervisor.links.contains(where: \.isConnected) }

    static let streams = ["a@depth@100ms", "b@depth@100ms", "c@depth@100ms"]

    init(
        _ market: Market = .spot, streams: [String] = SupervisorHarness.streams,
        _ adjust: (inout ConnectionSupervisor.Configuration) -> Void = { _ in }
    ) {
        var configuration = ConnectionSupervisor.Configuration(market: market)
        adjust(&configuration)
        supervisor = ConnectionSupervisor(streams: streams, configuration: configuration)
    }

    /// What the actions of an input are, in order; reports and streams subscribed again are kept aside.
    mutating func note(_ actions: [ConnectionSupervisor.Action]) -> [String] {
        actions.compactMap { action in
            switch action {
            case .open(let id): return "open \(id)"
            case .send(let id, let request):
                requests[id, default: []].append(request)
                return "\(request.method == .subscribe ? "sub" : "unsub") \(id)"
            case .close(let id): return "close \(id)"
            case .connected(let id, let refused):
                return (["up \(id)"] + refused.map { "without \($0)" }).joined(separator: " ")
            case .disconnected(let id): return "down \(id)"
            case .retired(let id): return "retired \(id)"
            case .resubscribed(_, let streams):
                resubscribed += streams
                return nil
            case .report(let report):
                reports.append(report)
                return nil
            }
        }
    }

    mutating func start() -> [String] { note(supervisor.start(nowMs: nowMs)) }
    mutating func stop() -> [String] { note(supervisor.stop(nowMs: nowMs)) }
    mutating func opened(_ id: UInt16) -> [String] { note(supervisor.opened(id, nowMs: nowMs)) }
    mutating func sent(_ id: UInt16) -> [String] { note(supervisor.sent(id, nowMs: nowMs)) }
    mutating func shutdown(_ id: UInt16) -> [String] { note(supervisor.shutdownAnnounced(id, nowMs: nowMs)) }
    mutating func resubscribe(_ streams: [String]) -> [String] {
        note(supervisor.resubscribe(streams, nowMs: nowMs))
    }
    mutating func closed(_ id: UInt16, _ loss: ConnectionSupervisor.Loss = .lost) -> [String] {
        note(supervisor.closed(id, loss, nowMs: nowMs))
    }
    mutating func replied(_ id: UInt16, to requestID: RequestID?, _ outcome: ReplyOutcome) -> [String] {
        note(supervisor.replied(id, to: requestID, outcome, nowMs: nowMs))
    }

    /// The last request of a connection is accepted.
    mutating func accepted(_ id: UInt16) -> [String] {
        replied(id, to: .integer(requests[id]?.last?.id ?? 0), .accepted(.done))
    }

    /// The last request of a connection is refused.
    mutating func refused(_ id: UInt16) -> [String] {
        replied(id, to: .integer(requests[id]?.last?.id ?? 0), .refused(code: 2, text: "no"))
    }

    /// Lets time pass at once.
    mutating func pass(_ ms: Int64) -> [String] {
        nowMs += ms
        return note(supervisor.timePassed(nowMs: nowMs))
    }

    /// Lets time pass, waking whenever the supervisor wants it, until it has an action or the time is over.
    mutating func wait(atMostMs: Int64) -> [String] {
        let endMs = nowMs + atMostMs
        while let wakeMs = supervisor.wakeAtMs, wakeMs <= endMs {
            nowMs = wakeMs
            let words = note(supervisor.timePassed(nowMs: nowMs))
            if !words.isEmpty { return words }
        }
        nowMs = endMs
        return []
    }

    /// Connected as 1, alone.
    mutating func connect() {
        _ = start()
        _ = opened(1)
        _ = accepted(1)
    }

    /// Connected as 1, to be replaced, and its replacement 2 being dialled.
    mutating func replace() {
        connect()
        nowMs += 60_000
        _ = shutdown(1)
    }

    /// Both connected; 1 is about to retire.
    mutating func overlap() {
        replace()
        _ = opened(2)
        _ = accepted(2)
    }
}
