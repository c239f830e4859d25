// Every input in every state of the connection supervisor, at one moment: what is done at once. What time
// does later is in the other tests.

import BinanceVenue
import MarketData
import Testing

struct SupervisorTableTests {
    /// A state, and the connection that the inputs are about.
    enum State: CaseIterable {
        case new, dialling, subscribing, connected, doomedAndWaiting, besideDialling, newerDialling
        case besideSubscribing, newerSubscribing, olderOfTwo, newerOfTwo, stopped
    }

    enum Input: CaseIterable {
        case start, opened, accepted, refused, refusedAgain, shutdown, closed, sent, resubscribe, time, stop
    }

    static func make(_ state: State) -> (SupervisorHarness, UInt16) {
        var h = SupervisorHarness { $0.coalesceMs = 0 }
        switch state {
        case .new: return (h, 1)
        case .dialling: _ = h.start()
        case .subscribing:
            _ = h.start()
            _ = h.opened(1)
        case .connected: h.connect()
        case .doomedAndWaiting:
            h.replace()
            _ = h.closed(2)
        case .besideDialling: h.replace()
        case .newerDialling:
            h.replace()
            return (h, 2)
        case .besideSubscribing:
            h.replace()
            _ = h.opened(2)
        case .newerSubscribing:
            h.replace()
            _ = h.opened(2)
            return (h, 2)
        case .olderOfTwo: h.overlap()
        case .newerOfTwo:
            h.overlap()
            return (h, 2)
        case .stopped:
            h.connect()
            _ = h.stop()
        }
        return (h, 1)
    }

    static func apply(_ input: Input, _ h: inout SupervisorHarness, _ id: UInt16) -> [String] {
        switch input {
        case .start: return h.start()
        case .opened: return h.opened(id)
        case .accepted: return h.accepted(id)
        case .refused: return h.refused(id)
        case .refusedAgain:
            let first = h.refused(id)
            return first + h.refused(id)
        case .shutdown: return h.shutdown(id)
        case .closed: return h.closed(id)
        case .sent: return h.sent(id)
        case .resubscribe: return h.resubscribe(["a@depth@100ms"])
        case .time: return h.pass(0)
        case .stop: return h.stop()
        }
    }

    /// Only what is not nothing.
    static let table: [State: [Input: [String]]] = [
        .new: [.start: ["open 1"]],
        .dialling: [.opened: ["sub 1"], .stop: ["close 1"]],
        .subscribing: [
            .accepted: ["up 1"], .refused: ["sub 1"], .refusedAgain: ["sub 1", "sub 1"],
            .shutdown: ["open 2"], .stop: ["close 1"],
        ],
        .connected: [
            .shutdown: ["open 2"], .closed: ["down 1"], .resubscribe: ["unsub 1"],
            .stop: ["close 1", "down 1"],
        ],
        .doomedAndWaiting: [
            .closed: ["down 1"], .resubscribe: ["unsub 1"], .stop: ["close 1", "down 1"],
        ],
        .besideDialling: [
            .closed: ["down 1"], .resubscribe: ["unsub 1"], .stop: ["close 1", "down 1", "close 2"],
        ],
        .newerDialling: [
            .opened: ["sub 2"], .resubscribe: ["unsub 1"], .stop: ["close 1", "down 1", "close 2"],
        ],
        .besideSubscribing: [
            .closed: ["down 1"], .resubscribe: ["unsub 1"], .stop: ["close 1", "down 1", "close 2"],
        ],
        .newerSubscribing: [
            .accepted: ["up 2"], .refused: ["sub 2"], .refusedAgain: ["sub 2", "sub 2"],
            .shutdown: ["close 2"], .resubscribe: ["unsub 1"], .stop: ["close 1", "down 1", "close 2"],
        ],
        .olderOfTwo: [
            .closed: ["down 1"], .resubscribe: ["unsub 2"],
            .stop: ["close 1", "down 1", "close 2", "down 2"],
        ],
        .newerOfTwo: [
            .closed: ["down 2"], .resubscribe: ["unsub 2"],
            .stop: ["close 1", "down 1", "close 2", "down 2"],
        ],
        .stopped: [:],
    ]

    @Test(arguments: State.allCases) func everyInput(_ state: State) {
        for input in Input.allCases {
            var (h, id) = Self.make(state)
            #expect(Self.apply(input, &h, id) == Self.table[state]?[input] ?? [], "\(state), \(input)")
        }
    }
}
