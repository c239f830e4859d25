// Who may be served, as the command line says it.

import ArgumentParser
import Foundation
import Testing

@testable import lob

@Suite struct ServeOptionsTests {
    private func run(_ arguments: String) throws -> RunCommand {
        try RunCommand.parse(["BTCUSDT"] + arguments.split(separator: " ").map(String.init))
    }

    private func withTokens(_ text: String, _ body: (String) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "tokens-\(UUID().uuidString)"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    /// Tokens may come out of a pipe; one without a writer is given up.
    @Test(.timeLimit(.minutes(10))) func aPipeOfTokens() throws {
        let path = NSTemporaryDirectory() + "tokens-\(UUID().uuidString)"
        try #require(mkfifo(path, 0o600) == 0)
        defer { unlink(path) }
        #expect(contents(ofFile: path, bytesMax: 99, waitAtMostMs: 20) == nil)
        let writer = try #require(popen("sleep 0.02; printf token > \(path)", "r"))
        defer { pclose(writer) }
        #expect(contents(ofFile: path, bytesMax: 99) == Array("token".utf8))
    }

    @Test func othersAreServedOnlyIfThatIsMeant() throws {
        _ = try run("--serve 127.0.0.1:0")
        _ = try run("--serve [::1]:0")
        #expect(throws: (any Error).self) { try run("--serve 0.0.0.0:9443") }
        #expect(throws: (any Error).self) { try run("--serve 0.0.0.0:9443 --serve-public") }
        let open = try run("--serve 0.0.0.0:9443 --serve-public --no-auth")
        #expect(try open.serving.options(open.serve!).address == nil)
        try withTokens("0123456789abcdef\nsecond-token-of-mine\n") { path in
            let known = try run("--serve 10.0.0.1:9443 --serve-public --serve-tokens \(path)")
            let options = try known.serving.options(known.serve!)
            #expect(options.address == "10.0.0.1" && options.tokens.count == 2)
            #expect(throws: (any Error).self) {
                try run("--serve 10.0.0.1:1 --serve-public --no-auth --serve-tokens \(path)")
            }
        }
        for wrong in ["short", "0123456789abcdef " + String(repeating: "x", count: 257)] {
            try withTokens(wrong) { path in
                #expect(throws: (any Error).self) { try run("--serve 127.0.0.1:1 --serve-tokens \(path)") }
            }
        }
        try withTokens(String(repeating: "x", count: 256)) { path in
            _ = try run("--serve 127.0.0.1:1 --serve-tokens \(path)")
        }
        #expect(throws: (any Error).self) { try run("--serve 127.0.0.1:1 --serve-tokens /no/such/file") }
        #expect(throws: (any Error).self) { try run("--serve 127.0.0.1:1 --serve-cert a.pem") }
        #expect(throws: (any Error).self) { try run("--serve 127.0.0.1:1 --serve-client-ca ca.pem") }
        let pair = "--serve-cert a.pem --serve-key a.key --serve-client-ca ca.pem"
        let known = try run("--serve 10.0.0.1:1 --serve-public \(pair)")
        #expect(try known.serving.options(known.serve!).tls?.clientAuthorityPath == "ca.pem")
        let stale = try run("--serve 127.0.0.1:1 --serve-stale --pass-gaps")
        let options = try stale.serving.options(stale.serve!)
        #expect(options.servesStale && options.passesGaps)
        let many = try run("--serve 127.0.0.1:1 --serve-clients 6000")
        let limits = try many.serving.options(many.serve!)
        #expect(limits.clientCountMax == 6_000 && limits.connectionCountMax == 7_500)
        let few = try run("--serve 127.0.0.1:1 --serve-clients 10")
        #expect(try few.serving.options(few.serve!).connectionCountMax == options.connectionCountMax)
        let busy = try run("--serve 127.0.0.1:1 --serve-requests 7")
        #expect(try busy.serving.options(busy.serve!).requestsPerSecondMax == 7)
        for wrong in ["0", "-1", "1000001"] {
            #expect(throws: (any Error).self) { try run("--serve 127.0.0.1:1 --serve-clients=\(wrong)") }
            #expect(throws: (any Error).self) { try run("--serve 127.0.0.1:1 --serve-requests=\(wrong)") }
        }
    }
}
