// A venue of the test's own: real sockets on loopback, and answers as the test wants them. It has a loop of
// its own, so that it can stand still while the feed goes on.

import Foundation
import TestSupport

@testable import LobTransport

/// A request that a feed sent.
struct FeedRequest: Equatable {
    var method: String
    var streams: [String]
    var id: Int

    init?(_ text: String) {
        guard let object = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any],
            let method = object["method"] as? String, let streams = object["params"] as? [String],
            let id = object["id"] as? Int
        else { return nil }
        (self.method, self.streams, self.id) = (method, streams, id)
    }
}

/// One connection as the venue sees it.
final class VenueLink {
    let number: Int
    let path: String
    let peer: WebSocketPeer
    var requests: [FeedRequest] = []
    var atMs: [Int] = []
    var pongs = 0
    var end: WebSocketEnd?
    private var text = ""

    init(_ number: Int, _ path: String, _ peer: WebSocketPeer) {
        (self.number, self.path, self.peer) = (number, path, peer)
    }

    func send(_ text: String) { _ = peer.send(text: text) }
    func accept(_ request: FeedRequest) { send("{\"result\":null,\"id\":\(request.id)}") }
    func refuse(_ request: FeedRequest, isNested: Bool) {
        let error = "\"code\":2,\"msg\":\"Invalid request\""
        send(
            isNested ? "{\"error\":{\(error)},\"id\":\(request.id)}" : "{\(error),\"id\":\(request.id)}")
    }
    func shutDown() { send(#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}"#) }

    fileprivate func take(_ bytes: Span<UInt8>, _ isFinal: Bool) -> FeedRequest? {
        text += bytes.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
        if !isFinal { return nil }
        defer { text = "" }
        guard let request = FeedRequest(text) else { return nil }
        requests.append(request)
        atMs.append(Int(monotonicNs() / 1_000_000))
        return request
    }
}

final class TestVenue {
    let loop: EventLoop
    private(set) var links: [VenueLink] = []
    private(set) var upgrades = 0
    /// What a connection does with a request.
    var onRequest: (VenueLink, FeedRequest) -> Void = { $0.accept($1) }
    /// Status to refuse the upgrade of this number with; nil to accept it.
    var refusal: (Int) -> Int? = { _ in nil }
    /// Header lines of a refusal.
    var refusalHeaders: [HTTPHeader] = []
    /// The answer to a REST request, by its path and query; nil to hold it.
    var rest: (String, [String: String]) -> HTTPResponse? = { _, _ in HTTPResponse(status: 404, json: "{}") }
    private(set) var restRequests: [(path: String, query: [String: String])] = []
    private var held: [HTTPRequest] = []
    private(set) var port = 0

    init(pingIntervalMs: Int? = nil) throws {
        loop = try EventLoop()
        var options = HTTPServer.Options()
        options.pingIntervalMs = pingIntervalMs
        options.pongLimitMs = 100
        options.closeLimitMs = 200
        let server = try HTTPServer(
            on: loop, options: options,
            handlers: .init(
                request: { [unowned self] in answer($0) }, upgrade: { [unowned self] in upgrade($0) }))
        port = server.port
    }

    var streamBase: String { "ws://127.0.0.1:\(port)" }
    var restBase: String { "http://127.0.0.1:\(port)" }
    var link: VenueLink { links[links.count - 1] }

    /// Answers what was held.
    func release(_ response: HTTPResponse) {
        for request in held { _ = request.respond(response) }
        held = []
    }

    private func upgrade(_ request: HTTPRequest) -> UpgradeAnswer {
        upgrades += 1
        if let status = refusal(upgrades) {
            return .refuse(HTTPResponse(status: status, headers: refusalHeaders, json: "{}"))
        }
        let path = request.path
        return .accept { [unowned self] peer in
            let link = VenueLink(links.count, path, peer)
            links.append(link)
            var handlers = WebSocketPeer.Handlers()
            handlers.message = { [unowned self] bytes, isFinal in
                if let request = link.take(bytes, isFinal) { onRequest(link, request) }
            }
            handlers.ponged = { _ in link.pongs += 1 }
            handlers.closed = { link.end = $0 }
            return handlers
        }
    }

    private func answer(_ request: HTTPRequest) {
        var query: [String: String] = [:]
        for (name, value) in request.query { query[name] = value }
        restRequests.append((request.path, query))
        if let response = rest(request.path, query) {
            _ = request.respond(response)
        } else {
            held.append(request)
        }
    }
}

/// A server that answers every connection with the same bytes and hangs up: for answers no decent server
/// gives.
final class RawServer {
    private let listener: Int32
    let port: Int
    private let bytes: [UInt8]
    private(set) var answered = 0
    private var connection: Int32 = -1

    init(_ text: String) {
        bytes = Array(text.utf8)
        let bound = LoopbackSocket(backlog: 16)
        (listener, port) = (bound.descriptor, bound.port)
    }

    deinit { close(listener) }

    /// Goes on without waiting: accepts a connection, or answers one whose request is there.
    func step() {
        if connection < 0 {
            connection = accept(listener, nil, nil)
            if connection < 0 { return }
        }
        var buffer = [UInt8](repeating: 0, count: 4096)
        if recv(connection, &buffer, buffer.count, Int32(MSG_DONTWAIT)) < 0 { return }
        _ = bytes.withUnsafeBytes { send(connection, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL)) }
        shutdown(connection, Int32(SHUT_WR))
        close(connection)
        connection = -1
        answered += 1
    }
}
