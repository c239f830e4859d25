// Lengths from outside: what no peer may make this side believe.

import CLobTransport
import Testing

@testable import LobTransport

@Suite struct BoundsTests {
    @Test func onlyWhatCanHaveBeenRead() {
        var byte: UInt8 = 0
        let negative = [-1, -16, Int(Int32.min), Int.min].map { UInt(bitPattern: $0) }
        for length in negative + [126, 1 << 31, 1 << 32] {
            #expect(!ct_in_bounds(&byte, Int(bitPattern: length), 125), "\(length)")
            #expect(!ct_in_bounds(nil, Int(bitPattern: length), 125), "\(length)")
        }
        #expect(ct_in_bounds(&byte, 0, 125) && ct_in_bounds(&byte, 125, 125) && ct_in_bounds(nil, 0, 125))
        #expect(!ct_in_bounds(nil, 1, 125))
    }
}

extension SocketTests {
    @Suite struct Wall {
        /// A body of words, by chunks of the given sizes.
        private func answer(_ size: String) -> [UInt8] {
            Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(size)\r\n{\"symbols\":[]}".utf8)
        }

        /// The library keeps 32 bits of a size, signed: these became lengths below 0.
        @Test(arguments: ["80000000", "fffffff0", "ffffffff", "ffffffffffffffff", "180000000", "00fffffffe"])
        func chunkSizesBelowZero(_ size: String) throws {
            let bytes = answer(size)
            for split in [0, bytes.count - 14, bytes.count - 20, bytes.count - 3] {
                let server = ScriptedServer([
                    .awaitRequest, .send(Array(bytes[..<split])), .wait(ms: 2), .send(Array(bytes[split...])),
                    .hang,
                ])
                try withLoop { loop in
                    var body: [UInt8] = []
                    var end: TransportError??
                    let fetch = HTTPFetch(
                        try ServiceURL("http://127.0.0.1:\(server.port)/"), on: loop,
                        handlers: .init(body: { body += $0.bytes }, finished: { end = .some($0) }))
                    drive(loop, [server]) { end != nil }
                    #expect(end == .some(.lengthOutOfBounds), "\(size), \(split)")
                    #expect(body.isEmpty && loop.remote.counters.lengthsOutOfBounds == 1)
                    #expect(loop.remote.counters.failures == 1 && loop.remote.counters.open == 0)
                    _ = fetch
                }
            }
        }

        /// The library reads a sign, stops at what it does not know, and takes any number for a status.
        @Test(arguments: [
            "200 OK\r\nContent-Length: -1", "200 OK\r\nContent-Length: 5, 5", "200 OK\r\nContent-Length: 5a",
            "200 OK\r\nContent-Length: 9223372036854775808", "200 OK\r\nContent-Length: x",
            "-1 OK\r\nServer: y",
            "99 OK\r\nServer: y", "1000 OK\r\nServer: y", "99999999999999999999 OK\r\nServer: y",
        ])
        func headsThatAreNone(_ rest: String) throws {
            let server = ScriptedServer([
                .awaitRequest, .text("HTTP/1.1 \(rest)\r\n\r\nhello"), .wait(ms: 5), .hangUp,
            ])
            try withLoop { loop in
                var end: TransportError??
                let fetch = HTTPFetch(
                    try ServiceURL("http://127.0.0.1:\(server.port)/"), on: loop,
                    handlers: .init(body: { _ in }, finished: { end = .some($0) }))
                drive(loop, [server]) { end != nil }
                let word = rest.contains("Length") ? "Content-Length" : "status"
                #expect(end == .some(.badAnswer("a \(word) that is none")))
                _ = fetch
            }
        }

        @Test func noBytesAreNotTooMany() throws {
            let server = ScriptedServer([.awaitRequest, .text("HTTP/1.1 200 OK\r\n\r\nx"), .hangUp])
            try withLoop { loop in
                var options = HTTPFetch.Options()
                options.bodyBytesMax = -1
                var end: TransportError??
                let fetch = HTTPFetch(
                    try ServiceURL("http://127.0.0.1:\(server.port)/"), on: loop, options: options,
                    handlers: .init(body: { _ in }, finished: { end = .some($0) }))
                drive(loop, [server]) { end != nil }
                #expect(end == .some(.bodyTooLong(bytesMax: -1)))
                _ = fetch
            }
        }
    }
}
