// Who a server says it is, whom it lets in, and what becomes of both when the files change. Clients with
// certificates, and such as speak old versions of TLS, are the openssl command.

import Foundation
import TestSupport
import Testing

@testable import LobTransport

/// A request by the openssl command, or a connection without one; what it printed. Turns the loop meanwhile.
private func openssl(
    _ loop: EventLoop, _ port: Int, _ arguments: String, asks: Bool = true
) throws -> String {
    let path = FileManager.default.temporaryDirectory.path + "/openssl-\(getpid())-\(port)"
    let pipe = path + ".pipe"
    defer { for path in [path, pipe] { try? FileManager.default.removeItem(atPath: path) } }
    let client = "timeout 20 openssl s_client -connect 127.0.0.1:\(port) \(arguments) >'\(path)' 2>&1"
    let request = "GET / HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n"
    let script =
        asks ? "printf '\(request)' | \(client)" : "mkfifo '\(pipe)'; exec 3<>'\(pipe)'; \(client) <&3"
    let texts: [String] = ["/bin/sh", "-c", script]
    let words = texts.map { strdup($0) }
    defer { words.forEach { free($0) } }
    var child: pid_t = 0
    let failure = posix_spawn(&child, "/bin/sh", nil, nil, words + [nil], environ)
    try #require(failure == 0)
    var status: Int32 = 0
    drive(loop, forAtMostMs: 30_000, "the openssl command") { waitpid(child, &status, WNOHANG) == child }
    return String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
}

extension SocketTests {
    @Suite struct Identity {
        private static let answer = "{\"ok\":true}"

        private var options: EventLoop.Options {
            var options = EventLoop.Options()
            options.authorityPath = Certificates.shared.authorityPath
            return options
        }

        /// A server that answers requests and echoes messages.
        private func serve(_ loop: EventLoop, _ tls: TLSIdentity) throws -> Int {
            var options = HTTPServer.Options()
            options.tls = tls
            return try HTTPServer(
                on: loop, options: options,
                handlers: HTTPServer.Handlers(
                    request: { $0.respond(HTTPResponse(json: Self.answer)) },
                    upgrade: { _ in
                        .accept { peer in
                            var handlers = WebSocketPeer.Handlers()
                            handlers.message = { bytes, _ in _ = peer.send(text: bytes) }
                            return handlers
                        }
                    })
            ).port
        }

        /// A client that says nothing is cut off, with TLS after the handshake as well; one that has asked
        /// may wait for its answer, and before it asks again.
        @Test func theFirstRequestHasATimeLimit() throws {
            try withLoop(self.options) { loop in
                var options = HTTPServer.Options()
                options.headLimitMs = 300
                var held: [HTTPRequest] = []
                let refusal = HTTPResponse(status: 404, body: [])
                let handlers = HTTPServer.Handlers(
                    request: { held.append($0) }, upgrade: { _ in .refuse(refusal) })
                let plain = try HTTPServer(on: loop, options: options, handlers: handlers).port
                options.tls = Certificates.shared.good
                let secure = try HTTPServer(on: loop, options: options, handlers: handlers).port
                let asker = RawClient(plain)
                asker.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                drive(loop) { held.count == 1 }
                let keeper = RawClient(plain)
                keeper.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                drive(loop) { held.count == 2 }
                held[1].respond(HTTPResponse(json: Self.answer))
                let startNs = monotonicNs()
                let text = try openssl(loop, secure, "", asks: false)
                #expect(monotonicNs() - startNs < 10_000_000_000)
                #expect(text.contains("Verification") && held.count == 2, "\(text)")
                // Without the two minutes that the library gives to the end of TLS.
                for port in [plain, secure] {
                    let mute = RawClient(port)
                    drive(loop) {
                        mute.read()
                        return mute.hasServerHungUp
                    }
                }
                held[0].respond(HTTPResponse(json: Self.answer))
                drive(loop) { asker.read().contains(Self.answer) }
                // Between two requests as well.
                keeper.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                drive(loop) { held.count == 3 }
            }
        }

