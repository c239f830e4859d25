// The venue's WebSocket API: the same answers as REST, over a persistent connection.

import BinanceServing
import LobTransport

extension ServerMachine {
    /// A client of the WebSocket API; it has no streams.
    func openQuery(_ peer: WebSocketPeer, _ address: String) -> WebSocketPeer.Handlers {
        counters.connectedCount += 1
        queriers.append(peer)
        shares.take(address)
        var pieces: [UInt8] = []
        var handlers = WebSocketPeer.Handlers()
        handlers.message = { [unowned self, unowned peer] bytes, isFinal in
            for index in bytes.indices { pieces.append(bytes[index]) }
            if !isFinal { return }
            defer { pieces = [] }
            reply(to: pieces, from: address, on: peer)
        }
        handlers.closed = { [unowned self, unowned peer] _ in
            queriers.removeAll { $0 === peer }
            shares.giveBack(address)
        }
        return handlers
    }

    private func reply(to message: [UInt8], from address: String, on peer: WebSocketPeer) {
        counters.requestCount += 1
        let timeUs = LoopClock.realtimeNs / 1_000
        let asked = Result { () throws(QueryRefusal) in try QueryRequest(message, rules) }
        let id =
            switch asked {
            case .success(let request): request.id
            case .failure(let refused): refused.id
            }
        // Unparsable requests count and cost like any other refusal.
        let answer = answer(of: address, atUs: timeUs, isMicroseconds: false, isKnown: true) {
            () throws(RestRefusal) in
            switch asked {
            case .success(let request): return try rules.route(request.target)
            case .failure(let refused): throw refused.refusal
            }
        }
        let bytes = rules.queryReply(
            to: id, status: answer.status, body: answer.body, usedWeight: answer.usedWeight)
        // A client that requests faster than it reads is cut off.
        if peer.queuedBytes + bytes.count > queuedBytesMax || !peer.send(text: bytes.span) {
            counters.slowCount += 1
            peer.close(code: UInt16(ConnectionClose.tooSlow.code))
        }
    }
}
