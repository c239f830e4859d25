// Many connections with peers that break every rule: a server against the clients, clients against the
// server, plain and inside TLS. Nothing may crash, everything must end, once and with a reason.
//
// LOB_HOSTILE=100000 makes that many connections a test; LOB_HOSTILE_SEED repeats a run, whose bytes depend
// on nothing else.

import Foundation
import Glibc
import TestSupport
import Testing

@testable import LobTransport

private let connectionCount = ProcessInfo.processInfo.environment["LOB_HOSTILE"].flatMap { Int($0) } ?? 400
private let seed =
    ProcessInfo.processInfo.environment["LOB_HOSTILE_SEED"].flatMap { UInt64($0) }
    ?? UInt64.random(in: 0...UInt64.max)
private let atOnce = 24
private let bodyBytesMax = 100_000

extension SocketTests {
    @Suite struct Hostile {
        @Test(arguments: [false, true]) func server(_ isSecure: Bool) throws {
            let count = isSecure ? connectionCount / 4 : connectionCount
            print("hostile server, \(count) connections: LOB_HOSTILE_SEED=\(seed)")
            var options = EventLoop.Options()
            options.authorityPath = Certificates.shared.authorityPath
            try withLoop(options) { loop in
                let server = try HostileServer(isSecure)
                var trials: [ClientTrial] = []
                var startedCount = 0
                let endNs = monotonicNs() + UInt64(20 + count / 20) * 1_000_000_000
                while startedCount < count || !trials.isEmpty {
                    while trials.count < atOnce && startedCount < count {
                        trials.append(try ClientTrial(startedCount, server.port, isSecure, on: loop))
                        startedCount += 1
                    }
                    loop.turn(waitAtMostNs: 200_000)
                    server.step()
                    trials.removeAll { $0.isOver }
                    try #require(monotonicNs() < endNs, "seed \(seed): \(trials.map(\.number)) do not end")
                }
                drive(loop) { loop.remote.counters.open == 0 }
                #expect(ClientTrial.faults.isEmpty, "seed \(seed)")
                ClientTrial.faults = []
            }
        }

        @Test(arguments: [false, true]) func clients(_ isSecure: Bool) throws {
            let count = isSecure ? connectionCount / 4 : connectionCount
            print("hostile clients, \(count) connections: LOB_HOSTILE_SEED=\(seed)")
            try withLoop { loop in
                let trial = try ServerTrial(isSecure, on: loop)
                let identity = WireIdentity()
                var wires: [HostileWire] = []
                var startedCount = 0
                let endNs = monotonicNs() + UInt64(20 + count / 20) * 1_000_000_000
                while startedCount < count || !wires.isEmpty {
                    while wires.count < atOnce && startedCount < count {
                        var bytes = HostileBytes(seed: seed &+ UInt64(startedCount))
                        let script = bytes.script(bytes.requests())
                        let isPlain = !isSecure || bytes.random.chance(0.1)
                        let wire = HostileWire(port: trial.server.port, isPlain ? nil : identity, script)
                        wires.append(wire)
                        startedCount += 1
                    }
                    loop.turn(waitAtMostNs: 200_000)
                    for wire in wires { wire.step(idleStepsMax: 60) }
                    wires.removeAll { $0.isOver }
                    try #require(monotonicNs() < endNs, "seed \(seed): not over in time")
                }
                drive(loop, forAtMostMs: 15_000) {
                    loop.remote.counters.open == 0 && trial.server.peerCount == 0
                }
                #expect(trial.openedCount == trial.closedCount && trial.faults.isEmpty, "seed \(seed)")
                if !isSecure { try trial.answersStill(loop) }
            }
        }
    }
}

/// A server whose every connection follows a script of its own.
private final class HostileServer {
    let port: Int
    private let listener: Int32
    private let identity: WireIdentity?
    private var wires: [(wire: HostileWire, bytes: HostileBytes)] = []
    private var acceptedCount = 0

    init(_ isSecure: Bool) throws {
        let good = Certificates.shared.good
        identity = isSecure ? WireIdentity(server: (good.certificatePath, good.keyPath)) : nil
        let bound = LoopbackSocket(backlog: 128)
        (listener, port) = (bound.descriptor, bound.port)
    }

    deinit { close(listener) }

    func step() {
        while case let accepted = accept(listener, nil, nil), accepted >= 0 {
            var bytes = HostileBytes(seed: seed &+ UInt64(acceptedCount))
            acceptedCount += 1
            let isGarbled = bytes.random.chance(0.03)
            let script = isGarbled ? bytes.script(bytes.answer()) : nil
            let wire = HostileWire(accepted, isGarbled ? nil : identity, script)
            wires.append((wire, bytes))
        }
        for index in wires.indices {
            let wire = wires[index].wire
            var bytes = wires[index].bytes
            wire.step(idleStepsMax: 400) { request in
                let isUpgrade = String(decoding: request, as: UTF8.self).lowercased().contains(
                    "upgrade: websocket")
                let isAnswered = isUpgrade && !bytes.random.chance(0.1)
                return bytes.script(isAnswered ? bytes.upgrade(to: request) : bytes.answer())
            }
        }
        wires.removeAll { $0.wire.isOver }
    }
}

