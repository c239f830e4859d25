// Limits of connections, and what the venue does to clients on purpose.

import BinanceServing
import BinanceVenue
import LobTransport
import MarketData
import TestSupport
import Testing
import VenueSupport

@testable import ExchangeServer
@testable import SimulatedExchange

private func ends(_ listener: Listener) -> String {
    listener.end.map { "\($0.peerCode ?? 0) \($0.peerReason)" } ?? "open"
}

extension ExchangeTests {
    @Suite struct Limits {
        private func fast(_ speed: Double) -> ExchangeServer.Options {
            var options = ExchangeServer.Options()
            options.speed = speed
            return options
        }

        @Test(arguments: [(Market.spot, 5), (.usdm, 10)])
        func tooManyMessages(_ market: Market, _ limit: Int) throws {
            let bench = try Bench()
            defer { bench.loop.close() }
            let server = try bench.serve(market)
            let listener = try Listener(server, "/ws", on: bench.loop)
            bench.drive { listener.isOpen }
            // The limit is by seconds of the clock: the messages must not straddle two.
            bench.drive { server.withVenue { $0.nowUs } % 1_000_000 < 500_000 }
            for id in 1...20 { listener.send("{\"method\":\"LIST_SUBSCRIPTIONS\",\"id\":\(id)}") }
            bench.drive { listener.end != nil }
            #expect(listener.replies.count == limit && ends(listener) == "1008 Too many requests")
            #expect(server.counters.venue.floodCount == 1 && server.counters.connectionCount == 0)
        }

