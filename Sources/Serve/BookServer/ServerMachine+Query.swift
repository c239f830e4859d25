// The venue's WebSocket API: the same answers as REST, over a persistent connection.
//
//     message                                                   | answer
//     ----------------------------------------------------------|-----------------------------
//     within the pace and the weight of its address             | as REST
//     beyond, the first `warningCountMax` in a row              | as REST: 429, or 418
//     beyond, one more                                          | close frame, 1008

import BinanceServing
import LobTransport

extension ServerMachine {
    /// Consecutive refusals that are answered; the next one closes the connection.
    static let warningCountMax = 10
    /// What REST says in `depthLimitHeader`, as a member of the result.
    private static let depthLimitMember = "lobDepthLimit"

    /// A client of the WebSocket API; it has no streams.
    func openQuery(_ peer: WebSocketPeer) -> WebSocketPeer.Handlers {
        let owner = peer.owner
        counters.connectedCount += 1
        queriers[ObjectIdentifier(peer)] = peer
        clientShares.take(owner)
        var pieces: [UInt8] = []
        var warningCount = 0
        var handlers = WebSocketPeer.Handlers()
        handlers.message = { [unowned self, unowned peer] bytes, isFinal in
            for index in bytes.indices { pieces.append(bytes[index]) }
            if !isFinal { return }
            defer { pieces = [] }
            guard let end = reply(to: pieces, on: peer, &warningCount) else { return }
            peer.close(code: UInt16(end.code), reason: end.reason)
        }
        handlers.closed = { [unowned self, unowned peer] _ in
            queriers[ObjectIdentifier(peer)] = nil
            clientShares.giveBack(owner)
        }
        return handlers
    }

    /// Answers a message, or returns why the connection is to be closed.
    private func reply(
        to message: [UInt8], on peer: WebSocketPeer, _ warningCount: inout Int
    ) -> ConnectionClose? {
        counters.requestCount += 1
        let timeUs = LoopClock.realtimeNs / 1_000
        let asked = Result { () throws(QueryRefusal) in try QueryRequest(message, rules) }
        let id =
            switch asked {
            case .success(let request): request.id
            case .failure(let refused): refused.id
            }
        // Unparsable requests count and cost like any other refusal.
        let answer = answer(to: Caller(peer), atUs: timeUs, isMicroseconds: false) {
            () throws(RestRefusal) in
            switch asked {
            case .success(let request): return try rules.route(request.target)
            case .failure(let refused): throw refused.refusal
            }
        }
        warningCount = [429, 418].contains(answer.status) ? warningCount + 1 : 0
        if warningCount > ServerMachine.warningCountMax { return .tooManyMessages }
        let bytes = rules.queryReply(
            to: id, status: answer.status, body: queryBody(of: answer, atUs: timeUs),
            usedWeight: answer.usedWeight)
        // A client that requests faster than it reads is cut off.
        if peer.queuedBytes + bytes.count > queuedBytesMax(for: peer) || !peer.send(text: bytes.span) {
            counters.slowCount += 1
            return .tooSlow
        }
        return nil
    }

    /// The body of an answer with what REST says in headers.
    func queryBody(of answer: RestAnswer, atUs timeUs: Int64) -> [UInt8] {
        if let seconds = answer.retryAfterSeconds {
            return ServingRules.body(of: answer.body, retryAfterSeconds: seconds, atUs: timeUs)
        }
        guard let limit = answer.depthLimit else { return answer.body }
        return ServingRules.adding(ServerMachine.depthLimitMember, "\(limit)", to: answer.body)
    }
}
