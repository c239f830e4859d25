// Calls that hardly ever fail: each of them fails once here, and nothing but what asked for it is lost.

import CLobTransport
import TestSupport
import Testing

@testable import LobTransport

extension SocketTests {
    @Suite struct Faults {
        private static let answer = "{\"whole\":true}"

        private static func serve(_ loop: EventLoop, _ tls: TLSIdentity?) throws -> HTTPServer {
            var options = HTTPServer.Options()
            options.tls = tls
            var handlers = HTTPServer.Handlers(
                request: { $0.respond(HTTPResponse(json: answer)) },
                upgrade: { _ in
                    .accept { peer in
                        for _ in 0..<5 {
                            let isKept = loop.batch(Array("many".utf8), isText: true).map(peer.send) == true
                            // Who has missed one is not to go on.
                            if !isKept || !peer.send(text: "one") { peer.abort() }
                        }
                        return WebSocketPeer.Handlers()
                    }
                })
            handlers.deflates = { _ in true }
            return try HTTPServer(on: loop, options: options, handlers: handlers)
        }

        /// Servers, clients and look-ups, some of whose memory is missing.
        private func live(_ loop: EventLoop) throws -> HTTPServer {
            let server = try Self.serve(loop, nil)
            let secure = try Self.serve(loop, Certificates.shared.good)
            let asking = RawClient(server.port)
            asking.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            let plain = Diary(try ServiceURL("ws://127.0.0.1:\(server.port)/"), on: loop)
            var (isFetched, isFound) = (false, false)
            let fetch = HTTPFetch(
                try ServiceURL("https://localhost:\(secure.port)/"), on: loop,
                handlers: .init(body: { _ in }, finished: { _ in isFetched = true }))
            loop.resolve("localhost") { _ in isFound = true }
            drive(loop) {
                let isAnswered = asking.read().hasSuffix(Self.answer)
                return isFetched && isFound && (plain.end != nil || plain.messages.count == 10)
                    && (asking.hasServerHungUp || isAnswered)
            }
            plain.client?.abort()
            _ = fetch
            return server
        }

        /// Without memory for one thing the others go on, and a later client is served.
        @Test func eachAllocationMayFail() throws {
            var options = EventLoop.Options()
            options.authorityPath = Certificates.shared.authorityPath
            var failedCount = 0
            for number in UInt64(1)... {
                _ = ct_let_fail(CT_NO_MEMORY, number, number)
                defer { _ = ct_let_fail(CT_NO_MEMORY, 0, 0) }
                let loop: EventLoop
                do throws(TransportError) {
                    loop = try EventLoop(options)
                } catch {
                    failedCount += 1
                    continue
                }
                defer { loop.close() }
                let server: HTTPServer
                do {
                    server = try live(loop)
                } catch is TransportError {
                    failedCount += 1
                    continue
                }
                if ct_let_fail(CT_NO_MEMORY, 0, 0) < number { break }
                failedCount += 1
                let client = RawClient(server.port)
                client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                drive(loop, [], "after failure \(number)") { client.read().hasSuffix(Self.answer) }
            }
            #expect((25...200).contains(failedCount))
        }

        /// The finer wait is tried once where it is not known.
        @Test func theFineWaitIsTriedOnce() throws {
            try withLoop { loop in
                let server = try Self.serve(loop, nil)
                _ = ct_let_fail(CT_NO_FINE_WAIT, 1, .max)
                defer { _ = ct_let_fail(CT_NO_FINE_WAIT, 0, 0) }
                let startNs = monotonicNs()
                for _ in 0..<10 { loop.turn(waitAtMostNs: 1_500_000) }
                #expect(monotonicNs() - startNs >= 10_000_000)
                let client = RawClient(server.port)
                client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                drive(loop) { client.read().hasSuffix(Self.answer) }
                #expect(ct_let_fail(CT_NO_FINE_WAIT, 0, 0) == 1)
            }
        }
    }
}
