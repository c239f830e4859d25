// What the socket tests share: a loop driven by the test's own thread, and a client that writes down what it
// hears.

import Testing

@testable import LobTransport

/// Tests that open sockets run one after another; each drives its own loop.
@Suite(.serialized) struct SocketTests {}

extension Span<UInt8> {
    var bytes: [UInt8] { withUnsafeBufferPointer { Array($0) } }

    var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// Turns the loop and steps the scripts until the condition holds; fails the test when it does not in time.
func drive(
    _ loop: EventLoop, _ servers: [ScriptedServer] = [], forAtMostMs: Int = 3000, _ what: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation, until condition: () -> Bool
) {
    let endNs = monotonicNs() + UInt64(forAtMostMs) * 1_000_000
    while !condition() {
        if monotonicNs() > endNs {
            Issue.record(what ?? "not in time", sourceLocation: sourceLocation)
            return
        }
        loop.turn(waitAtMostNs: servers.isEmpty ? 10_000_000 : 500_000)
        for server in servers { server.step() }
    }
}

/// What a client heard, in order.
enum Heard: Equatable {
    case opened(WebSocketBackend)
    case message([UInt8])
    case ping([UInt8])
    case pong([UInt8])
    case probe
    case closed(WebSocketEnd)

    static func message(_ text: String) -> Heard { .message(Array(text.utf8)) }
}

/// A client and its diary; messages are put together from their pieces.
final class Diary {
    private(set) var heard: [Heard] = []
    private(set) var pieceCount = 0
    private var message: [UInt8] = []
    private(set) var client: WebSocketClient?
    var onMessage: ((Diary) -> Void)?

    init(
        _ url: ServiceURL, on loop: EventLoop, _ backends: [WebSocketBackend] = [.native],
        _ configure: (inout WebSocketClient.Options) -> Void = { _ in }
    ) {
        var options = WebSocketClient.Options()
        options.backends = backends
        options.openLimitMs = 2000
        options.closeLimitMs = 300
        configure(&options)
        var handlers = WebSocketClient.Handlers { [self] bytes, isFinal in
            pieceCount += 1
            message += bytes.bytes
            if !isFinal { return }
            heard.append(.message(message))
            message = []
            onMessage?(self)
        }
        handlers.opened = { [self] in heard.append(.opened($0)) }
        handlers.pinged = { [self] in heard.append(.ping($0.bytes)) }
        handlers.probed = { [self] in heard.append(.probe) }
        handlers.ponged = { [self] in heard.append(.pong($0.bytes)) }
        handlers.closed = { [self] in heard.append(.closed($0)) }
        client = WebSocketClient(url, on: loop, options: options, handlers: handlers)
    }

    var end: WebSocketEnd? {
        if case .closed(let end)? = heard.last { end } else { nil }
    }

    var error: TransportError? { end?.error }

    var isOpen: Bool { client?.backend != nil }

    /// Messages only.
    var messages: [[UInt8]] {
        heard.compactMap { if case .message(let bytes) = $0 { bytes } else { nil } }
    }
}

/// A loop for one test; closed when the test leaves it.
func withLoop(_ options: EventLoop.Options = EventLoop.Options(), _ body: (EventLoop) throws -> Void) throws {
    let loop = try EventLoop(options)
    defer { loop.close() }
    try body(loop)
}

/// An unmasked frame, as a server sends it.
func frame(_ opcode: UInt8, _ payload: [UInt8] = [], isLast: Bool = true, lengthBytes: Int? = nil) -> [UInt8]
{
    var frame = [opcode | (isLast ? 0x80 : 0)]
    let width = lengthBytes ?? (payload.count < 126 ? 0 : payload.count < 65536 ? 2 : 8)
    frame.append(width == 0 ? UInt8(payload.count) : width == 2 ? 126 : 127)
    for place in (0..<width).reversed() {
        frame.append(UInt8(truncatingIfNeeded: payload.count >> (8 * place)))
    }
    return frame + payload
}

func text(_ text: String, isLast: Bool = true) -> [UInt8] { frame(1, Array(text.utf8), isLast: isLast) }

func closeFrame(_ code: UInt16, _ reason: String = "") -> [UInt8] {
    frame(8, closePayload(code: code, reason: reason))
}

/// A client's frames taken apart by the book: opcode and unmasked payload.
func unmasked(_ bytes: [UInt8]) -> [(opcode: UInt8, payload: [UInt8])] {
    var frames: [(opcode: UInt8, payload: [UInt8])] = []
    var rest = bytes[...]
    while rest.count >= 6 {
        let opcode = rest.removeFirst()
        let short = Int(rest.removeFirst())
        if short < 0x80 || opcode & 0xF0 != 0x80 { return [] }
        var length = short & 0x7F
        if length > 125 {
            let width = length == 126 ? 2 : 8
            length = rest.prefix(width).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(width)
        }
        let mask = Array(rest.prefix(4))
        rest = rest.dropFirst(4)
        if rest.count < length { return [] }
        frames.append((opcode & 0xF, rest.prefix(length).enumerated().map { $1 ^ mask[$0 & 3] }))
        rest = rest.dropFirst(length)
    }
    return frames
}
