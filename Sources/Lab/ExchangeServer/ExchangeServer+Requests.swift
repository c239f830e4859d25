// The server's REST endpoints: requests are passed to the venue, and answered when the venue's answer is due.

import BinanceServing
import LobTransport
import MarketData
import SimulatedExchange

extension RequestTarget {
    /// The target of an HTTP request.
    init(_ request: HTTPRequest) {
        self.init(
            method: request.method.name, path: request.path,
            parameters: request.query.map { Parameter($0.name, $0.value) })
    }
}

extension HTTPResponse {
    /// The response for an answer of the serving rules.
    init(_ answer: ServingAnswer) {
        self.init(
            status: answer.status, headers: answer.headers.compactMap { HTTPHeader($0.name, $0.value) },
            json: answer.json)
    }
}

extension ExchangeServer {
    /// The serving rules of the market.
    var rules: ServingRules { venue.rules }

    /// Answers a request, now or when the venue's answer is due.
    func answer(_ request: HTTPRequest) {
        run()
        tally.requestCount += 1
        if waitingAnswerCount >= options.answerCountMax {
            tally.overloadCount += 1
            request.respond(HTTPResponse(ServingAnswer.overloaded))
            return
        }
        let target = RequestTarget(request)
        let isMicroseconds = rules.asksForMicroseconds(request.header(ServingRules.timeUnitHeader))
        let address = request.owner
        venue.address = addresses[address, market, atUs: venue.nowUs]
        let response = respond(to: target, isMicroseconds: isMicroseconds)
        addresses[address, market, atUs: venue.nowUs] = venue.address
        waitingAnswerCount += 1
        loop.after(delayNs(untilVenueUs: response.dueUs)) { [unowned self] in
            waitingAnswerCount -= 1
            send(response, to: request)
        }
    }

    private func respond(to target: RequestTarget, isMicroseconds: Bool) -> VenueResponse {
        guard let player else { return venue.request(target, isMicroseconds: isMicroseconds) }
        do throws(RestRefusal) {
            let request = try rules.route(target)
            var response = venue.begin()
            if venue.admit(request, &response) {
                player.answer(request, &venue, &response)
                venue.finish(&response)
            }
            return response
        } catch {
            return venue.refused(error)
        }
    }

    private func send(_ response: VenueResponse, to request: HTTPRequest) {
        if response.status == 0 { return request.hangUp() }
        let headers = rules.headers(
            usedWeight: response.usedWeight, retryAfterSeconds: response.retryAfterSeconds, atUs: venue.nowUs)
        request.respond(
            HTTPResponse(
                status: response.status, contentType: ServingRules.contentType(of: response.body),
                headers: headers.compactMap { HTTPHeader($0.name, $0.value) }, body: response.body))
    }
}
