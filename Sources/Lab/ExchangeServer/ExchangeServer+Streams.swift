// The server's streams: upgrades decided, clients' messages passed on to the venue.

import LobTransport
import MarketData
import SimulatedExchange

extension ExchangeServer {
    /// Decides on a request to upgrade.
    func decide(_ request: HTTPRequest) -> UpgradeAnswer {
        run()
        guard let target = StreamTarget(path: request.path, query: request.query, market: market) else {
            return refuse(HTTPResponse(status: 404, json: "{}"))
        }
        let address = request.peerAddress
        venue.address = addresses[address, market]
        defer { addresses[address, market] = venue.address }
        do throws(VenueRefusal) {
            try venue.attempt(streamCount: target.names.count)
        } catch {
            return refuse(response(to: error))
        }
        return .accept { peer in self.open(peer, target) }
    }

    private func refuse(_ response: HTTPResponse) -> UpgradeAnswer {
        tally.refusedCount += 1
        return .refuse(response)
    }

    private func response(to refusal: VenueRefusal) -> HTTPResponse {
        switch refusal {
        case .tooManyAttempts(let retryAtUs):
            let seconds = (retryAtUs - venue.nowUs + 999_999) / 1_000_000
            let header = HTTPHeader("Retry-After", "\(seconds)").map { [$0] } ?? []
            return HTTPResponse(
                status: 429, headers: header,
                json: #"{"code":-1003,"msg":"Too many connection attempts."}"#)
        case .tooManyStreams:
            return HTTPResponse(status: 400, json: #"{"code":4,"msg":"Too many subscriptions"}"#)
        case .tooManyConnections, .notConnected: return HTTPResponse(status: 503, json: "{}")
        }
    }

    private func open(_ peer: WebSocketPeer, _ target: StreamTarget) -> WebSocketPeer.Handlers {
        var handlers = WebSocketPeer.Handlers()
        guard
            let id = try? venue.open(
                target.names, isCombined: target.isCombined, isMicroseconds: target.isMicroseconds,
                isDeaf: target.isDeaf)
        else {
            peer.close(code: 1013)
            return handlers
        }
        let client = StreamClient(peer, id, queuedBytesMax: options.queuedBytesMax)
        clients.append(client)
        tally.connectedCount += 1
        handlers.message = { [unowned self, unowned client] bytes, isFinal in
            guard let message = client.collect(bytes, isFinal: isFinal) else { return }
            hear { $0.receive(message, on: id) }
        }
        handlers.ponged = { [unowned self] payload in
            let payload = payload.array
            hear { $0.receivePong(payload, on: id) }
        }
        handlers.closed = { [unowned self] _ in
            clients.removeAll { $0 === client }
            venue.disconnect(id)
        }
        return handlers
    }

    /// Passes something on to the venue at the present moment, and what follows from it at once.
    private func hear(_ pass: (inout Venue) -> Void) {
        run()
        pass(&venue)
        run()
    }
}
