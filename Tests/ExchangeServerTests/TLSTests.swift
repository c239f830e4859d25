// The same over TLS, with a certificate made for the test run.

import Foundation
import LobTransport
import Testing
import VenueSupport

@testable import ExchangeServer

/// A certificate of this test run for 127.0.0.1, its own authority.
private func makeIdentity() throws -> TLSIdentity {
    let folder = FileManager.default.temporaryDirectory.path + "/exchange-tests-tls-\(getpid())"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = [
        "-ec",
        """
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
            -keyout '\(folder)/key.pem' -out '\(folder)/cert.pem' \
            -addext subjectAltName=DNS:localhost,IP:127.0.0.1
        """,
    ]
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return TLSIdentity(certificatePath: folder + "/cert.pem", keyPath: folder + "/key.pem")
}

extension ExchangeTests {
    @Test func secure() throws {
        let identity = try makeIdentity()
        var loopOptions = EventLoop.Options()
        loopOptions.authorityPath = identity.certificatePath
        let bench = try Bench(loopOptions)
        defer { bench.loop.close() }
        var options = ExchangeServer.Options()
        options.tls = identity
        let server = try bench.serve(options: options)
        let url = try ServiceURL("wss://127.0.0.1:\(server.port)/stream?streams=btcusdt@depth@100ms")
        let listener = Listener(url, on: bench.loop)
        bench.drive { listener.texts.count > 3 }
        let answer = try bench.get(server, "/api/v3/ping", scheme: "https")
        #expect(answer.status == 200 && answer.text == "{}")
    }

    @Test func portInUse() throws {
        let bench = try Bench()
        defer { bench.loop.close() }
        let server = try bench.serve()
        var options = ExchangeServer.Options()
        options.port = server.port
        #expect(throws: TransportError.cannotListen(port: server.port, reason: "Address already in use")) {
            try bench.serve(options: options)
        }
    }
}
