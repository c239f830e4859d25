import TestSupport
import Testing

@testable import LobTransport

/// The certificates of this test run, as the identities of servers.
struct Certificates: Sendable {
    static let shared = Certificates()

    let authorityPath: String
    let good: TLSIdentity
    let otherHost: TLSIdentity
    let expired: TLSIdentity
    let selfSigned: TLSIdentity

    private init() {
        let files = CertificateFiles.shared
        func identity(_ pair: CertificateFiles.Pair) -> TLSIdentity {
            TLSIdentity(certificatePath: pair.certificate, keyPath: pair.key)
        }
        authorityPath = files.authority
        (good, otherHost) = (identity(files.good), identity(files.otherHost))
        (expired, selfSigned) = (identity(files.expired), identity(files.selfSigned))
    }
}

private let backends = [WebSocketBackend.native, .libwebsockets]

/// A TLS server that greets; returns its port.
private func greet(
    _ loop: EventLoop, _ tls: TLSIdentity?,
    _ words: [String] = [String(repeating: "x", count: 40000), "hello"]
) throws -> Int {
    var options = HTTPServer.Options()
    options.tls = tls
    return try HTTPServer(
        on: loop, options: options,
        handlers: HTTPServer.Handlers(
            request: { $0.respond(HTTPResponse(json: "{\"ok\":true}")) },
            upgrade: { _ in
                .accept { peer in
                    for word in words { _ = peer.send(text: word) }
                    return WebSocketPeer.Handlers()
                }
            })
    ).port
}

extension SocketTests {
    @Suite struct TLS {
        private func options(_ authority: String? = Certificates.shared.authorityPath) -> EventLoop.Options {
            var options = EventLoop.Options()
            options.authorityPath = authority
            return options
        }

        @Test(arguments: backends) func ownAuthority(_ backend: WebSocketBackend) throws {
            try withLoop(options()) { loop in
                let port = try greet(loop, Certificates.shared.good)
                for host in ["localhost", "127.0.0.1"] {
                    let diary = Diary(try ServiceURL("wss://\(host):\(port)/ws"), on: loop, [backend])
                    drive(loop) { diary.messages.count == 2 || diary.end != nil }
                    #expect(diary.messages.map(\.count) == [40000, 5], "\(host)")
                    diary.client?.close()
                    drive(loop) { diary.end != nil }
                    #expect(diary.error == nil)
                }
            }
        }

        /// Many records lie in what one read brings, and no socket tells of those that wait.
        @Test(arguments: backends) func manyRecordsAtOnce(_ backend: WebSocketBackend) throws {
            try withLoop(options()) { loop in
                let words = (0..<1000).map { "word \($0)" }
                let port = try greet(loop, Certificates.shared.good, words)
                let url = try ServiceURL("wss://localhost:\(port)/ws")
                let diaries = (0..<3).map { _ in Diary(url, on: loop, [backend]) }
                // One of the three hangs up in the middle of what was read ahead.
                diaries[1].onMessage = { if $0.messages.count == 100 { $0.client?.abort() } }
                drive(loop) { diaries[0].messages.count == 1000 && diaries[2].messages.count == 1000 }
                let expected = words.map { Array($0.utf8) }
                let complete = diaries.map { $0.messages == expected }
                #expect(complete == [true, false, true])
                #expect(diaries[1].messages.count == 100)
            }
        }

        @Test(arguments: backends) func refusedCertificates(_ backend: WebSocketBackend) throws {
            let all = Certificates.shared
            for (identity, reason) in [
                (all.otherHost, "hostname mismatch"), (all.expired, "certificate has expired"),
                (all.selfSigned, "self-signed certificate"),
            ] {
                try withLoop(options()) { loop in
                    let port = try greet(loop, identity)
                    let diary = Diary(
                        try ServiceURL("wss://localhost:\(port)/ws"), on: loop, [backend, .libwebsockets])
                    drive(loop) { diary.end != nil }
                    #expect(
                        diary.heard == [
                            .closed(
                                WebSocketEnd(error: .certificateRefused(host: "localhost", reason: reason)))
                        ])
                    #expect(loop.remote.counters.attempts == 1)
                }
            }
        }

        /// Without an authority of its own a loop trusts the system's, which does not know ours.
        @Test func systemRoots() throws {
            try withLoop(options(nil)) { loop in
                let port = try greet(loop, Certificates.shared.good)
                let diary = Diary(try ServiceURL("wss://localhost:\(port)/ws"), on: loop)
                drive(loop) { diary.end != nil }
                guard case .certificateRefused? = diary.error else {
                    Issue.record("\(diary.heard)")
                    return
                }
            }
        }

