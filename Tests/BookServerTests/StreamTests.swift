// Streams of the server.

import BinanceVenue
import MarketData
import Testing
import VenueSupport

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
        let wrapped = try stack.listen("/stream?streams=sim0usdt@depth@100ms/sim1usdt@depth@100ms")
        stack.drive { bare.texts.count >= 40 && wrapped.texts.count >= 80 }
        let last = bare.texts.last!
        stack.drive { direct.texts.contains(last) }
        let sent = Set(direct.texts)
        // The first is the last one before, once more.
        #expect(bare.texts.dropFirst().allSatisfy(sent.contains))
        let opening = "{\"stream\":\"sim0usdt@depth@100ms\",\"data\":"
        let own = wrapped.texts.filter { $0.hasPrefix(opening) }.map {
            $0.dropFirst(opening.count).dropLast()
        }
        #expect(own.count > 20)
        #expect(own.dropFirst().allSatisfy { text in sent.contains(String(text)) || text > last })
        #expect(wrapped.texts.contains { $0.hasPrefix("{\"stream\":\"sim1usdt@depth@100ms\",\"data\":") })
        #expect(stack.server.counters.bridgeCount == 0)
    }

    @Test func controlMessagesAreAnswered() throws {
        let stack = try Stack()
        defer { stack.stop() }
        _ = try stack.depth("SIM0USDT")
        let client = try stack.listen("/ws")
        stack.drive { client.isOpen }
        client.send(
            "{\"method\":\"SUBSCRIBE\",\"params\":[\"sim0usdt@depth@100ms\",\"nosuch@depth\"],\"id\":1}")
        stack.drive { client.texts.contains("{\"result\":null,\"id\":1}") }
        stack.drive { client.texts.contains { $0.hasPrefix("{\"e\":\"depthUpdate\"") } }
        client.send("{\"method\":\"LIST_SUBSCRIPTIONS\",\"id\":2}")
        stack.drive {
            client.texts.contains("{\"result\":[\"sim0usdt@depth@100ms\",\"nosuch@depth\"],\"id\":2}")
        }
        client.send("{\"method\":\"SET_PROPERTY\",\"params\":[\"combined\",true],\"id\":3}")
        stack.drive { client.texts.contains { $0.hasPrefix("{\"stream\":\"sim0usdt@depth@100ms\"") } }
        client.send("{\"method\":\"GET_PROPERTY\",\"params\":[\"combined\"],\"id\":4}")
        stack.drive { client.texts.contains("{\"result\":true,\"id\":4}") }
        client.send("{\"method\":\"UNSUBSCRIBE\",\"params\":[\"sim0usdt@depth@100ms\"],\"id\":5}")
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

    /// The literal rule of the futures' page holds for whoever opens the stream and asks for the book: the
    /// first update that is not too old has U <= lastUpdateId <= u.
    @Test func theLiteralRuleOfTheFuturesHolds() throws {
        let stack = try Stack(.usdm)
        defer { stack.stop() }
        _ = try stack.depth(stack.symbols[0])
        var parser = MessageParser()
        for _ in 0..<10 {
            let client = try stack.listen("/public/ws/sim0usdt@depth@100ms")
            stack.drive("an update at once") { !client.texts.isEmpty }
            let answer = try stack.depth("SIM0USDT", limit: 5)
            try parser.parseSnapshot(answer.body.span)
            let id = parser.snapshot.lastUpdateID
            var ranges: [ClosedRange<Int64>] = []
            stack.drive("an update that is not too old") {
                for text in client.texts.dropFirst(ranges.count) {
                    _ = try? parser.parse(Array(text.utf8).span, market: .usdm)
                    ranges.append(parser.update.first.value...parser.update.last.value)
                }
                return ranges.last.map { $0.upperBound >= id.value } ?? false
            }
            let first = ranges.first { $0.upperBound >= id.value }
            #expect(first?.contains(id.value) == true)
            client.close()
        }
    }

    /// Streams that are slower than the one that is followed: fewer messages, chained by themselves, and the
    /// same book in the end.
    @Test func slowerStreamsAreSummaries() throws {
        let stack = try Stack(.usdm)
        defer { stack.stop() }
        _ = try stack.depth(stack.symbols[0])
        let fast = try stack.listen("/ws/sim0usdt@depth@100ms")
        let slow = try stack.listen("/ws/sim0usdt@depth")
        stack.drive { slow.texts.count >= 4 }
        #expect(fast.texts.count > 2 * slow.texts.count)
        var parser = MessageParser()
        var last: UpdateID?
        for text in slow.texts {
            let kind = try parser.parse(Array(text.utf8).span, market: .usdm)
            #expect(kind == .depthUpdate && (last == nil || parser.update.previousLast == last))
            last = parser.update.last
        }
    }

    @Test func timesAreInTheUnitThatIsAskedFor() throws {
        let stack = try Stack()
        defer { stack.stop() }
        _ = try stack.depth(stack.symbols[0])
        let digits = { (text: String) in
            text.firstRange(of: "\"E\":").map { text[$0.upperBound...].prefix { $0.isNumber }.count }
        }
        let fine = try stack.listen("/ws/sim0usdt@depth@100ms?timeUnit=microsecond")
        let coarse = try stack.listen("/stream?streams=sim0usdt@depth@100ms&timeUnit=MILLISECOND")
        stack.drive { fine.texts.count > 3 && coarse.texts.count > 3 }
        #expect(fine.texts.allSatisfy { digits($0) == 16 })
        #expect(coarse.texts.allSatisfy { digits($0) == 13 })
    }

    @Test func theBestPricesOfEverySymbolComeTogether() throws {
        let stack = try Stack(.usdm, symbolCount: 3)
        defer { stack.stop() }
        for symbol in stack.symbols { _ = try stack.depth(symbol) }
        let client = try stack.listen("/ws/!bookTicker")
        stack.drive {
            stack.symbols.allSatisfy { symbol in client.texts.contains { $0.contains("\"s\":\"\(symbol)\"") }
            }
        }
        #expect(client.texts.count == 3)
    }

    /// Who comes later gets at once what the others have.
    @Test func latecomersSeeTheStateAtOnce() throws {
        let stack = try Stack(speed: 0.2)
        defer { stack.stop() }
        _ = try stack.depth(stack.symbols[0])
        for name in ["sim0usdt@depth5", "sim0usdt@bookTicker", "sim0usdt@depth20@100ms"] {
            let clients = try (0..<3).map { _ in
                let client = try stack.listen("/ws/\(name)")
                stack.drive(forAtMostMs: 900, "\(name) at once") { !client.texts.isEmpty }
                return client
            }
            #expect(clients.allSatisfy { $0.isOpen })
        }
    }
}
