// A server over loopback and its visitors, one at a time: what they send goes through the library, the shim
// and the readers; what it leads to must be over when they are gone.
import Glibc
import MarketData

@testable import BinanceServing
@testable import LobTransport

final class Door {
    private let loop: EventLoop
    private let port: Int
    private var server: HTTPServer?
    private static let turnsMax = 20_000

    init() {
        // Without either there is nothing to be fuzzed.
        loop = try! EventLoop()
        var options = HTTPServer.Options()
        options.messageBytesMax = 1_000
        var handlers = HTTPServer.Handlers(request: Door.answer, upgrade: Door.decide)
        handlers.deflates = { _ in true }
        server = try! HTTPServer(on: loop, options: options, handlers: handlers)
        port = server!.port
    }

    static func upgrade(to path: String, isDeflating: Bool = false) -> [UInt8] {
        Array(
            ("GET \(path) HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + (isDeflating ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "")
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").utf8)
    }

    private static func target(_ request: HTTPRequest) -> RequestTarget {
        RequestTarget(
            method: request.method.name, path: request.path,
            parameters: request.query.map { RequestTarget.Parameter($0.name, $0.value) })
    }

    private static func answer(_ request: HTTPRequest) {
        for name in ["host", "origin", "authorization", "x-mbx-apikey", "last-event-id"] {
            _ = request.header(name)
        }
        precondition(request.owner == loopbackOwner)
        let answer = readOwn(request.path, request.query) ?? read(target(request))
        request.respond(HTTPResponse(status: answer.status, body: answer.body))
    }

    private static func decide(_ request: HTTPRequest) -> UpgradeAnswer {
        let target = target(request)
        let isQuery = request.path == "/ws-api/v3"
        if !isQuery && StreamTarget(target, ServingRules(.spot)) == nil {
            return .refuse(HTTPResponse(status: 404, json: "{}"))
        }
        return .accept { peer in
            var pieces: [UInt8] = []
            var handlers = WebSocketPeer.Handlers()
            handlers.message = { bytes, isFinal in
                for index in bytes.indices { pieces.append(bytes[index]) }
                precondition(pieces.count <= 1_000)
                if !isFinal { return }
                if isQuery { _ = peer.send(text: readQuery(pieces).span) } else { readControl(pieces) }
                pieces = []
            }
            return handlers
        }
    }

    /// Connects, sends both in turn, listens for a while, and vanishes.
    func visit(_ bytes: [UInt8], behind head: [UInt8] = []) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        // Hangs up with RST: nothing waits for the port to be free.
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        if isConnected {
            if !head.isEmpty { exchange(descriptor, head) }
            // In two pieces, cut where the input says.
            let cut = bytes.isEmpty ? 0 : Int(bytes[bytes.count / 2]) % (bytes.count + 1)
            exchange(descriptor, Array(bytes[..<cut]))
            exchange(descriptor, Array(bytes[cut...]))
        }
        close(descriptor)
        var turns = 0
        while loop.remote.counters.open > 0 || loop.queuedBytes > 0 || server!.peerCount > 0 {
            loop.turn(waitAtMostNs: turns < 20 ? 0 : 200_000)
            turns += 1
            precondition(turns < Door.turnsMax, "something stays of a visitor that is gone")
        }
    }

    private func exchange(_ descriptor: Int32, _ bytes: [UInt8]) {
        _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        var room = [UInt8](repeating: 0, count: 4_096)
        var quiet = 0
        for _ in 0..<40 where quiet < 3 {
            loop.turn(waitAtMostNs: 0)
            quiet = recv(descriptor, &room, room.count, 0) > 0 ? 0 : quiet + 1
        }
    }
}