        @Test func authorityFileMissing() throws {
            try withLoop(options("/nonexistent/ca.pem")) { loop in
                let port = try greet(loop, Certificates.shared.good)
                let diary = Diary(try ServiceURL("wss://localhost:\(port)/ws"), on: loop)
                drive(loop) { diary.end != nil }
                #expect(diary.error == .tlsFailed("no certificate authority in /nonexistent/ca.pem"))
            }
        }

        @Test(arguments: backends) func serverWithoutTLS(_ backend: WebSocketBackend) throws {
            try withLoop(options()) { loop in
                let port = try greet(loop, nil)
                let diary = Diary(try ServiceURL("wss://localhost:\(port)/ws"), on: loop, [backend])
                drive(loop) { diary.end != nil }
                #expect(diary.error == .noTLS(address: "127.0.0.1"))
                #expect("\(diary.error!)" == "the server at 127.0.0.1 does not speak TLS")
            }
        }

        @Test(arguments: [
            "HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}",
        ])
        func otherWordsThanTLS(_ words: String) throws {
            let server = ScriptedServer([.awaitBytes(0), .wait(ms: 2), .text(words), .hang])
            try withLoop(options()) { loop in
                let diary = Diary(try ServiceURL("wss://localhost:\(server.port)/ws"), on: loop)
                drive(loop, [server]) { diary.end != nil }
                #expect(diary.error == .noTLS(address: "127.0.0.1"))
            }
        }

        @Test func hangUpInTheHandshake() throws {
            let server = ScriptedServer([.wait(ms: 5), .hangUp])
            try withLoop(options()) { loop in
                let diary = Diary(try ServiceURL("wss://localhost:\(server.port)/ws"), on: loop)
                drive(loop, [server]) { diary.end != nil }
                guard case .tlsFailed? = diary.error else {
                    Issue.record("\(diary.heard)")
                    return
                }
            }
        }

        @Test(arguments: backends) func clientWithoutTLS(_ backend: WebSocketBackend) throws {
            try withLoop(options()) { loop in
                let port = try greet(loop, Certificates.shared.good)
                let diary = Diary(try ServiceURL("ws://localhost:\(port)/ws"), on: loop, [backend])
                drive(loop) { diary.end != nil }
                #expect(diary.error == .unansweredInPlain)
                #expect("\(diary.error!)".hasSuffix("the URL begins with wss:// or https://"))
            }
        }

        @Test(arguments: backends) func handshakeThatNeverEnds(_ backend: WebSocketBackend) throws {
            let server = ScriptedServer([.hang])
            try withLoop(options()) { loop in
                let url = try ServiceURL("wss://localhost:\(server.port)/ws")
                let diary = Diary(url, on: loop, [backend]) { $0.openLimitMs = 100 }
                drive(loop, [server], forAtMostMs: 1000) { diary.end != nil }
                #expect(diary.error == .timedOut(afterMs: 100))
            }
        }

        @Test func fetch() throws {
            try withLoop(options()) { loop in
                let port = try greet(loop, Certificates.shared.good)
                var body: [UInt8] = []
                var end: TransportError??
                let fetch = HTTPFetch(
                    try ServiceURL("https://localhost:\(port)/"), on: loop,
                    handlers: .init(body: { body += $0.bytes }, finished: { end = .some($0) }))
                drive(loop) { end != nil }
                #expect(String(decoding: body, as: UTF8.self) == "{\"ok\":true}" && end == .some(nil))
                _ = fetch
            }
        }

        @Test func identityThatDoesNotFit() throws {
            let all = Certificates.shared
            try withLoop { loop in
                var options = HTTPServer.Options()
                options.tls = TLSIdentity(
                    certificatePath: all.good.certificatePath, keyPath: all.selfSigned.keyPath)
                let handlers = HTTPServer.Handlers(
                    request: { _ in }, upgrade: { _ in .refuse(.init(json: "")) })
                #expect(throws: TransportError.self) {
                    try HTTPServer(on: loop, options: options, handlers: handlers)
                }
            }
        }

        @Test func numericIPv6CannotBeChecked() throws {
            try withLoop(options()) { loop in
                let diary = Diary(try ServiceURL("wss://[::1]:1/ws"), on: loop)
                drive(loop) { diary.end != nil }
                guard case .invalidURL? = diary.error else {
                    Issue.record("\(diary.heard)")
                    return
                }
            }
        }
    }
}
