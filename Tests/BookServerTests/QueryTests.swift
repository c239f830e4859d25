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
    /// An answer that ends because no more is proven says so, as REST does in a header.
    @Test func queriesAreToldWhereTheProvenEnds() throws {
        let stack = try stack { _ in }
        defer { stack.stop() }
        var configuration = quick(.spot, port: stack.venue.port, stack.symbols)
        // The books of the venue are deeper.
        configuration.depth = 100
        let service = try BookService(configuration)
        defer { _ = service.stop() }
        let server = try BookServer(service)
        defer { server.stop() }
        var answer = Answer()
        stack.drive("a book") {
            let target = "/api/v3/depth?symbol=SIM0USDT&limit=5000"
            answer = (try? stack.get(target, port: server.port)) ?? Answer()
            return answer.status == 200
        }
        #expect(answer.headers["x-lob-depth-limit"] != nil && !answer.text.contains("lob"))
        let inquirer = try Inquirer(stack, port: server.port)
        let (cut, whole) = (inquirer.depth(limit: 5_000), inquirer.depth(limit: 5))
        let end = try #require(cut.split(separator: "]],\"lobDepthLimit\":").dropFirst().first)
        #expect((1..<400).contains(Int(end.prefix { $0.isNumber }) ?? 0), "\(end)")
        #expect(end.contains("},\"rateLimits\":["))
        #expect(whole.contains("\"status\":200,") && !whole.contains("lob"), "\(whole)")
    }

    /// Where REST calls a stale book by its name, a message could not: it is refused.
    @Test func queriesGetNoStaleBooks() throws {
        let stack = try stack { $0.servesStale = true }
        defer { stack.stop() }
        let inquirer = try Inquirer(stack)
        #expect(inquirer.depth(limit: 5).contains("\"status\":200,"))
        stack.venue.stop()
        stack.drive("stale") {
            let answer = try? stack.get("/api/v3/depth?symbol=SIM0USDT&limit=5")
            return answer?.headers["x-lob-stale"] != nil && answer?.status == 200
        }
        let refusal = inquirer.depth(limit: 5)
        #expect(refusal.contains("\"status\":503,\"error\":{\"code\":-1001,"), "\(refusal)")
    }

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
