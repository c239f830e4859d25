// A client by bare socket: for what a correct client would not do.

import Glibc

/// Sends bytes as they are, and reads only when it is told to.
public final class RawClient {
    private let descriptor: Int32
    /// What has been read.
    public private(set) var received: [UInt8] = []
    /// Whether a read has met the end.
    public private(set) var hasServerHungUp = false

    /// A client that is not connected yet.
    ///
    /// - Parameter room: bytes that the kernel keeps of what is not read; nil for its own choice.
    public init(room: Int32? = nil) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var room {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &room, socklen_t(MemoryLayout.size(ofValue: room)))
        }
    }

    /// Its own port.
    public var localPort: Int {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// A connected client.
    public convenience init(_ port: Int) {
        self.init()
        connect(port)
    }

    /// A client with little room that has sent a request: for a WebSocket, unless it has another head.
    public convenience init(_ port: Int, path: String = "/", head: String? = nil) {
        self.init(room: 4_096)
        connect(port)
        send(
            head ?? "GET \(path) HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    }

    deinit { close(descriptor) }

    /// Connects to a port of this machine, by this IPv4 address of it.
    public func connect(_ port: Int, _ host: UInt32 = 0x7F00_0001) {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = host.bigEndian
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }

    /// Makes the connection end with a reset.
    public func endWithReset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// Ends its own direction; it may still read.
    public func endSending() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    /// Sends what the kernel takes of it.
    public func send(_ text: String) { send(bytes: Array(text.utf8)) }

    /// Sends what the kernel takes of these bytes.
    public func send(bytes: [UInt8]) {
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// Reads what is there; returns all that was read so far.
    @discardableResult
    public func read() -> String {
        while read(atMost: 65_536) {}
        return String(decoding: received, as: UTF8.self)
    }

    /// Reads a part of what is there; false if nothing was.
    @discardableResult
    public func read(atMost count: Int) -> Bool {
        var buffer = [UInt8](repeating: 0, count: count)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count == 0 { hasServerHungUp = true }
        if count > 0 { received += buffer[..<count] }
        return count > 0
    }
}
