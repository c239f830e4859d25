// Whose pace a request uses up, and what counts towards it.

import LobTransport
import TestSupport
import Testing

@testable import BookServer

extension ServerTests {
    /// Who has no token uses up neither the pace nor the weight of those at the same address who have one, by
    /// whichever road: a page that has moved its name to this machine is there, too.
    @Test func strangersPayForThemselves() throws {
        let token = "0123456789abcdef"
        var options = BookServer.Options()
        options.requestsPerSecondMax = 4
        let stack = try Stack(options: options, tokens: [token])
        defer { stack.stop() }
        let header = HTTPHeader("X-MBX-APIKEY", token)
        var count = 0
        for target in ["/api/v3/ping", "/v1/books", "/health", "/nosuch"] {
            stack.drive("\(target): a pace of its own") {
                let second = LoopClock.monotonicNs / 1_000_000_000
                while LoopClock.monotonicNs / 1_000_000_000 == second {
                    stack.loop.turn(waitAtMostNs: 1_000_000)
                }
                let strangers = (0..<5).map { _ in try? stack.get(target).status }
                let own = try? stack.get("/api/v3/ping", header: header)
                count += 1
                let upgrade = RawClient(stack.server.port, path: "/ws?token=\(token)")
                stack.drive("answered") { !upgrade.read().isEmpty }
                let weight = Int(own?.headers["x-mbx-used-weight-1m"] ?? "") ?? .max
                return strangers.last == 429 && own?.status == 200 && weight <= count
                    && upgrade.read().hasPrefix("HTTP/1.1 101")
            }
        }
    }

    /// An upgrade refused for its pace says when to come back, as every other refusal for that does.
    @Test func refusedUpgradesSayWhenToComeBack() throws {
        let stack = try stack { $0.requestsPerSecondMax = 20 }
        defer { stack.stop() }
        // A second may begin amid them.
        let clients = (0..<60).map { _ in RawClient(stack.server.port, path: "/ws/x@depth") }
        var refused = ""
        stack.drive("refused") {
            refused = clients.lazy.map { $0.read() }.first { $0.hasPrefix("HTTP/1.1 429") } ?? ""
            return !refused.isEmpty
        }
        #expect(refused.lowercased().contains("\r\nretry-after: 1\r\n"), "\(refused)")
    }

    /// Subscribing has a pace, over the path and by messages: each time the state of the stream is sent.
    @Test func subscriptionsHaveAPace() throws {
        let stack = try stack {
            $0.requestsPerSecondMax = 60
            $0.messagesPerSecondMax = 1_000
        }
        defer { stack.stop() }
        let names = (0..<100).map { "x\($0)@depth" }
        let list = names.map { "\"\($0)\"" }.joined(separator: ",")
        var client = try stack.listen("/ws")
        stack.drive { client.isOpen || client.end != nil }
        for _ in 0..<20 where client.end == nil {
            client.send("{\"method\":\"SUBSCRIBE\",\"params\":[\(list)],\"id\":1}")
            client.send("{\"method\":\"UNSUBSCRIBE\",\"params\":[\(list)],\"id\":2}")
        }
        stack.drive("closed") { client.end != nil }
        #expect(client.end?.peerCode == 1008)
        client = try stack.listen("/ws/" + names.joined(separator: "/"))
        stack.drive("refused") {
            if client.end != nil { return true }
            if client.isOpen { client = (try? stack.listen("/ws/" + names.joined(separator: "/"))) ?? client }
            return false
        }
    }
}
