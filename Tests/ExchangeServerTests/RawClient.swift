// A WebSocket client that does as little as possible: no pongs, and no reading unless it is told to.

import Glibc

/// A client by bare socket. Reads into `received` whenever that is asked for and `isReading` is set.
final class RawClient {
    private let descriptor: Int32
    private var bytes: [UInt8] = []
    var isReading = true

    init(_ port: Int, path: String) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var room: Int32 = 4_096
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &room, socklen_t(MemoryLayout.size(ofValue: room)))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, length) }
        }
        let head =
            "GET \(path) HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        _ = Array(head.utf8).withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, 0) }
    }

    deinit { close(descriptor) }

    /// All that has come so far.
    var received: [UInt8] {
        var room = [UInt8](repeating: 0, count: 65_536)
        while isReading {
            let count = recv(descriptor, &room, room.count, Int32(MSG_DONTWAIT))
            if count <= 0 { break }
            bytes += room[..<count]
        }
        return bytes
    }
}
