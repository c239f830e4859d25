// The streams over real sockets: paths, shapes, control messages, and frames that are the venue's own.

import BinanceVenue
import LobTransport
import MarketData
import SimulatedExchange
import Testing
import VenueSupport

@testable import ExchangeServer

/// Control messages in a row on one connection, and what their answers begin with.
private let exchanges = [
    (
        #"{"method":"SUBSCRIBE","params":["btcusdt@depth@100ms","x@depth"],"id":1}"#,
        #"{"result":null,"id":1}"#
    ),
    (
        #"{"method":"LIST_SUBSCRIPTIONS","id":"a-1"}"#,
        #"{"result":["btcusdt@depth@100ms","x@depth"],"id":"a-1"}"#
    ),
    (
        #"{"method":"SUBSCRIBE","params":["BTCUSDT@depth"],"id":null}"#,
        #"{"result":null,"id":null}"#
    ),
    (
        #"{"method":"UNSUBSCRIBE","params":["x@depth","y@depth"],"id":-2}"#,
        #"{"result":null,"id":-2}"#
    ),
    (
        #"{"method":"LIST_SUBSCRIPTIONS","params":[],"id":3}"#,
        #"{"result":["btcusdt@depth@100ms","BTCUSDT@depth"],"id":3}"#
    ),
    (#"{"method":"GET_PROPERTY","params":["combined"],"id":4}"#, #"{"result":false,"id":4}"#),
    (#"{"method":"SET_PROPERTY","params":["combined",true],"id":5}"#, #"{"result":null,"id":5}"#),
    (#"{"method":"GET_PROPERTY","params":["combined"],"id":6}"#, #"{"result":true,"id":6}"#),
    (
        #"{"method":"SET_PROPERTY","params":["combined",1],"id":7}"#,
        #"{"code":1,"msg":"Invalid value type: expected Boolean","id":7}"#
    ),
    (
        #"{"method":"SET_PROPERTY","params":["other",true],"id":8}"#,
        #"{"code":0,"msg":"Unknown property","id":8}"#
    ),
    (
        #"{"method":"GET_PROPERTY","params":[5],"id":9}"#,
        #"{"code":2,"msg":"Invalid request: property name must be a string","id":9}"#
    ),
    (
        #"{"method":"LIST_SUBSCRIPTIONS","params":["x"],"id":10}"#,
        #"{"code":2,"msg":"Invalid request: too many parameters","id":10}"#
    ),
    (
        #"{"method":"PING","id":11}"#,
        "{\"code\":2,\"msg\":\"Invalid request: unknown variant `PING`,"
    ),
    (
        #"{"params":[],"id":12}"#,
        "{\"code\":2,\"msg\":\"Invalid request: missing field `method` at line 1 column 21\",\"id\":12}"
    ),
    (
        #"{"method":"LIST_SUBSCRIPTIONS","id":1.5}"#,
        #"{"code":2,"msg":"Invalid request: request ID must be an unsigned integer","id":null}"#
    ),
    ("hello", #"{"code":3,"msg":"Invalid JSON: expected value at line 1 column 0","id":null}"#),
]

extension ExchangeTests {
    @Suite struct Streams {
        @Test func rawAndCombined() throws {
            let bench = try Bench()
            defer { bench.loop.close() }
            let server = try bench.serve()
            let raw = try Listener(server, "/ws/btcusdt@depth@100ms", on: bench.loop)
            let combined = try Listener(
                server, "/stream?streams=btcusdt%40depth/ethusdt@bookTicker", on: bench.loop)
            bench.drive { raw.texts.count > 5 && combined.texts.count > 10 }
            #expect(raw.texts.allSatisfy { $0.hasPrefix(#"{"e":"depthUpdate","E":"#) })
            let kinds = Set(combined.texts.map { $0.prefix { $0 != "," } })
            #expect(kinds == [#"{"stream":"btcusdt@depth""#, #"{"stream":"ethusdt@bookTicker""#])
        }

        /// What comes over the socket is a run of what the venue alone would have sent, byte for byte.
        @Test(arguments: Market.allCases) func framesAreTheVenues(_ market: Market) throws {
            let bench = try Bench()
            defer { bench.loop.close() }
            var options = ExchangeServer.Options()
            options.speed = 10
            let server = try bench.serve(market, options: options) { $0.honoursSpeeds = true }
            // At the flow's own pace: what a slower stream gathers first depends on when somebody came.
            let pace = market == .spot ? "100ms" : "0ms"
            let names = ["btcusdt@depth@\(pace)", "ethusdt@depth20@\(pace)", "btcusdt@bookTicker"]
            let prefix = market == .usdm ? "/public" : ""
            let heard = try Listener(
                server, prefix + "/stream?streams=" + names.joined(separator: "/"), on: bench.loop)
            bench.drive { heard.texts.count > 60 }
            var twin = Venue(server.withVenue { $0.configuration })
            let connection = try twin.connect(names, isCombined: true)
            twin.advance(toUs: server.withVenue { $0.nowUs } + 1)
            var all: [String] = []
            twin.poll(connection) { if $1 == .text { all.append(String(decoding: $2.array, as: UTF8.self)) } }
            // Tickers of the update under way when the client came had nobody to show them to.
            let texts = heard.texts.drop { !$0.contains("btcusdt@depth@") }
            let start = try #require(all.firstIndex(of: texts.first ?? ""))
            #expect(texts.count > 40 && texts.count <= all.count - start)
            #expect(all[start...].prefix(texts.count) == texts)
        }

        @Test func microseconds() throws {
            let bench = try Bench()
            defer { bench.loop.close() }
            let spot = try bench.serve()
            let usdm = try bench.serve(.usdm)
            let path = "/stream?streams=btcusdt@depth&timeUnit="
            let micro = try Listener(spot, path + "MICROSECOND", on: bench.loop)
            let lower = try Listener(spot, path + "microsecond", on: bench.loop)
            let milli = try Listener(spot, path + "MILLISECOND", on: bench.loop)
            let futures = try Listener(usdm, path + "MICROSECOND", on: bench.loop)
            let all = [micro, lower, milli, futures]
            bench.drive { all.allSatisfy { !$0.texts.isEmpty } }
            let digits = all.map { listener in
                listener.texts[0].split(separator: "\"E\":")[1].prefix { $0.isNumber }.count
            }
            #expect(digits == [16, 16, 13, 13])
        }

        /// Paths, and the status that refuses them; nil opens. `true` delivers.
        @Test func paths() throws {
            let bench = try Bench()
            defer { bench.loop.close() }
            let spot = try bench.serve()
            let usdm = try bench.serve(.usdm)
            let coinm = try bench.serve(.coinm)
            let table: [(server: ExchangeServer, path: String, status: Int?, delivers: Bool)] = [
                (spot, "/ws", nil, false), (spot, "/ws/", nil, false), (spot, "/stream", nil, false),
                (spot, "/ws/btcusdt@depth/ethusdt@depth", nil, true),
                (spot, "/ws/btcusdt%40depth", nil, true),
                (spot, "/stream?streams=", nil, false), (spot, "/stream?streams=BTCUSDT@depth", nil, false),
                (spot, "/public/ws/btcusdt@depth", 404, false), (spot, "/", 404, false),
                (spot, "/ws-api/v3", 404, false), (spot, "/stream/btcusdt@depth", 404, false),
                (usdm, "/public/ws/btcusdt@depth", nil, true), (usdm, "/ws/btcusdt@depth", nil, true),
                (usdm, "/public/stream?streams=btcusdt@depth", nil, true),
                (usdm, "/stream?streams=btcusdt@depth", nil, true),
                (usdm, "/market/stream?streams=btcusdt@depth", nil, false),
                (usdm, "/market/ws/btcusdt@markPrice", nil, false), (usdm, "/private/ws", nil, false),
                (coinm, "/ws/btcusdt@depth", nil, true), (coinm, "/public/ws/btcusdt@depth", 404, false),
            ]
            let listeners = try table.map { try Listener($0.server, $0.path, on: bench.loop) }
            bench.drive {
                zip(table, listeners).allSatisfy { row, listener in
                    row.status != nil
                        ? listener.end != nil : row.delivers ? listener.texts.count > 1 : listener.isOpen
                }
            }
            bench.rest(ms: 80)
            for (row, listener) in zip(table, listeners) {
                let error = row.status.map { TransportError.upgradeRefused(status: $0) }
                #expect(listener.end?.error == error, "\(row.path)")
                #expect(!listener.texts.isEmpty == row.delivers, "\(row.path)")
            }
            #expect(spot.counters.refusedCount == 4 && spot.counters.connectedCount == 7)
        }

        @Test func controlMessages() throws {
            let bench = try Bench()
            defer { bench.loop.close() }
            let server = try bench.serve()
            // Five messages a second are allowed, so a second passes quickly here.
            var options = ExchangeServer.Options()
            options.speed = 50
            let fast = try bench.serve(symbols: ["ETHUSDT"], options: options)
            let listener = try Listener(fast, "/ws", on: bench.loop)
            bench.drive { listener.isOpen }
            for (request, answer) in exchanges {
                listener.forget()
                listener.send(request)
                bench.drive(nil) { !listener.replies.isEmpty }
                #expect(listener.replies.first?.hasPrefix(answer) == true, "\(request): \(listener.replies)")
                bench.rest(ms: 10)
            }
            #expect(fast.counters.venue.refusalCount == 8 && server.counters.venue.controlCount == 0)
        }

        @Test func wrapperFollowsTheProperty() throws {
            let bench = try Bench()
            defer { bench.loop.close() }
            let server = try bench.serve()
            let listener = try Listener(server, "/ws/btcusdt@depth", on: bench.loop)
            bench.drive { listener.texts.count > 2 }
            listener.send(#"{"method":"SET_PROPERTY","params":["combined",true],"id":1}"#)
            bench.drive {
                listener.texts.contains { $0.hasPrefix(#"{"stream":"btcusdt@depth","data":{"e":"#) }
            }
            listener.send(#"{"method":"UNSUBSCRIBE","params":["btcusdt@depth"],"id":2}"#)
            bench.drive { listener.texts.last == #"{"result":null,"id":2}"# }
            let count = listener.texts.count
            bench.rest(ms: 120)
            #expect(listener.texts.count == count && server.counters.streamCount == 0)
        }
    }
}