        private func fetch(_ loop: EventLoop, _ port: Int) throws -> TransportError? {
            var end: TransportError??
            let fetch = HTTPFetch(
                try ServiceURL("https://localhost:\(port)/"), on: loop,
                handlers: .init(body: { _ in }, finished: { end = .some($0) }))
            drive(loop) { end != nil }
            return withExtendedLifetime(fetch) { end ?? nil }
        }

        /// New connections get what the files hold now, old ones go on, and what cannot be used changes
        /// nothing.
        @Test func theFilesAreReadAgain() throws {
            let all = CertificateFiles.shared
            let folder = FileManager.default.temporaryDirectory.path + "/identity-\(getpid())"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let identity = TLSIdentity(
                certificatePath: folder + "/cert.pem", keyPath: folder + "/key.pem")
            let write = { (pair: CertificateFiles.Pair) in
                for (from, to) in [
                    (pair.certificate, identity.certificatePath), (pair.key, identity.keyPath),
                ] {
                    let contents = try #require(FileManager.default.contents(atPath: from))
                    try contents.write(to: URL(fileURLWithPath: to))
                }
            }
            try write(all.good)
            try withLoop(options) { loop in
                let port = try serve(loop, identity)
                #expect(try fetch(loop, port) == nil)
                let old = Diary(try ServiceURL("wss://localhost:\(port)/"), on: loop)
                drive(loop) { old.isOpen }

                try write(all.otherHost)
                #expect(try fetch(loop, port) == nil, "nobody has asked to read them again")
                #expect(loop.reloadIdentities() == nil)
                let mismatch = TransportError.certificateRefused(
                    host: "localhost", reason: "hostname mismatch")
                #expect(try fetch(loop, port) == mismatch)

                try Data("no certificate".utf8).write(to: URL(fileURLWithPath: identity.certificatePath))
                #expect(loop.reloadIdentities() == "no usable certificate and key in \(folder)/cert.pem")
                let strange = try #require(FileManager.default.contents(atPath: all.selfSigned.key))
                try write(all.good)
                try strange.write(to: URL(fileURLWithPath: identity.keyPath))
                #expect(loop.reloadIdentities() != nil, "the key of another certificate")
                #expect(try fetch(loop, port) == mismatch, "as it was")

                try write(all.good)
                #expect(loop.reloadIdentities() == nil)
                #expect(try fetch(loop, port) == nil)
                _ = old.client?.send(text: "still here")
                drive(loop) { !old.messages.isEmpty }
                #expect(old.messages == [Array("still here".utf8)])
            }
        }

        /// Where clients are asked for a certificate, only those with one of the authority's come in.
        @Test func clientsHaveCertificates() throws {
            let all = CertificateFiles.shared
            var identity = Certificates.shared.good
            identity.clientAuthorityPath = all.authority
            try withLoop(options) { loop in
                let port = try serve(loop, identity)
                #expect(try fetch(loop, port) != nil, "a client without one")
                let shown = { (pair: CertificateFiles.Pair) in
                    try openssl(loop, port, "-quiet -cert '\(pair.certificate)' -key '\(pair.key)'")
                }
                #expect(try shown(all.good).contains(Self.answer))
                #expect(try !shown(all.selfSigned).contains(Self.answer))
                #expect(try !shown(all.expired).contains(Self.answer))
                #expect(loop.reloadIdentities() == nil)
                #expect(try shown(all.good).contains(Self.answer), "after a reload")
                #expect(try !shown(all.selfSigned).contains(Self.answer))
            }
            var missing = Certificates.shared.good
            missing.clientAuthorityPath = all.good.key
            try withLoop(options) { loop in
                #expect(throws: TransportError.self) { try serve(loop, missing) }
            }
        }

        @Test func oldVersionsAreRefused() throws {
            try withLoop(options) { loop in
                let port = try serve(loop, Certificates.shared.good)
                let lax = "-quiet -cipher 'ALL:@SECLEVEL=0'"
                #expect(try openssl(loop, port, "\(lax) -tls1_2").contains(Self.answer))
                #expect(try openssl(loop, port, "-quiet -tls1_3").contains(Self.answer))
                for version in ["-tls1", "-tls1_1"] {
                    #expect(try !openssl(loop, port, "\(lax) \(version)").contains(Self.answer), "\(version)")
                }
            }
        }
    }
}
