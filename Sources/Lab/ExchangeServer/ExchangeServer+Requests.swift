// The server's REST endpoints: requests passed on to the venue, answers when they are due.

import LobTransport
import MarketData
import SimulatedExchange

extension HTTPMethod {
    /// As HTTP spells it; the methods nobody uses here in one word.
    fileprivate var name: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .other: "OTHER"
        }
    }
}

extension ExchangeServer {
    /// Answers a request, now or when the venue's answer is due.
    func answer(_ request: HTTPRequest) {
        run()
        tally.requestCount += 1
        if waitingAnswerCount >= options.answerCountMax {
            tally.overloadCount += 1
            request.respond(HTTPResponse(status: 503, json: "{}"))
            return
        }
        let target = VenueTarget(
            method: request.method.name, path: request.path,
            parameters: request.query.map { VenueTarget.Parameter($0.name, $0.value) })
        let isMicroseconds = request.header("x-mbx-time-unit")?.uppercased() == "MICROSECOND"
        let address = request.peerAddress
        venue.address = addresses[address, market]
        let response = respond(to: target, isMicroseconds: isMicroseconds)
        addresses[address, market] = venue.address
        waitingAnswerCount += 1
        loop.after(delayNs(untilVenueUs: response.dueUs)) { [unowned self] in
            waitingAnswerCount -= 1
            send(response, to: request)
        }
    }

    private func respond(to target: VenueTarget, isMicroseconds: Bool) -> VenueResponse {
        guard let player else { return venue.request(target, isMicroseconds: isMicroseconds) }
        do throws(RequestRefusal) {
            let question = try target.question(market)
            var response = venue.begin()
            if venue.admit(question, &response) {
                player.answer(question, &venue, &response)
                venue.finish(&response)
            }
            return response
        } catch {
            return venue.refused(error)
        }
    }

    private func send(_ response: VenueResponse, to request: HTTPRequest) {
        if response.status == 0 { return request.hangUp() }
        var headers = response.headers.compactMap { HTTPHeader($0.name, $0.value) }
        headers += [HTTPHeader("Date", httpDate(venue.nowUs))].compactMap { $0 }
        if market == .spot, let used = HTTPHeader("X-MBX-USED-WEIGHT", "\(response.usedWeight)") {
            headers.append(used)
        }
        let isHTML = response.body.first == UInt8(ascii: "<")
        request.respond(
            HTTPResponse(
                status: response.status,
                contentType: isHTML ? "text/html" : "application/json;charset=UTF-8", headers: headers,
                body: response.body))
    }
}
