// A venue that answers every request of an engine, as a feed would.

import BinanceVenue
import BookEngine
import BookSync
import LobHandoff
import MarketData

private let second: Int64 = 1_000_000_000
private let btc = SymbolName("BTCUSDT")
private let bids = ["9.0:1.0", "8.0:2.0"]
private let asks = ["10.0:1.0", "11.0:2.0"]
private let stream = Array("{\"stream\":\"btcusdt@depth@100ms\"".utf8)

extension EngineHarness {
    /// What came of a while.
    struct Served {
        /// The attempts of the requests for a snapshot.
        var attempts: [Int] = []
        /// For how long the first symbol was live.
        var liveSeconds = 0.0
    }

    /// A live book whose snapshots and resubscriptions are announced.
    static func live(
        _ market: Market = .spot, adjust: (inout EngineConfiguration) -> Void = { _ in }
    ) -> EngineHarness {
        var harness = EngineHarness(market) {
            $0.requestsAreAnnounced = true
            adjust(&$0)
        }
        harness.frame(.connected)
        harness.announce(btc)
        if market == .spot {
            harness.goLive()
        } else {
            harness.futuresUpdate(7, 8, 9)
            harness.snapshot(9, bids: bids, asks: asks)
            harness.futuresUpdate(9, 10, 10)
        }
        _ = harness.requests()
        return harness
    }

    /// A live book at 60 on connection 2, whose ids began anew; connection 1 is still there, and has been
    /// left at 1000.
    static func leftForAnother() -> EngineHarness {
        var harness = live()
        for id in 11...1000 { harness.update(id, id) }
        harness.tick(afterNs: 2 * second)
        harness.frame(.connected, source: 2)
        harness.tick(afterNs: 2 * second)
        for id in 5...60 {
            harness.update(id, id, source: 2)
            harness.serve(id)
        }
        return harness
    }

    /// The request for a symbol's snapshot was sent.
    mutating func announce(_ symbol: SymbolName) {
        frame(.snapshotRequested, SnapshotEnvelope(symbol: symbol, limit: 1000).bytes)
    }

    /// Answers all requests with this state of the venue for a while.
    @discardableResult
    mutating func serve(
        _ id: Int, _ best: [String] = bids, _ worst: [String] = asks, forSeconds seconds: Double = 0.25,
        accepts: Bool = true
    ) -> Served {
        var served = Served()
        for _ in 0..<Int(seconds * 4) {
            for request in requests() {
                switch request {
                case .ask(let symbol, _, let attempt):
                    served.attempts.append(attempt)
                    announce(symbol)
                    snapshot(id, bids: best, asks: worst, symbol: "\(symbol)")
                case .resubscribe: if accepts { frame(.resubscribed, stream) }
                case .cancel: break
                }
            }
            tick(afterNs: second / 4)
            if status().state == .live { served.liveSeconds += 0.25 }
        }
        return served
    }
}
