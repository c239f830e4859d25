// Frames that many clients get: what each client gets is the frames in order, whatever its socket takes of
// them at a time and whatever is sent between them.

import TestSupport
import Testing

@testable import LobTransport

/// A server's frames taken apart by the book; nil where the bytes are none.
private func frames(_ bytes: ArraySlice<UInt8>) -> [(opcode: UInt8, payload: [UInt8])]? {
    var frames: [(opcode: UInt8, payload: [UInt8])] = []
    var rest = bytes
    while rest.count >= 2 {
        let first = rest.removeFirst()
        if first & 0xF0 != 0x80 { return nil }
        var length = Int(rest.removeFirst())
        let width = length < 126 ? 0 : length == 126 ? 2 : length == 127 ? 8 : -1
        if width < 0 || rest.count < width { return nil }
        if width > 0 { length = rest.prefix(width).reduce(0) { $0 << 8 | Int($1) } }
        rest = rest.dropFirst(width)
        if rest.count < length { return nil }
        frames.append((first & 0xF, Array(rest.prefix(length))))
        rest = rest.dropFirst(length)
    }
    return rest.isEmpty ? frames : nil
}

extension RawClient {
    /// What has come behind the head of the answer.
    fileprivate var stream: ArraySlice<UInt8> {
        read()
        let end = Array("\r\n\r\n".utf8)
        let start = received.indices.first { received[$0...].starts(with: end) }
        return start.map { received[($0 + 4)...] } ?? []
    }
}

extension SocketTests {
    @Suite struct Batches {
        /// A server and clients that are connected to it, on a loop that has no connection of its own making.
        private func withPeers(
            _ count: Int, room: Int32? = nil, _ body: (EventLoop, [RawClient], [WebSocketPeer]) throws -> Void
        ) throws {
            try withLoop { loop in
                var peers: [WebSocketPeer] = []
                let server = try serve(
                    loop,
                    upgrade: { _ in
                        .accept {
                            peers.append($0)
                            return WebSocketPeer.Handlers()
                        }
                    })
                var clients: [RawClient] = []
                for number in 1...count {
                    let client = RawClient(room: room)
                    client.connect(server.port)
                    client.send(
                        "GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            + "Sec-WebSocket-Version: 13\r\n"
                            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                    )
                    clients.append(client)
                    drive(loop) { peers.count == number }
                }
                try body(loop, clients, peers)
            }
        }

        private func keep(_ text: String, on loop: EventLoop) throws -> BatchedFrame {
            try #require(loop.batch(Array(text.utf8), isText: true))
        }

        /// Each gets what is for it, in the order in which it was sent, with what is sent otherwise between.
        @Test func inOrder() throws {
            try withPeers(3) { loop, clients, peers in
                let sizes = [1, 125, 126, 2_000, 65_535, 65_536, 70_000]
                var expected = [[String]](repeating: [], count: 3)
                for (number, size) in sizes.enumerated() {
                    let text = String(repeating: "abcdefg".map { $0 }[number], count: size)
                    let frame = try keep(text, on: loop)
                    for (index, peer) in peers.enumerated() where (number + index) % 3 != 0 {
                        #expect(peer.send(frame))
                        expected[index].append(text)
                    }
                    #expect(peers[0].send(text: "\(number)"))
                    expected[0].append("\(number)")
                }
                drive(loop) { frames(clients[0].stream)?.count == expected[0].count }
                drive(loop) { frames(clients[1].stream)?.count == expected[1].count }
                drive(loop) { frames(clients[2].stream)?.count == expected[2].count }
                for (client, texts) in zip(clients, expected) {
                    let found = frames(client.stream) ?? []
                    #expect(found.allSatisfy { $0.opcode == 1 })
                    #expect(found.map { String(decoding: $0.payload, as: UTF8.self) } == texts)
                }
            }
        }

        /// Nothing leaves before the batch does, then all of it does.
        @Test func atOnce() throws {
            try withPeers(1) { loop, clients, peers in
                let sentBytes = loop.remote.counters.sentBytes
                for number in 0..<20 {
                    let frame = try keep("message \(number)", on: loop)
                    #expect(peers[0].send(frame))
                }
                #expect(loop.remote.counters.sentBytes == sentBytes && clients[0].stream.isEmpty)
                loop.sendBatch()
                let count = frames(clients[0].stream)?.count
                #expect(count == 20 && loop.remote.counters.sentBytes > sentBytes + 20 * 9)
            }
        }

        /// A frame of a batch that has been sent is kept no more.
        @Test func noLongerThanTheBatch() throws {
            try withPeers(1) { loop, clients, peers in
                let frame = try keep("old", on: loop)
                #expect(loop.holds(frame))
                loop.sendBatch()
                let refusedCount = loop.remote.counters.refusedSends
                #expect(!loop.holds(frame) && !peers[0].send(frame))
                #expect(loop.remote.counters.refusedSends == refusedCount + 1)
                // Large ones push earlier ones out, to those who get them.
                let first = try keep("first", on: loop)
                #expect(peers[0].send(first))
                for _ in 0..<20 { _ = try keep(String(repeating: "x", count: 40_000), on: loop) }
                #expect(!loop.holds(first) && frames(clients[0].stream)?.count == 1)
            }
        }

