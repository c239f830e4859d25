// A socket for servers that a test writes byte by byte.

import Glibc

/// A socket bound to a free port of loopback; it never blocks.
public struct LoopbackSocket {
    /// The socket, which the caller closes.
    public let descriptor: Int32
    /// Its port.
    public let port: Int

    /// Binds a socket.
    ///
    /// - Parameter backlog: most connections that wait to be accepted; nil does not listen.
    public init(backlog: Int32?) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_NONBLOCK, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                _ = bind(descriptor, generic, length)
                if let backlog { listen(descriptor, backlog) }
                getsockname(descriptor, generic, &length)
            }
        }
        self.descriptor = descriptor
        port = Int(UInt16(bigEndian: address.sin_port))
    }
}
