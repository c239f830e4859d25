// The streams over real sockets: paths, shapes, control messages.

import Testing

@testable import ExchangeServer

extension ExchangeTests {
    @Suite struct Streams {
        @Test func rawAndCombined() throws {
            let bench = try Bench()
            let server = try bench.serve()
            let raw = try Listener(server, "/ws/btcusdt@depth@100ms", on: bench.loop)
            let combined = try Listener(
                server, "/stream?streams=btcusdt%40depth/ethusdt@bookTicker", on: bench.loop)
            bench.drive { raw.texts.count > 5 && combined.texts.count > 10 }
            #expect(raw.texts.allSatisfy { $0.hasPrefix(#"{"e":"depthUpdate","E":"#) })
            let kinds = Set(combined.texts.map { $0.prefix { $0 != "," } })
            #expect(kinds == [#"{"stream":"btcusdt@depth""#, #"{"stream":"ethusdt@bookTicker""#])
        }
    }
}
