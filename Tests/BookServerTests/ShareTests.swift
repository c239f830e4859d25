// What one owner of addresses may have of a server, so that another finds room.

import MarketData
import TestSupport
import Testing
import VenueSupport

@testable import BookServer

extension ServerTests {
    /// Connections that never ask anything take no more than their share; those that go make room.
    @Test func connectionsAreCounted() throws {
        let stack = try stack { $0.connectionCountMax = 6 }
        defer { stack.stop() }
        for _ in 0..<3 {
            var idle = (0..<12).map { _ in RawClient(stack.server.port) }
            let refusedCount = {
                idle.count { client in
                    client.read()
                    return client.hasServerHungUp
                }
            }
            stack.drive("turned away") { refusedCount() >= 6 }
            idle = []
            var isAnswered = false
            stack.drive("room again") {
                isAnswered = (try? stack.get("/api/v3/ping").status) == 200
                return isAnswered
            }
        }
    }

    /// One address leaves room for others: of clients, and of event streams.
    @Test func anAddressHasItsShare() throws {
        let stack = try stack {
            $0.clientCountMax = 20
            // Two clients, and six event streams.
            $0.loopbackPercentMax = 10
        }
        defer { stack.stop() }
        let first = try [stack.listen("/ws"), stack.listen("/ws-api/v3")]
        stack.drive { first.allSatisfy(\.isOpen) }
        let third = RawClient(stack.server.port, path: "/ws")
        stack.drive("refused") { third.read().hasPrefix("HTTP/1.1 503") }
        first[0].close()
        stack.drive("room again") {
            let next = RawClient(stack.server.port, path: "/ws")
            stack.drive { !next.read().isEmpty }
            return next.read().hasPrefix("HTTP/1.1 101")
        }
        let head = "GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n"
        let events = RawClient(stack.server.port, head: head)
        stack.drive("events") { events.read().contains("event: top") }
        let more = (0..<EventHub.clientCountMax / 10).map { _ in RawClient(stack.server.port, head: head) }
        stack.drive("refused") {
            more.allSatisfy { !$0.read().isEmpty } && more.contains { $0.read().contains("tooManyStreams") }
        }
        #expect(more.count { $0.read().contains("tooManyStreams") } == 1)
    }

    /// Streams are shared: those that one owner has given back are free again.
    @Test func anOwnerHasItsShareOfStreams() throws {
        let stack = try stack {
            $0.streamTotalMax = 40
            $0.loopbackPercentMax = 10
        }
        defer { stack.stop() }
        let first = try stack.listen("/ws/a@depth/b@depth/c@depth")
        stack.drive { first.isOpen }
        let second = try stack.listen("/ws/a@depth/b@depth")
        stack.drive("refused") { second.end != nil }
        first.send("{\"method\":\"UNSUBSCRIBE\",\"params\":[\"b@depth\",\"x@depth\"],\"id\":1}")
        stack.drive { first.texts.contains("{\"result\":null,\"id\":1}") }
        let third = try stack.listen("/ws/a@depth/b@depth")
        stack.drive("room again") { third.isOpen }
        first.send("{\"method\":\"LIST_SUBSCRIPTIONS\",\"id\":2}")
        stack.drive("in order") { first.texts.contains("{\"result\":[\"a@depth\",\"c@depth\"],\"id\":2}") }
        first.send("{\"method\":\"SUBSCRIBE\",\"params\":[\"b@depth\"],\"id\":3}")
        stack.drive("closed") { first.end != nil }
        #expect(first.end?.peerCode == 1008 && third.isOpen)
        stack.drive("given back") { stack.server.counters.streamCount == 2 }
    }

    /// One owner has less than all may that wait: long answers are refused, short ones are not.
    @Test func anOwnerHasItsShareOfWhatWaits() throws {
        let stack = try stack {
            $0.queuedBytesTotalMax = 8 << 20
            $0.queuedBytesMin = 8 << 20
            $0.loopbackPercentMax = 5
        }
        defer { stack.stop() }
        let text = Array(
            "{\"id\":1,\"method\":\"depth\",\"params\":{\"symbol\":\"SIM0USDT\",\"limit\":5000}}".utf8)
        let question = [0x81, 0x80 | UInt8(text.count), 0, 0, 0, 0] + text
        var slow: RawClient? = RawClient(stack.server.port, path: "/ws-api/v3")
        stack.drive("open") { slow?.read().contains(" 101 ") == true }
        var status = 200
        stack.drive("refused") {
            for _ in 0..<4 { slow?.send(bytes: question) }
            status = (try? stack.get("/v1/books").status) ?? 0
            return status == 503
        }
        let waiting = stack.server.counters
        #expect(waiting.queuedBytes < 4 << 20, "\(waiting)")
        #expect(try stack.get("/api/v3/depth?symbol=SIM0USDT").text.contains("-1008"))
        #expect(try stack.get("/api/v3/ping").status == 200)
        slow = nil
        stack.drive("room again") { (try? stack.get("/v1/books").status) == 200 }
    }
}
