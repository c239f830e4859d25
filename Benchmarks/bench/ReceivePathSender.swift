// The sending side of the receive path's benchmark: this package's server, which floods or paces.

import CLobKernels
import Foundation
import LobTransport

/// What the first bytes of a paced message tell its receiver.
struct SendStamp {
    static let byteCount = 16
    private(set) var sentAtNs: UInt64 = 0
    /// How long the sending thread has waited for a CPU so far; all ones where the kernel does not tell.
    private var waitedNs = UInt64.max

    init() {}

    /// Of a message that begins with these bytes, `byteCount` at least.
    init(_ bytes: Span<UInt8>) {
        waitedNs = 0
        for index in 0..<8 {
            sentAtNs |= UInt64(bytes[index]) << (8 * UInt64(index))
            waitedNs |= UInt64(bytes[8 + index]) << (8 * UInt64(index))
        }
    }

    /// Of a message that the thread with this delay sends now.
    init(_ delay: RunDelay) {
        waitedNs = delay.waitedNs() ?? .max
        sentAtNs = CycleTimer.monotonicNs()
    }

    func write(into message: inout [UInt8]) {
        for index in 0..<8 {
            message[index] = UInt8(truncatingIfNeeded: sentAtNs >> (8 * UInt64(index)))
            message[8 + index] = UInt8(truncatingIfNeeded: waitedNs >> (8 * UInt64(index)))
        }
    }

    /// The sender's wait between two messages; nil where the kernel does not tell.
    func waitedNs(since earlier: SendStamp) -> UInt64? {
        waitedNs == .max || earlier.waitedNs == .max ? nil : waitedNs - earlier.waitedNs
    }
}

/// The sending side: a server on a thread of its own; the path says how many messages, and whether paced.
final class ReceivePathSender: @unchecked Sendable {
    private(set) var port = 0
    private var remote: LoopHandle?
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
        let delay = RunDelay()
        func next() {
            SendStamp(delay).write(into: &message)
            if !peer.send(text: message.span) { return }
            remaining -= 1
            if remaining > 0 { loop.after(ReceivePathBenchmark.paceNs, next) }
        }
        next()
        return WebSocketPeer.Handlers()
    }
}
