// A request to a server of this machine, and its answer.

import LobTransport

/// What came of a request.
package struct Answer {
    package var status = 0
    package var body: [UInt8] = []
    package var headers: [String: String] = [:]
    package var error: TransportError?

    package init() {}

    package var text: String { String(decoding: body, as: UTF8.self) }
}

/// A request under way on a loop. Thread: the loop's.
package final class Asked {
    private static let names = [
        "x-mbx-used-weight-1m", "retry-after", "date", "content-type", "x-lob-served", "x-lob-depth-limit",
        "x-lob-stale",
    ]
    package private(set) var answer = Answer()
    package private(set) var isOver = false
    private var fetch: HTTPFetch?

    /// Sends it.
    package init(_ url: String, on loop: EventLoop, header: HTTPHeader? = nil) throws {
        var options = HTTPFetch.Options()
        if let header { options.headers = [header] }
        var handlers = HTTPFetch.Handlers(
            body: { [self] bytes in for index in bytes.indices { answer.body.append(bytes[index]) } },
            finished: { [self] error in
                answer.error = error
                isOver = true
            })
        handlers.answered = { [self] status in
            answer.status = status
            for name in Self.names { answer.headers[name] = fetch?.header(name) }
        }
        fetch = HTTPFetch(try ServiceURL(url), on: loop, options: options, handlers: handlers)
    }
}
