import Foundation
import Testing

@testable import Transport

/// An authority and certificates of this test run, made by the openssl command.
struct Certificates: Sendable {
    static let shared = try! Certificates()

    let authorityPath: String
    let good: TLSIdentity
    let otherHost: TLSIdentity
    let expired: TLSIdentity
    let selfSigned: TLSIdentity

    private init() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/transport-tests-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let script = """
            cd '\(folder)'
            new="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
            openssl req -x509 $new -keyout ca.key -out ca.pem -days 2 -subj '/CN=test authority'
            openssl req -x509 $new -keyout self.key -out self.pem -days 2 -subj /CN=localhost \
                -addext subjectAltName=DNS:localhost
            openssl req $new -keyout host.key -out host.csr -subj /CN=host
            echo 'subjectAltName=DNS:localhost,IP:127.0.0.1' > local.ext
            echo 'subjectAltName=DNS:elsewhere.example' > other.ext
            sign="openssl x509 -req -in host.csr -CA ca.pem -CAkey ca.key -CAcreateserial"
            $sign -days 2 -extfile local.ext -out good.pem
            $sign -days 2 -extfile other.ext -out other.pem
            $sign -days -1 -extfile local.ext -out expired.pem
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-ec", script]
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        precondition(process.terminationStatus == 0, "openssl failed")
        authorityPath = folder + "/ca.pem"
        func identity(_ name: String, _ key: String = "host") -> TLSIdentity {
            TLSIdentity(certificatePath: "\(folder)/\(name).pem", keyPath: "\(folder)/\(key).key")
        }
        (good, otherHost) = (identity("good"), identity("other"))
        (expired, selfSigned) = (identity("expired"), identity("self", "self"))
    }
}

private let roads = [WebSocketRoad.fast, .standard]

/// A TLS server that greets; returns its port.
private func greet(_ loop: EventLoop, _ tls: TLSIdentity?) throws -> Int {
    var options = HTTPServer.Options()
    options.tls = tls
    return try HTTPServer(
        on: loop, options: options,
        handlers: HTTPServer.Handlers(
            request: { $0.respond(HTTPResponse(json: "{\"ok\":true}")) },
            upgrade: { _ in
                .accept { peer in
                    _ = peer.send(text: String(repeating: "x", count: 40000))
                    _ = peer.send(text: "hello")
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

        @Test(arguments: roads) func ownAuthority(_ road: WebSocketRoad) throws {
            try withLoop(options()) { loop in
                let port = try greet(loop, Certificates.shared.good)
                for host in ["localhost", "127.0.0.1"] {
                    let diary = Diary(try ServiceURL("wss://\(host):\(port)/ws"), on: loop, [road])
                    drive(loop) { diary.messages.count == 2 || diary.end != nil }
                    #expect(diary.messages.map(\.count) == [40000, 5], "\(host)")
                    diary.client?.close()
                    drive(loop) { diary.end != nil }
                    #expect(diary.error == nil)
                }
            }
        }

        @Test(arguments: roads) func refusedCertificates(_ road: WebSocketRoad) throws {
            let all = Certificates.shared
            for (identity, reason) in [
                (all.otherHost, "hostname mismatch"), (all.expired, "certificate has expired"),
                (all.selfSigned, "self-signed certificate"),
            ] {
                try withLoop(options()) { loop in
                    let port = try greet(loop, identity)
                    let diary = Diary(
                        try ServiceURL("wss://localhost:\(port)/ws"), on: loop, [road, .standard])
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

        @Test(arguments: roads) func serverWithoutTLS(_ road: WebSocketRoad) throws {
            try withLoop(options()) { loop in
                let port = try greet(loop, nil)
                let diary = Diary(try ServiceURL("wss://localhost:\(port)/ws"), on: loop, [road])
                drive(loop) { diary.end != nil }
                guard case .tlsFailed? = diary.error else {
                    Issue.record("\(diary.heard)")
                    return
                }
            }
        }

        @Test(arguments: roads) func clientWithoutTLS(_ road: WebSocketRoad) throws {
            try withLoop(options()) { loop in
                let port = try greet(loop, Certificates.shared.good)
                let diary = Diary(try ServiceURL("ws://localhost:\(port)/ws"), on: loop, [road])
                drive(loop) { diary.end != nil }
                #expect(diary.error == .unanswered)
            }
        }

        @Test(arguments: roads) func handshakeThatNeverEnds(_ road: WebSocketRoad) throws {
            let server = ScriptedServer([.hang])
            try withLoop(options()) { loop in
                let url = try ServiceURL("wss://localhost:\(server.port)/ws")
                let diary = Diary(url, on: loop, [road]) { $0.openLimitMs = 100 }
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
