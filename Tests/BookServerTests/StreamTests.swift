// Streams of the server.

import BinanceVenue
import MarketData
import Testing

@testable import BookServer

extension ServerTests {
    /// What comes through is what the venue sent, byte for byte, whatever wrapper the client wants.
    @Test func updatesArePassedOnByteForByte() throws {
        let stack = try Stack()
        defer { stack.stop() }
        _ = try stack.depth("SIM0USDT")
        let direct = try stack.listen("/ws/sim0usdt@depth@100ms", port: stack.venue.port)
        stack.drive { direct.texts.count > 2 }
        let bare = try stack.listen("/ws/sim0usdt@depth@100ms")
        let wrapped = try stack.listen("/stream?streams=sim0usdt@depth@100ms/sim1usdt@depth")
        stack.drive { bare.texts.count >= 40 && wrapped.texts.count >= 80 }
        let last = bare.texts.last!
        stack.drive { direct.texts.contains(last) }
        let sent = Set(direct.texts)
        #expect(bare.texts.allSatisfy(sent.contains))
        let opening = "{\"stream\":\"sim0usdt@depth@100ms\",\"data\":"
        let own = wrapped.texts.filter { $0.hasPrefix(opening) }.map {
            $0.dropFirst(opening.count).dropLast()
        }
        #expect(own.count > 20 && own.allSatisfy { text in sent.contains(String(text)) || text > last })
        #expect(wrapped.texts.contains { $0.hasPrefix("{\"stream\":\"sim1usdt@depth\",\"data\":") })
        #expect(stack.server.counters.bridgeCount == 0)
    }

    @Test func controlMessagesAreAnswered() throws {
        let stack = try Stack()
        defer { stack.stop() }
        _ = try stack.depth("SIM0USDT")
        let client = try stack.listen("/ws")
        stack.drive { client.isOpen }
        client.send("{\"method\":\"SUBSCRIBE\",\"params\":[\"sim0usdt@depth\",\"nosuch@depth\"],\"id\":1}")
        stack.drive { client.texts.contains("{\"result\":null,\"id\":1}") }
        stack.drive { client.texts.contains { $0.hasPrefix("{\"e\":\"depthUpdate\"") } }
        client.send("{\"method\":\"LIST_SUBSCRIPTIONS\",\"id\":2}")
        stack.drive {
            client.texts.contains("{\"result\":[\"sim0usdt@depth\",\"nosuch@depth\"],\"id\":2}")
        }
        client.send("{\"method\":\"SET_PROPERTY\",\"params\":[\"combined\",true],\"id\":3}")
        stack.drive { client.texts.contains { $0.hasPrefix("{\"stream\":\"sim0usdt@depth\"") } }
        client.send("{\"method\":\"GET_PROPERTY\",\"params\":[\"combined\"],\"id\":4}")
        stack.drive { client.texts.contains("{\"result\":true,\"id\":4}") }
        client.send("{\"method\":\"UNSUBSCRIBE\",\"params\":[\"sim0usdt@depth\"],\"id\":5}")
        stack.drive { client.texts.contains("{\"result\":null,\"id\":5}") }
    }

    @Test(arguments: [Market.spot, .usdm, .coinm]) func partialsAndTickersAreMade(_ market: Market) throws {
        let stack = try Stack(market)
        defer { stack.stop() }
        _ = try stack.depth(stack.symbols[0])
        let name = stack.symbols[0].lowercasedASCII
        let client = try stack.listen("/stream?streams=\(name)@depth5@100ms/\(name)@bookTicker")
        let partial = "{\"stream\":\"\(name)@depth5@100ms\",\"data\":"
        let ticker = "{\"stream\":\"\(name)@bookTicker\",\"data\":"
        stack.drive {
            client.texts.count { $0.hasPrefix(partial) } > 3
                && client.texts.count { $0.hasPrefix(ticker) } > 3
        }
        var parser = MessageParser()
        for text in client.texts {
            let kind = try parser.parse(Array(text.utf8).span, market: market)
            #expect(kind == (text.hasPrefix(partial) ? .partialDepth : .bookTicker))
            if kind == .partialDepth {
                #expect(parser.snapshot.bids.count == 5 && parser.snapshot.asks.count == 5)
            }
        }
    }
}
