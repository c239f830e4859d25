import Testing

@testable import LobTransport

/// Decodes as a client does, the bytes cut into these pieces.
private func decode(_ pieces: [ArraySlice<UInt8>]) -> (
    heard: [Heard], close: UInt16?, violation: FrameViolation?
) {
    var decoder = FrameDecoder(messageBytesMax: conformanceMessageBytesMax)
    var heard: [Heard] = []
    var message: [UInt8] = []
    for piece in pieces {
        let bytes = Array(piece)
        var position = 0
        do throws(FrameViolation) {
            decoding: while true {
                let span = bytes.span
                let step = try decoder.next(span, from: &position)
                let control = (0..<decoder.controlCount).map { decoder.control[$0] }
                switch step {
                case .needsMore: break decoding
                case .fragment(let start, let count, let isFinal):
                    message += bytes[start..<start + count]
                    if isFinal { heard.append(.message(message)) }
                    if isFinal { message = [] }
                case .ping: heard.append(.ping(control))
                case .pong: heard.append(.pong(control))
                case .close: return (heard, decoder.closeCode ?? 1005, nil)
                }
            }
        } catch {
            return (heard, nil, error)
        }
        #expect(position == bytes.count)
    }
    return (heard, nil, nil)
}

private func check(_ row: ConformanceRow, _ pieces: [ArraySlice<UInt8>], _ comment: Comment) {
    let result = decode(pieces)
    switch row.outcome {
    case .open(let heard):
        #expect(result.heard == heard && result.close == nil && result.violation == nil, comment)
    case .closed(let heard, let code, _):
        #expect(result.heard == heard && result.close == code, comment)
    case .violation(let heard, let fault, let offset):
        #expect(result.heard == heard, comment)
        #expect(result.violation == FrameViolation(fault: fault, offset: offset), comment)
    }
}

@Suite struct FramingTests {
    @Test(arguments: conformanceTable) func decodesAtEverySplit(_ row: ConformanceRow) {
        check(row, [row.bytes[...]], "whole")
        // Long payloads look the same everywhere inside: places around the headers, then strides.
        let isLong = row.bytes.count > 1000
        for split in 0...row.bytes.count
        where !isLong || split < 16 || split % 8111 == 0 || (66000..<66024).contains(split) {
            check(row, [row.bytes[..<split], row.bytes[split...]], "split at \(split)")
        }
        if !isLong {
            check(row, row.bytes.indices.map { row.bytes[$0...$0] }, "byte by byte")
        }
    }

    @Test(arguments: [0, 1, 3, 4, 125, 126, 65535, 65536, 70001])
    func encodesWhatTheBookUnmasks(_ count: Int) {
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var frames: [UInt8] = []
        appendFrame(.text, payload.span, mask: 0x1234_ABCD, to: &frames)
        let taken = unmasked(frames)
        #expect(taken.count == 1)
        #expect(taken.first?.opcode == 1 && taken.first?.payload == payload)
        #expect(
            Array(frames[(frames.count - count - 4)..<(frames.count - count)]) == [0x12, 0x34, 0xAB, 0xCD])
    }

    @Test func closeReasonIsCutBetweenCharacters() {
        let payload = closePayload(code: 1000, reason: String(repeating: "é", count: 100))
        #expect(payload.count == 124)
        #expect(String(validating: payload[2...], as: UTF8.self) != nil)
    }

    /// 1.3: the example of the RFC.
    @Test func acceptKeyOfTheRFC() {
        #expect(UpgradeHandshake(key: "dGhlIHNhbXBsZSBub25jZQ==").accept == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    @Test func keysDiffer() {
        let keys = Set((0..<100).map { _ in UpgradeHandshake.fresh().key })
        #expect(keys.count == 100 && keys.allSatisfy { $0.count == 24 })
    }

    @Test(
        arguments: [
            (["upgrade": "WebSocket", "connection": "keep-alive, Upgrade"], nil),
            (["upgrade": "websocket", "connection": "upgrade", "accept": "x"], HandshakeFault.accept),
            (["upgrade": "websocket", "connection": "upgrade", "accept": ""], .accept),
            (["upgrade": "h2c", "connection": "upgrade"], .upgrade),
            (["connection": "upgrade"], .upgrade),
            (["upgrade": "websocket", "connection": "close"], .connection),
            (["upgrade": "websocket", "connection": "notupgrade"], .connection),
            (["upgrade": "websocket"], .connection),
            (
                [
                    "upgrade": "websocket", "connection": "upgrade",
                    "sec-websocket-extensions": "permessage-deflate",
                ], .extensions
            ),
            (
                ["upgrade": "websocket", "connection": "upgrade", "sec-websocket-protocol": "chat"],
                .subprotocol
            ),
            (["upgrade": "websocket", "connection": "upgrade", "content-length": "0"], .body),
            (["upgrade": "websocket", "connection": "upgrade", "transfer-encoding": "chunked"], .body),
        ] as [([String: String], HandshakeFault?)])
    func checksTheAnswer(_ headers: [String: String], _ fault: HandshakeFault?) {
        let handshake = UpgradeHandshake.fresh()
        var found: HandshakeFault?
        do {
            try handshake.check { name in
                if name != "sec-websocket-accept" { return headers[name] }
                guard let given = headers["accept"] else { return handshake.accept }
                return given.isEmpty ? nil : given
            }
        } catch {
            found = error
        }
        #expect(found == fault)
    }
}
