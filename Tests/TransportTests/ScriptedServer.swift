// A server that does what a script says, byte for byte, on plain blocking-free sockets: the hostile peer of
// these tests. It is stepped by the test's own thread, between the turns of the loop under test.

import Glibc
import TestSupport

@testable import LobTransport

/// One thing the server does on a connection, in order.
enum Step {
    /// Waits for a whole request head.
    case awaitRequest
    /// Waits until this many bytes have come behind the request.
    case awaitBytes(Int)
    /// Sends bytes.
    case send([UInt8])
    /// Sends one byte, then waits, over and over.
    case drip([UInt8], everyMs: Int)
    /// Answers the upgrade as it should be.
    case upgrade
    /// Answers the upgrade with these changes to its header lines.
    case upgradeWith([String: String])
    /// Does nothing for a while.
    case wait(ms: Int)
    /// Sends nothing and reads nothing any more.
    case hang
    /// Reads nothing any more.
    case stopReading
    /// Ends the server's own direction.
    case endSending
    /// Closes the connection.
    case hangUp
    /// Closes it with a reset.
    case reset

    static func text(_ text: String) -> Step { .send(Array(text.utf8)) }
}

final class ScriptedServer {
    final class Connection {
        let descriptor: Int32
        var script: [Step]
        var request = ""
        /// What came behind the request head.
        var received: [UInt8] = []
        var isClosed = false
        var hasPeerHungUp = false
        fileprivate var isDeaf = false
        fileprivate var waitUntilNs: UInt64 = 0

        fileprivate init(_ descriptor: Int32, _ script: [Step]) {
            (self.descriptor, self.script) = (descriptor, script)
        }
    }

    let port: Int
    private(set) var connections: [Connection] = []
    private let listener: Int32
    private let script: (Int) -> [Step]

    /// - Parameter script: the steps for the connection of this number.
    init(isListening: Bool = true, _ script: @escaping (Int) -> [Step]) {
        self.script = script
        let bound = LoopbackSocket(backlog: isListening ? 64 : nil)
        (listener, port) = (bound.descriptor, bound.port)
    }

    convenience init(_ script: [Step]) {
        self.init { _ in script }
    }

    deinit {
        for connection in connections where !connection.isClosed { close(connection.descriptor) }
        close(listener)
    }

    var url: ServiceURL { try! ServiceURL("ws://127.0.0.1:\(port)/ws") }

    /// Goes on as far as possible without waiting.
    func step() {
        let accepted = accept(listener, nil, nil)
        if accepted >= 0 {
            _ = fcntl(accepted, F_SETFL, O_NONBLOCK)
            connections.append(Connection(accepted, script(connections.count)))
        }
        for connection in connections where !connection.isClosed { step(connection) }
    }

    private func step(_ connection: Connection) {
        read(connection)
        while !connection.isClosed, let next = connection.script.first {
            switch next {
            case .awaitRequest:
                if !connection.request.hasSuffix("\r\n\r\n") { return }
            case .awaitBytes(let count):
                if connection.received.count < count { return }
            case .send(let bytes):
                write(connection, bytes)
            case .drip(let bytes, let everyMs):
                if monotonicNs() < connection.waitUntilNs { return }
                guard let byte = bytes.first else { break }
                write(connection, [byte])
                connection.waitUntilNs = monotonicNs() + UInt64(everyMs) * 1_000_000
                connection.script[0] = .drip(Array(bytes.dropFirst()), everyMs: everyMs)
                return
            case .upgrade: write(connection, Array(upgradeAnswer(to: connection.request).utf8))
            case .upgradeWith(let changes):
                write(connection, Array(upgradeAnswer(to: connection.request, changes: changes).utf8))
            case .wait(let ms):
                if connection.waitUntilNs == 0 {
                    connection.waitUntilNs = monotonicNs() + UInt64(ms) * 1_000_000
                }
                if monotonicNs() < connection.waitUntilNs { return }
                connection.waitUntilNs = 0
            case .hang: return
            case .hangUp: end(connection)
            case .stopReading: connection.isDeaf = true
            case .endSending: _ = shutdown(connection.descriptor, Int32(SHUT_WR))
            case .reset:
                var option = linger(l_onoff: 1, l_linger: 0)
                setsockopt(
                    connection.descriptor, SOL_SOCKET, SO_LINGER, &option,
                    socklen_t(MemoryLayout<linger>.size))
                end(connection)
            }
            connection.script.removeFirst()
        }
    }

    private func read(_ connection: Connection) {
        if case .hang? = connection.script.first { return }
        if connection.isDeaf { return }
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(connection.descriptor, &buffer, buffer.count, 0)
            if count == 0 { connection.hasPeerHungUp = true }
            if count <= 0 { return }
            for byte in buffer[..<count] {
                if connection.request.hasSuffix("\r\n\r\n") {
                    connection.received.append(byte)
                } else {
                    connection.request.unicodeScalars.append(Unicode.Scalar(byte))
                }
            }
        }
    }

    private func write(_ connection: Connection, _ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(connection.descriptor, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0 { return }
            sent += count
        }
    }

    private func end(_ connection: Connection) {
        close(connection.descriptor)
        connection.isClosed = true
    }
}

/// The answer to an upgrade; `changes` replaces header values, "" drops the line.
func upgradeAnswer(to request: String, changes: [String: String] = [:]) -> String {
    var key = ""
    for line in request.split(separator: "\r\n") where line.lowercased().hasPrefix("sec-websocket-key: ") {
        key = String(line.dropFirst(19))
    }
    var headers = [
        "Upgrade": "websocket", "Connection": "Upgrade",
        "Sec-WebSocket-Accept": UpgradeHandshake(key: key).accept,
    ]
    var status = "HTTP/1.1 101 Switching Protocols"
    for (name, value) in changes {
        if name == "status" { status = value } else { headers[name] = value.isEmpty ? nil : value }
    }
    return status + "\r\n" + headers.map { "\($0.key): \($0.value)\r\n" }.joined() + "\r\n"
}
