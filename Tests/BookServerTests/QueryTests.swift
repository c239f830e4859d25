// The venue's WebSocket API: what REST says in headers is said in the message.

import BookService
import LobTransport
import MarketData
import Testing
import VenueSupport

@testable import BookServer

/// A client that asks one question after the other.
private final class Inquirer {
    private let stack: Stack
    private let listener: Listener

    init(_ stack: Stack, port: Int? = nil) throws {
        self.stack = stack
        listener = try stack.listen("/ws-api/v3", port: port)
        stack.drive("open") { [listener] in listener.isOpen }
    }

    /// The answer to a depth request.
    func depth(limit: Int) -> String {
        let count = listener.texts.count
        listener.send(
            "{\"id\":1,\"method\":\"depth\",\"params\":{\"symbol\":\"SIM0USDT\",\"limit\":\(limit)}}")
        stack.drive("an answer") { listener.texts.count > count }
        return listener.texts.last ?? ""
    }
}

extension ServerTests {
    /// A refusal for too much weight says when to come back.
    @Test func queriesAreToldWhenToComeBack() throws {
        let stack = try stack { $0.isWeightLimited = true }
        defer { stack.stop() }
        let inquirer = try Inquirer(stack)
        var answer = ""
        for _ in 0..<40 where !answer.contains("\"status\":429") { answer = inquirer.depth(limit: 5_000) }
        #expect(answer.contains("\"error\":{\"code\":-1003,\"msg\":"), "\(answer)")
        let time = { (name: String) -> Int in
            guard let part = answer.split(separator: "\"\(name)\":").dropFirst().first else { return 0 }
            return Int(part.prefix { $0.isNumber }) ?? 0
        }
        let waitMs = time("retryAfter") - time("serverTime")
        #expect((1...60_000).contains(waitMs) && time("serverTime") > 1_700_000_000_000, "\(answer)")
        #expect(answer.contains("},\"rateLimits\":["), "\(answer)")
    }
}
