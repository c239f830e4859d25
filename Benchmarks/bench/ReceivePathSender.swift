// The sending side of the receive path's benchmark: this package's server, which floods or paces.

import CKernels
import Foundation
import Transport

/// The sending side: a server on a thread of its own; the path says how many messages, and whether paced.
final class ReceivePathSender: @unchecked Sendable {
    private(set) var port = 0
    private var remote: LoopRemote?
    private var isStopped = false
    private let ready = DispatchSemaphore(value: 0)
    private let gone = DispatchSemaphore(value: 0)

    init(tls: TLSIdentity?, isSpinning: Bool) {
        Thread.detachNewThread { [self] in
            lob_name_thread("sender")
            _ = lob_pin_thread(1)
            serve(tls: tls, isSpinning: isSpinning)
            gone.signal()
        }
        ready.wait()
    }

    func stop() {
        _ = remote?.post { [self] _ in isStopped = true }
        gone.wait()
    }

    private func serve(tls: TLSIdentity?, isSpinning: Bool) {
        let loop = try! EventLoop()
        var options = HTTPServer.Options()
        options.tls = tls
        let server = try! HTTPServer(
            on: loop, options: options,
            handlers: HTTPServer.Handlers(
                request: { $0.respond(HTTPResponse(json: "{}")) },
                upgrade: { request in
                    let parts = request.path.split(separator: "/")
                    let messageCount = Int(parts[0])!
                    return .accept { peer in
                        parts[1] == "true"
                            ? Self.pace(peer, on: loop, messageCount) : Self.flood(peer, messageCount)
                    }
                }))
        (port, remote) = (server.port, loop.remote)
        ready.signal()
        loop.run(spinning: isSpinning) { isStopped }
        loop.close()
    }

    private static func flood(_ peer: WebSocketPeer, _ messageCount: Int) -> WebSocketPeer.Handlers {
        let message = [UInt8](repeating: 0x61, count: ReceivePathBenchmark.messageBytes)
        var remaining = messageCount
        func fill() {
            while remaining > 0 && !peer.isCongested && peer.send(text: message.span) { remaining -= 1 }
        }
        var handlers = WebSocketPeer.Handlers()
        handlers.drained = fill
        fill()
        return handlers
    }

    private static func pace(
        _ peer: WebSocketPeer, on loop: EventLoop, _ messageCount: Int
    ) -> WebSocketPeer.Handlers {
        var message = [UInt8](repeating: 0x61, count: ReceivePathBenchmark.messageBytes)
        var remaining = messageCount
        func next() {
            var now = monotonicTimeNs()
            for index in 0..<8 {
                message[index] = UInt8(truncatingIfNeeded: now)
                now >>= 8
            }
            if !peer.send(text: message.span) { return }
            remaining -= 1
            if remaining > 0 { loop.after(1_000_000, next) }
        }
        next()
        return WebSocketPeer.Handlers()
    }
}
