// The server's streams: decides on upgrades and passes clients' messages to the venue.

import BinanceServing
import LobTransport
import MarketData
import SimulatedExchange

extension ExchangeServer {
    /// Decides on a request to upgrade.
    func decide(_ request: HTTPRequest) -> UpgradeAnswer {
        run()
        guard let target = StreamTarget(RequestTarget(request), rules) else { return refuse(.noService) }
        let address = request.owner
        venue.address = addresses[address, market, atUs: venue.nowUs]
        defer { addresses[address, market, atUs: venue.nowUs] = venue.address }
        do throws(ConnectionRefusal) {
            try venue.attempt(streamCount: target.names.count)
        } catch {
            return refuse(error.answer(atUs: venue.nowUs))
        }
        return .accept { peer in self.open(peer, target) }
    }

    private func refuse(_ answer: ServingAnswer) -> UpgradeAnswer {
        tally.refusedCount += 1
        return .refuse(HTTPResponse(answer))
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

    /// Passes an input to the venue at the current time, and delivers what follows at once.
    private func hear(_ pass: (inout Venue) -> Void) {
        run()
        pass(&venue)
        run()
    }
}