        /// What waits for the batch to be sent waits for each of its clients.
        @Test func whatIsKeptWaits() throws {
            try withPeers(2) { loop, clients, peers in
                let frame = try keep(String(repeating: "z", count: 1_000), on: loop)
                for peer in peers { #expect(peer.send(frame)) }
                #expect(peers[0].send(frame))
                let bytes = frame.byteCount
                #expect(loop.queuedBytes == 3 * bytes && peers[1].ownerQueuedBytes == 3 * bytes)
                #expect(peers.map(\.queuedBytes) == [2 * bytes, bytes])
                peers[0].sendBatch()
                #expect(frames(clients[0].stream)?.count == 2 && frames(clients[1].stream)?.isEmpty == true)
                #expect(peers.map(\.queuedBytes) == [0, bytes] && loop.queuedBytes == bytes)
                #expect(peers[0].send(frame))
                peers[0].abort()
                drive(loop) {
                    clients[0].read()
                    return clients[0].hasServerHungUp
                }
                #expect(loop.queuedBytes == 0 && frames(clients[1].stream)?.count == 1)
            }
        }

        /// Nothing stands behind a close frame.
        @Test func nothingFollowsAClose() throws {
            try withPeers(2) { loop, clients, peers in
                for peer in peers {
                    let frame = try keep("last", on: loop)
                    #expect(peer.send(frame))
                }
                peers[0].close(code: 1001)
                // Of a client: masked with zeros.
                clients[1].send(bytes: [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8])
                #expect(!peers[0].send(text: "queued behind it"))
                drive(loop) {
                    clients.allSatisfy { frames($0.stream)?.last?.opcode == 8 }
                }
                let late = try keep("late", on: loop)
                for peer in peers {
                    #expect(!peer.send(late))
                    #expect(!peer.send(text: "late"))
                    #expect(!peer.ping())
                }
                for _ in 0..<5 { loop.turn(waitAtMostNs: 1_000_000) }
                for client in clients { #expect(frames(client.stream)?.map(\.opcode) == [1, 8]) }
            }
        }

        /// A socket that takes a part gets the rest exactly, and pongs of the library stand between frames.
        @Test(arguments: [false, true]) func whatASocketDoesNotTakeFollows(_ waitsByLibrary: Bool) throws {
            try withPeers(1, room: 4_096) { loop, clients, peers in
                let silent = ScriptedServer([.hang])
                let own = waitsByLibrary ? Diary(silent.url, on: loop) : nil
                let (client, peer) = (clients[0], peers[0])
                var texts: [String] = []
                var pingCount = 0
                while !peer.isCongested || texts.count < 3_000 {
                    let text = "\(texts.count) " + String(repeating: "y", count: texts.count % 3_000)
                    if peer.queuedBytes > 3 << 20 { break }
                    let frame = try keep(text, on: loop)
                    #expect(peer.send(frame))
                    texts.append(text)
                    if texts.count % 16 == 0 { loop.sendBatch() }
                    if texts.count % 100 == 0 {
                        // A masked ping.
                        client.send(bytes: [0x89, 0x81, 0, 0, 0, 0, 0x70])
                        pingCount += 1
                        loop.turn()
                    }
                }
                #expect(peer.isCongested && pingCount > 0)
                drive(loop, forAtMostMs: 10_000) {
                    _ = client.stream
                    return !peer.isCongested && peer.queuedBytes == 0
                }
                drive(loop) { frames(client.stream)?.filter { $0.opcode == 1 }.count == texts.count }
                let found = try #require(frames(client.stream))
                #expect(
                    found.filter { $0.opcode == 1 }.map { String(decoding: $0.payload, as: UTF8.self) }
                        == texts)
                #expect(
                    found.contains { $0.opcode == 10 } && found.allSatisfy { [1, 10].contains($0.opcode) })
                own?.client?.abort()
            }
        }

        /// Clients that go while something is kept for them.
        @Test func theEndOfAClient() throws {
            try withPeers(3) { loop, clients, peers in
                for peer in peers {
                    let frame = try keep("last", on: loop)
                    #expect(peer.send(frame))
                }
                peers[0].abort()
                peers[1].close(code: 1001)
                drive(loop) {
                    for client in clients.prefix(2) { client.read() }
                    return clients[0].hasServerHungUp && frames(clients[1].stream)?.last?.opcode == 8
                }
                #expect(frames(clients[1].stream)?.first?.payload == Array("last".utf8))
                #expect(frames(clients[2].stream)?.count == 1)
                let frame = try keep("later", on: loop)
                #expect(!peers[0].send(frame))
            }
        }
    }
}
