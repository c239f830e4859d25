// What can only be counted where nothing else runs: each of these tests is a process of its own.

import Foundation
import TestSupport
import Testing

@testable import LobTransport

/// Open descriptors of this process, by what they are.
private func descriptors() -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.compactMap { number in
        let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)")
        return target?.hasPrefix("/proc/") == true ? nil : target
    } ?? []
}

private func threadCount() -> Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task"))?.count ?? 0
}

/// One of everything that can happen to a connection.
private func liveThroughEverything() throws {
    let answering = ScriptedServer { _ in [.awaitRequest, .upgrade, .send(text("a")), .wait(ms: 2), .hangUp] }
    let violating = ScriptedServer { _ in [.awaitRequest, .upgrade, .send(frame(3))] }
    let refusing = ScriptedServer { _ in
        [.awaitRequest, .text("HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n")]
    }
    let silent = ScriptedServer { _ in [.hang] }
    let deaf = ScriptedServer(isListening: false) { _ in [] }
    let servers = [answering, violating, refusing, silent, deaf]
    try withLoop { loop in
        let own = try HTTPServer(
            on: loop,
            handlers: HTTPServer.Handlers(
                request: { $0.respond(HTTPResponse(json: "{}")) },
                upgrade: { _ in .accept { _ in WebSocketPeer.Handlers() } }))
        let ownURL = try ServiceURL("ws://localhost:\(own.port)/")
        var diaries: [Diary] = []
        for backends in [[WebSocketBackend.native], [.libwebsockets], [.native, .libwebsockets]] {
            for server in servers {
                diaries.append(Diary(server.url, on: loop, backends) { $0.openLimitMs = 60 })
            }
            diaries.append(Diary(try ServiceURL("ws://no-such-host.invalid/"), on: loop, backends))
        }
        let open = Diary(ownURL, on: loop)
        var fetchedCount = 0
        for server in [ownURL.port, silent.port, deaf.port] {
            var options = HTTPFetch.Options()
            options.limitMs = 60
            _ = HTTPFetch(
                try ServiceURL("http://127.0.0.1:\(server)/"), on: loop, options: options,
                handlers: .init(body: { _ in }, finished: { _ in fetchedCount += 1 }))
        }
        drive(loop, servers) { diaries.allSatisfy { $0.end != nil } && fetchedCount == 3 && open.isOpen }
        drive(loop, servers) { loop.remote.counters.open == 2 }
    }
}

/// Says what is wrong on the output of this process: of one that ends otherwise than expected nothing else is
/// known than that.
private func expect(_ condition: Bool, _ text: @autoclosure () -> String, line: Int = #line) {
    if !condition { print("finding: line \(line): \(text())") }
}

/// Records what a process has found.
private func record(_ result: ExitTest.Result?) {
    guard let result else { return }
    for line in String(decoding: result.standardOutputContent, as: UTF8.self).split(separator: "\n")
    where line.hasPrefix("finding: ") {
        Issue.record(Comment(rawValue: String(line)))
    }
}

@Suite(.serialized) struct ExhaustionTests {
    @Test func nothingLeaks() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            try liveThroughEverything()
            let before = descriptors()
            let threadsBefore = threadCount()
            for _ in 0..<3 { try liveThroughEverything() }
            // A look-up's thread, and the sockets of a peer that is told to hang, end by themselves.
            for _ in 0..<500 where descriptors().count != before.count || threadCount() > threadsBefore {
                usleep(10_000)
            }
            let after = descriptors()
            expect(after.count == before.count, "\(before) \(after)")
            expect(threadCount() <= threadsBefore, "\(threadCount()) threads, were \(threadsBefore)")
        }
        record(result)
    }

    @Test func noDescriptorLeft() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            let server = ScriptedServer { _ in [.awaitRequest, .upgrade, .send(text("hi")), .hang] }
            let loop = try EventLoop()
            let exhaustion = DescriptorExhaustion()
            for backend in [WebSocketBackend.native, .libwebsockets] {
                // Those that another thread has closed since.
                exhaustion.takeAll()
                let diary = Diary(server.url, on: loop, [backend])
                for _ in 0..<5_000 where diary.end == nil { loop.turn(waitAtMostNs: 1_000_000) }
                expect(diary.error == .descriptorsExhausted, "\(diary.heard)")
            }
            let named = Diary(try ServiceURL("ws://localhost:\(server.port)/"), on: loop)
            for _ in 0..<5_000 where named.end == nil { loop.turn(waitAtMostNs: 1_000_000) }
            expect(named.end != nil, "\(named.heard)")
            exhaustion.end()
            for backend in [WebSocketBackend.native, .libwebsockets] {
                let diary = Diary(server.url, on: loop, [backend])
                drive(loop, [server], forAtMostMs: 10_000) { !diary.messages.isEmpty }
                expect(diary.messages.count == 1, "\(backend): \(diary.heard)")
            }
            loop.close()
        }
        record(result)
    }

    /// A server without descriptors goes on serving those it has, and takes the others when it can again.
    @Test func serverWithoutDescriptors() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            let loop = try EventLoop()
            let server = try HTTPServer(
                on: loop,
                handlers: HTTPServer.Handlers(
                    request: { $0.respond(HTTPResponse(json: "{\"served\":true}")) },
                    upgrade: { _ in
                        .accept { peer in
                            var handlers = WebSocketPeer.Handlers()
                            handlers.message = { bytes, _ in _ = peer.send(text: bytes) }
                            return handlers
                        }
                    }))
            let url = try ServiceURL("ws://127.0.0.1:\(server.port)/")
            let first = Diary(url, on: loop)
            drive(loop) { first.isOpen }
            let second = RawClient()
            let exhaustion = DescriptorExhaustion()
            second.connect(server.port)
            second.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            for _ in 0..<20 { loop.turn(waitAtMostNs: 1_000_000) }
            expect(second.read().isEmpty && !second.hasServerHungUp, "\(second.received)")
            expect(first.client?.send(text: "still there") == true, "\(first.heard)")
            drive(loop) { !first.messages.isEmpty }
            exhaustion.end()
            drive(loop) { second.read().hasSuffix("{\"served\":true}") }
            expect(first.messages.count == 1 && !second.received.isEmpty, "\(first.heard)")
            loop.close()
        }
        record(result)
    }
}
