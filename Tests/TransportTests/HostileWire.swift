// One end of a connection that sends what it was told, in pieces and without blocking, plain or inside TLS.

import Glibc

@_silgen_name("TLS_server_method") private func serverMethod() -> OpaquePointer
@_silgen_name("TLS_client_method") private func clientMethod() -> OpaquePointer
@_silgen_name("SSL_CTX_new") private func newContext(_ method: OpaquePointer) -> OpaquePointer
@_silgen_name("SSL_CTX_use_certificate_chain_file")
private func useCertificate(_ context: OpaquePointer, _ path: UnsafePointer<CChar>) -> Int32
@_silgen_name("SSL_CTX_use_PrivateKey_file")
private func useKey(_ context: OpaquePointer, _ path: UnsafePointer<CChar>, _ kind: Int32) -> Int32
@_silgen_name("SSL_CTX_free") private func freeContext(_ context: OpaquePointer)
@_silgen_name("SSL_new") private func newTLS(_ context: OpaquePointer) -> OpaquePointer
@_silgen_name("SSL_free") private func freeTLS(_ tls: OpaquePointer)
@_silgen_name("SSL_set_fd") private func setDescriptor(_ tls: OpaquePointer, _ descriptor: Int32) -> Int32
@_silgen_name("SSL_set_accept_state") private func setAccepting(_ tls: OpaquePointer)
@_silgen_name("SSL_set_connect_state") private func setConnecting(_ tls: OpaquePointer)
@_silgen_name("SSL_read")
private func readTLS(_ tls: OpaquePointer, _ bytes: UnsafeMutableRawPointer, _ count: Int32) -> Int32
@_silgen_name("SSL_write")
private func writeTLS(_ tls: OpaquePointer, _ bytes: UnsafeRawPointer, _ count: Int32) -> Int32
@_silgen_name("SSL_get_error") private func errorOfTLS(_ tls: OpaquePointer, _ result: Int32) -> Int32
@_silgen_name("ERR_clear_error") private func clearErrors()

/// What the TLS ends of a test share.
final class WireIdentity {
    fileprivate let context: OpaquePointer
    fileprivate let isServer: Bool

    /// A client that believes everybody, or a server with an identity.
    init(server: (certificate: String, key: String)? = nil) {
        isServer = server != nil
        context = newContext(isServer ? serverMethod() : clientMethod())
        guard let server else { return }
        precondition(useCertificate(context, server.certificate) == 1 && useKey(context, server.key, 1) == 1)
    }

    deinit { freeContext(context) }
}

/// How a peer stops.
enum WireEnding: CaseIterable {
    case hangUp, reset, halfClose, wait
}

/// What a peer sends: pieces, with so many steps of nothing before each, and how it stops.
struct WireScript {
    var pieces: [[UInt8]]
    var pauses = 0
    var ending = WireEnding.hangUp
    /// Sends nothing before this much was received.
    var listensFirst = false
    /// Reads nothing more once so much was received.
    var readsAtMost = Int.max
}

/// The peer's end of one connection.
final class HostileWire {
    private let descriptor: Int32
    private var tls: OpaquePointer?
    private var script: WireScript?
    private var next = 0
    private var offset = 0
    private var pause = 0
    private var idleSteps = 0
    private(set) var received: [UInt8] = []
    private(set) var isOver = false

    /// - Parameter descriptor: of a connected socket, or one that connects.
    init(_ descriptor: Int32, _ identity: WireIdentity?, _ script: WireScript? = nil) {
        (self.descriptor, self.script) = (descriptor, script)
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        guard let identity else { return }
        let made = newTLS(identity.context)
        _ = setDescriptor(made, descriptor)
        if identity.isServer { setAccepting(made) } else { setConnecting(made) }
        tls = made
    }

    deinit { end() }

    /// A connection to a port of this machine.
    convenience init(port: Int, _ identity: WireIdentity?, _ script: WireScript) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_NONBLOCK, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        self.init(descriptor, identity, script)
    }

    /// Goes on as far as it can without waiting. The script is made when the first bytes have come, if there
    /// is none yet.
    func step(idleStepsMax: Int, script make: (([UInt8]) -> WireScript)? = nil) {
        if isOver { return }
        read()
        if isOver { return }
        idleSteps += 1
        if script == nil, !received.isEmpty, let make { script = make(received) }
        if let script, !script.listensFirst || !received.isEmpty { write(script) }
        if idleSteps > idleStepsMax { end() }
    }

    /// Sends what the socket takes of this.
    func say(_ bytes: [UInt8]) { _ = bytes.withUnsafeBytes { send($0) } }

    /// Ends its own direction.
    func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    private func write(_ script: WireScript) {
        while next < script.pieces.count {
            if pause < script.pauses {
                pause += 1
                return
            }
            let piece = script.pieces[next]
            while offset < piece.count {
                let count = piece[offset...].withUnsafeBytes { send($0) }
                if count <= 0 { return }
                offset += count
                idleSteps = 0
            }
            (next, offset, pause) = (next + 1, 0, 0)
        }
        switch script.ending {
        case .wait: return
        case .hangUp: end()
        case .halfClose: endSending()
        case .reset:
            var option = linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
            end()
        }
        self.script?.ending = .wait
    }

    /// Bytes sent; 0 if the socket takes none now. A failure ends the connection.
    private func send(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        if let tls {
            clearErrors()
            let count = writeTLS(tls, base, Int32(bytes.count))
            if count > 0 { return Int(count) }
            if ![2, 3].contains(errorOfTLS(tls, count)) { end() }
            return 0
        }
        let count = Glibc.send(descriptor, base, bytes.count, Int32(MSG_NOSIGNAL))
        if count < 0 && errno != EAGAIN && errno != ENOTCONN { end() }
        return max(count, 0)
    }

    private func read() {
        var buffer = [UInt8](repeating: 0, count: 16384)
        for _ in 0..<4 {
            if let script, received.count >= script.readsAtMost { return }
            var count = 0
            if let tls {
                clearErrors()
                let result = readTLS(tls, &buffer, Int32(buffer.count))
                let error = result > 0 ? 0 : errorOfTLS(tls, result)
                if result <= 0 && ![2, 3].contains(error) { return end() }
                count = Int(result)
            } else {
                count = recv(descriptor, &buffer, buffer.count, 0)
                if count == 0 || (count < 0 && errno != EAGAIN && errno != ENOTCONN) { return end() }
            }
            if count <= 0 { return }
            idleSteps = 0
            if received.count < 65536 { received += buffer[..<count] }
        }
    }

    private func end() {
        if isOver { return }
        isOver = true
        if let tls { freeTLS(tls) }
        tls = nil
        close(descriptor)
    }
}
