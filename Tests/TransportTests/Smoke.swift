import Testing
@testable import Transport

@Test func smoke() throws {
    let loop = try EventLoop()
    defer { loop.close() }
    let server = try HTTPServer(on: loop, handlers: .init(
        request: { $0.respond(HTTPResponse(json: "{\"path\":\"\($0.path)\",\"n\":\($0.query.count)}")) },
        upgrade: { request in
            .accept { peer in
                _ = peer.send(text: "hello \(request.path)")
                var h = WebSocketPeer.Handlers()
                h.message = { bytes, isFinal in
                    var text = [UInt8]()
                    for i in bytes.indices { text.append(bytes[i]) }
                    if text == Array("bye".utf8) { peer.close(code: 4001, reason: "done") } else { _ = peer.send(text: text.span) }
                }
                h.closed = { print("peer", $0) }
                return h
            }
        }))
    for road in [WebSocketRoad.fast, .standard] {
        var log: [String] = []
        var options = WebSocketClient.Options()
        options.roads = [road]
        var handlers = WebSocketClient.Handlers { bytes, isFinal in
            var text = [UInt8]()
            for i in bytes.indices { text.append(bytes[i]) }
            log.append(String(decoding: text, as: UTF8.self) + (isFinal ? "." : "…"))
        }
        var done = false
        handlers.opened = { log.append("opened \($0)") }
        handlers.closed = { log.append("closed \($0)"); done = true }
        let client = WebSocketClient(try ServiceURL("ws://127.0.0.1:\(server.port)/ws/btcusdt@depth"), on: loop, options: options, handlers: handlers)
        let start = monotonicNs()
        var said = false
        while !done && monotonicNs() - start < 3_000_000_000 {
            loop.turn(waitAtMostNs: 10_000_000)
            if !said && log.count == 2 { said = true; print(client.send(text: "echo"), client.send(text: "bye")) }
        }
        print(log)
    }
    var body = [UInt8]()
    var end: String?
    let fetch = HTTPFetch(try ServiceURL("http://127.0.0.1:\(server.port)/api/v3/depth?symbol=X&limit=5"), on: loop,
        handlers: .init(body: { b in for i in b.indices { body.append(b[i]) } }, finished: { end = "\(String(describing: $0))" }))
    let start = monotonicNs()
    while end == nil && monotonicNs() - start < 3_000_000_000 { loop.turn(waitAtMostNs: 10_000_000) }
    print(String(decoding: body, as: UTF8.self), end ?? "-", fetch.header("x") ?? "nil")
    print(loop.remote.counters)
}