/// One connection of a client under test, and what it must not do.
private final class ClientTrial {
    nonisolated(unsafe) static var faults: [String] = []

    let number: Int
    private(set) var isOver = false
    private var byteCount = 0
    private var messageBytes = 0
    private var fetch: HTTPFetch?
    private var client: WebSocketClient?

    init(_ number: Int, _ port: Int, _ isSecure: Bool, on loop: EventLoop) throws {
        self.number = number
        let scheme = isSecure ? "wss" : "ws"
        let url = try ServiceURL("\(scheme)://localhost:\(port)/ws")
        switch number % 3 {
        case 0:
            var options = HTTPFetch.Options()
            options.bodyBytesMax = bodyBytesMax
            options.limitMs = 100
            var handlers = HTTPFetch.Handlers(body: { [self] in take($0) }, finished: { [self] _ in end() })
            handlers.answered = { [self] in
                if !(100...999).contains($0) { fault("status \($0)") }
                for name in ["content-length", "x", "retry-after", "x-long", "set-cookie"] {
                    _ = fetch?.header(name)
                }
            }
            fetch = HTTPFetch(url, on: loop, options: options, handlers: handlers)
        case let kind:
            var options = WebSocketClient.Options()
            options.backends = kind == 1 ? [.native] : [.libwebsockets]
            options.messageBytesMax = bodyBytesMax
            options.openLimitMs = 100
            options.closeLimitMs = 50
            options.silenceLimitMs = 100
            var handlers = WebSocketClient.Handlers { [self] bytes, isFinal in
                take(bytes)
                messageBytes = isFinal ? 0 : messageBytes + bytes.count
                if messageBytes > bodyBytesMax { fault("a message of \(messageBytes) bytes") }
                if byteCount > 300_000 { client?.close(code: 1000, reason: "enough") }
            }
            handlers.pinged = { [self] in take($0) }
            handlers.ponged = { [self] in take($0) }
            handlers.closed = { [self] _ in end() }
            client = WebSocketClient(url, on: loop, options: options, handlers: handlers)
        }
    }

    /// Reads every byte, so that a span that is none is noticed.
    private func take(_ bytes: Span<UInt8>) {
        if isOver || bytes.count < 0 { fault("bytes after the end") }
        var sum = 0
        for index in bytes.indices { sum &+= Int(bytes[index]) }
        byteCount += bytes.count
        if fetch != nil && byteCount > bodyBytesMax { fault("a body of \(byteCount) bytes, \(sum)") }
    }

    private func end() {
        if isOver { fault("a second end") }
        isOver = true
        (fetch, client) = (nil, nil)
    }

    private func fault(_ what: String) { ClientTrial.faults.append("connection \(number): \(what)") }
}

/// The server under test.
private final class ServerTrial {
    private(set) var server: HTTPServer!
    private(set) var openedCount = 0
    private(set) var closedCount = 0
    private(set) var faults: [String] = []

    init(_ isSecure: Bool, on loop: EventLoop) throws {
        var options = HTTPServer.Options()
        options.tls = isSecure ? Certificates.shared.good : nil
        options.messageBytesMax = bodyBytesMax
        options.closeLimitMs = 50
        options.pingIntervalMs = 20
        options.pongLimitMs = 50
        let handlers = HTTPServer.Handlers(
            request: { [unowned loop] request in
                let text = request.path + request.query.map { $0.name + $0.value }.joined()
                _ = (text.utf8.count, request.header("host"), request.header("x-long"), request.owner)
                switch request.path {
                case "/never": return
                case "/late": loop.after(ms: 2) { request.respond(HTTPResponse(json: "{\"late\":true}")) }
                case "/hangup": request.hangUp()
                default: request.respond(HTTPResponse(json: "{}"))
                }
            },
            upgrade: { [unowned self] request in
                _ = (request.query.count, request.header("sec-websocket-protocol"))
                if request.path == "/hangup" { return .refuse(HTTPResponse(status: 403, json: "{}")) }
                return .accept { [unowned self] in listen(to: $0) }
            })
        server = try HTTPServer(on: loop, options: options, handlers: handlers)
    }

    private func listen(to peer: WebSocketPeer) -> WebSocketPeer.Handlers {
        openedCount += 1
        var messageBytes = 0
        var isOver = false
        var handlers = WebSocketPeer.Handlers()
        handlers.message = { [unowned self, unowned peer] bytes, isFinal in
            if isOver { faults.append("bytes after the end") }
            messageBytes += bytes.count
            if messageBytes > bodyBytesMax { faults.append("a message of \(messageBytes) bytes") }
            if isFinal { messageBytes = 0 }
            _ = peer.send(text: bytes)
        }
        handlers.ponged = { [unowned self] in
            if $0.count > 125 { faults.append("a pong of \($0.count) bytes") }
        }
        handlers.closed = { [unowned self] _ in
            if isOver { faults.append("a second end") }
            isOver = true
            closedCount += 1
        }
        return handlers
    }

    /// An honest client is still served.
    func answersStill(_ loop: EventLoop) throws {
        let client = RawClient(server.port)
        client.send("GET /now HTTP/1.1\r\nHost: h\r\n\r\n")
        drive(loop) { client.read().hasSuffix("{}") }
    }
}