        @Test func tooManyStreams() throws {
            let bench = try Bench()
            defer { bench.loop.close() }
            let server = try bench.serve(.usdm)
            let listener = try Listener(server, "/public/ws", on: bench.loop)
            bench.drive { listener.isOpen }
            let names = (0..<1_024).map { "\"s\($0)@depth\"" }.joined(separator: ",")
            listener.send("{\"method\":\"SUBSCRIBE\",\"params\":[\(names)],\"id\":1}")
            bench.drive { listener.texts.count == 1 }
            #expect(listener.texts == [#"{"result":null,"id":1}"#] && server.counters.streamCount == 1_024)
            listener.send(#"{"method":"SUBSCRIBE","params":["s0@depth","one@more"],"id":2}"#)
            bench.drive { listener.end != nil }
            #expect(listener.texts.last == #"{"code":4,"msg":"Too many subscriptions","id":2}"#)
            #expect(ends(listener) == "1008 Too many subscriptions")
        }

        @Test func tooManyAttempts() throws {
            let bench = try Bench()
            defer { bench.loop.close() }
            let addresses = AddressBook()
            let server = try bench.serve(addresses: addresses)
            var address = ClientAddress(ServingRules(.spot))
            for _ in 0..<299 { try address.attempt(atUs: server.withVenue { $0.nowUs }) }
            addresses[loopbackOwner, .spot, atUs: 0] = address
            let last = try Listener(server, "/ws", on: bench.loop)
            bench.drive { last.isOpen }
            let refused = try Listener(server, "/ws", on: bench.loop)
            bench.drive { refused.end != nil }
            guard case .upgradeRefused(429, let seconds)? = refused.end?.error else {
                Issue.record("\(String(describing: refused.end))")
                return
            }
            #expect(seconds.map { $0 > 0 } == true && last.isOpen)
        }

        @Test func tooManyConnections() throws {
            let bench = try Bench()
            defer { bench.loop.close() }
            let server = try bench.serve { $0.connectionCountMax = 2 }
            let listeners = try (0..<3).map { _ in try Listener(server, "/ws", on: bench.loop) }
            bench.drive { listeners.count { $0.isOpen } == 2 && listeners.contains { $0.end != nil } }
            #expect(listeners.compactMap { $0.end?.error } == [.upgradeRefused(status: 503)])
        }

        /// Pings carry the time and are answered; who does not answer is closed.
        @Test func pings() throws {
            let bench = try Bench()
            defer { bench.loop.close() }
            let server = try bench.serve(symbols: ["ETHUSDT"], options: fast(200))
            let alive = try Listener(server, "/ws", on: bench.loop)
            let deaf = RawClient(server.port, path: "/ws")
            bench.drive { alive.pings.count > 5 && deaf.read().contains("Pong timeout") }
            #expect(alive.pings.allSatisfy { $0.count == 13 && Int64($0) != nil })
            #expect(alive.isOpen)
            #expect(deaf.received.contains(0x88) && server.counters.venue.pongTimeoutCount == 1)
        }

        @Test func endOfLife() throws {
            let bench = try Bench()
            defer { bench.loop.close() }
            let server = try bench.serve(symbols: ["ETHUSDT"], options: fast(100)) {
                $0.connectionLifeUs = 20_000_000
            }
            let listener = try Listener(server, "/ws", on: bench.loop)
            bench.drive { listener.end != nil }
            #expect(ends(listener) == "1001 ")
        }

        @Test func shutdown() throws {
            let bench = try Bench()
            defer { bench.loop.close() }
            let server = try bench.serve()
            let raw = try Listener(server, "/ws", on: bench.loop)
            let combined = try Listener(server, "/stream", on: bench.loop)
            bench.drive { raw.isOpen && combined.isOpen }
            server.shutDown()
            bench.drive { raw.end != nil && combined.end != nil }
            #expect(raw.texts.last?.hasPrefix(#"{"e":"serverShutdown","E":"#) == true)
            #expect(combined.texts.last?.hasPrefix(#"{"stream":"!serverShutdown","data":{"e":"#) == true)
            #expect(ends(raw) == "1001 " && server.counters.connectionCount == 0)
        }

        @Test func slowClient() throws {
            let bench = try Bench()
            defer { bench.loop.close() }
            var options = fast(200)
            options.queuedBytesMax = 100_000
            let server = try bench.serve(options: options)
            let slow = RawClient(server.port, path: "/ws/btcusdt@depth/ethusdt@depth20/btcusdt@depth20")
            let other = try Listener(server, "/ws/btcusdt@depth", on: bench.loop)
            bench.drive { other.isOpen }
            bench.drive(forAtMostMs: 8_000) { server.counters.slowCount == 1 }
            #expect(slow.received.isEmpty && other.isOpen && server.counters.connectionCount == 1)
        }

        /// A connection that has vanished neither sends nor answers nor ends.
        @Test func vanished() throws {
            let bench = try Bench()
            defer { bench.loop.close() }
            let server = try bench.serve(options: fast(10))
            let listener = try Listener(server, "/ws/btcusdt@depth", on: bench.loop)
            bench.drive { listener.texts.count > 3 }
            server.faults[.vanish] = FaultPlan.certain
            bench.drive { server.counters.venue[.vanish] == 1 }
            bench.rest(ms: 150)
            let count = listener.texts.count
            _ = listener.client?.ping([1])
            bench.rest(ms: 150)
            #expect(listener.texts.count == count && listener.pongCount == 0 && listener.isOpen)
        }

        /// Everything goes wrong at once, and the server outlives it.
        @Test func allFaults() throws {
            let bench = try Bench()
            defer { bench.loop.close() }
            var plan = FaultPlan.all
            for fault in Fault.allCases { plan[fault] = min(plan[fault] * 20, FaultPlan.certain / 4) }
            let server = try bench.serve(options: fast(40)) { $0.faults = plan }
            var listeners: [Listener] = []
            let names = "btcusdt@depth/ethusdt@depth20/btcusdt@bookTicker"
            func struck() -> [Fault] { Fault.allCases.filter { server.counters.venue[$0] > 0 } }
            func isEnough() -> Bool {
                listeners.contains { $0.end != nil } && server.counters.messageCount > 500
                    && struck().count > 10
            }
            // More turns where the machine has little time for each.
            for turn in 0..<500 where turn < 50 || !isEnough() {
                if listeners.count(where: { $0.end == nil }) < 4 {
                    listeners.append(try Listener(server, "/stream?streams=\(names)", on: bench.loop))
                }
                if turn % 6 == 0 {
                    _ = try? bench.get(server, "/api/v3/depth?symbol=BTCUSDT", isPatient: false)
                }
                bench.rest(ms: 12)
            }
            #expect(isEnough(), "\(server.counters.messageCount) messages, \(struck())")
            server.faults = .none
            let calm = try Listener(server, "/ws/ethusdt@depth", on: bench.loop)
            bench.drive(forAtMostMs: 5_000) { calm.texts.count > 3 || calm.end != nil }
        }
    }
}
