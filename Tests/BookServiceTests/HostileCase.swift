// Peers that break rules, one case each: the first connections of a kind meet one, the later ones pass.

import BinanceVenue
import BookEngine
import DepthFeed
import LobTransport
import MarketData

@testable import BookService

/// A hostile peer of the streams or of the requests.
struct HostileCase: Sendable, CustomStringConvertible {
    enum Pipeline: Sendable {
        case streams, requests
    }

    var name: String
    var backend: Pipeline
    /// How many connections are spoiled.
    var count: Int
    var sabotage: Sabotage
    /// What the service must have said, as part of a line.
    var said: String
    /// What else must be seen, nil if it was.
    var sign: (@Sendable (Sight) -> String?)?
    /// Venue seconds in a second.
    var speed = 20.0
    var adjust: @Sendable (inout ServiceConfiguration) -> Void = { _ in }

    var description: String { name }

    init(
        _ name: String, _ backend: Pipeline, _ count: Int, _ sabotage: Sabotage, said: String,
        speed: Double = 20,
        adjust: @escaping @Sendable (inout ServiceConfiguration) -> Void = { _ in },
        sign: (@Sendable (Sight) -> String?)? = nil
    ) {
        (self.name, self.backend, self.count, self.sabotage) = (name, backend, count, sabotage)
        (self.said, self.speed, self.adjust, self.sign) = (said, speed, adjust, sign)
    }

    private static func upgradeRefused(_ status: String) -> Sabotage {
        .answer(httpAnswer(status, ["Retry-After: 1"], "{}"))
    }

    /// The first request was refused with `Retry-After: 1`: those sent with it were the last for a second.
    private static let waitedASecond: @Sendable (Sight) -> String? = { sight in
        let times = sight.meddler?.acceptedAt ?? []
        let next = times.first { $0 - times[0] > 0.2 } ?? times.first ?? 0
        return next - (times.first ?? 0) >= 1 ? nil : "a second's pause, requests at \(times)"
    }

    private static let garbage: [UInt8] =
        serverText("this is no JSON") + serverText("{\"stream\":\"sim0usdt@depth@100ms\",\"data\":")
        + serverText(String(repeating: "[", count: 70_000)) + serverText("")
        + serverText("{\"e\":\"depthUpdate\",\"s\":\"SIM0USDT\",\"U\":1,\"u\":0,\"b\":[[\"1\"]],\"a\":7}")

    private static let binary: [UInt8] =
        serverFrame(2, (0...255).map { UInt8($0) })
        + serverFrame(2, Array("{\"result\":null,\"id\":1}".utf8))
        + serverFrame(2, [UInt8](repeating: 0, count: 20_000))

    static let streams: [HostileCase] = [
        HostileCase(
            "half-open before the upgrade", .streams, 2, .vanish(afterBytes: 0),
            said: "not open after 1000 ms"),
        HostileCase(
            "half-open in the handshake", .streams, 2, .vanish(afterBytes: 60), said: "not open after"),
        HostileCase(
            "half-open later", .streams, 2, .vanish(afterBytes: 20_000), said: "nothing received for"),
        HostileCase(
            "handshake byte by byte, too slow", .streams, 2, .drip(fromByte: 0, everyUs: 20_000),
            said: "not open after 1000 ms"),
        HostileCase(
            "handshake byte by byte, in time", .streams, 1, .drip(fromByte: 0, everyUs: 0),
            said: "open on the native",
            speed: 1),
        HostileCase(
            "frames byte by byte, too slow", .streams, 1, .drip(fromByte: 400, everyUs: 2000),
            said: "replaced",
            sign: { $0.sum(\.behind) + $0.sum(\.resubscriptions) > 0 ? nil : "a book found behind" }),
        HostileCase(
            "403 for the upgrade", .streams, 2, upgradeRefused("403 Forbidden"),
            said: "upgrade refused with status 403"),
        HostileCase(
            "429 for the upgrade", .streams, 2, upgradeRefused("429 Too Many Requests"),
            said: "upgrade refused with status 429"),
        HostileCase(
            "503 for the upgrade", .streams, 2, upgradeRefused("503 Service Unavailable"),
            said: "upgrade refused with status 503"),
        HostileCase(
            "200 for the upgrade", .streams, 2, .answer(httpAnswer("200 OK", [], "welcome")),
            said: "upgrade refused with status 200"),
        HostileCase(
            "no HTTP for the upgrade", .streams, 2, .answer("SSH-2.0-OpenSSH_9.2\r\n\r\n"), said: "ended"),
        HostileCase("wrong accept", .streams, 4, .wrongAccept, said: "invalid handshake"),
        HostileCase(
            "oversized frame", .streams, 2, .inject(serverFrame(1, [0x7B], claiming: 9 << 20)),
            said: "framing violated"),
        HostileCase(
            "length that no memory holds", .streams, 2, .inject(serverFrame(1, [], claiming: Int.max)),
            said: "framing violated"),
        HostileCase(
            "reserved opcode", .streams, 2, .inject(serverFrame(3, [1, 2])), said: "framing violated"),
        HostileCase(
            "garbage instead of JSON", .streams, 1, .inject(garbage), said: "unreadable message",
            sign: { $0.engines(\.malformed) > 0 ? nil : "malformed messages" }),
        HostileCase(
            "binary frames", .streams, 1, .inject(binary), said: "unreadable message",
            sign: { $0.engines(\.malformed) > 0 ? nil : "malformed messages" }),
        HostileCase(
            "a message longer than the ring", .streams, 1,
            .inject(serverText("{\"e\":\"depthUpdate\"," + String(repeating: " ", count: 3 << 20) + "}")),
            said: "subscribed", sign: { $0.feeds(\.droppedMessages) > 0 ? nil : "a dropped message" }),
        HostileCase(
            "closed for policy", .streams, 2, .inject(serverFrame(8, [0x03, 0xF0] + Array("too fast".utf8))),
            said: "closed by the venue with 1008 too fast"),
        HostileCase(
            "closed with half a code", .streams, 2, .inject(serverFrame(8, [0x03])), said: "framing violated"),
        HostileCase(
            "endless head of the upgrade", .streams, 2, .endless("HTTP/1.1 101 Yes\r\nX-A: ", 0x61),
            said: "ended"),
        HostileCase(
            "moved elsewhere", .streams, 2,
            .answer(httpAnswer("301 Moved Permanently", ["Location: http://127.0.0.1:1/"])),
            said: "upgrade refused with status 301"),
        HostileCase("closed after subscribing", .streams, 3, .closeOnRequest, said: "connection lost"),
        HostileCase("reset at once", .streams, 3, .reset, said: "ended"),
        HostileCase("subscription never answered", .streams, 2, .swallowRequests, said: "unanswered"),
        HostileCase(
            "subscription refused, flat", .streams, 1, .refuseRequests(isNested: false),
            said: "refused with 2"),
        HostileCase(
            "subscription refused, nested", .streams, 1, .refuseRequests(isNested: true),
            said: "refused with 2"),
    ]

    static let requests: [HostileCase] = [
        HostileCase("requests reset", .requests, 4, .reset, said: "snapshot of"),
        HostileCase("requests never answered", .requests, 2, .silent, said: "no whole answer after 400 ms") {
            $0.fetcher.requestLimitMs = 400
        },
        HostileCase(
            "500", .requests, 4,
            .answer(httpAnswer("500 Internal Server Error", [], "{\"code\":-1000,\"msg\":\"no\"}")),
            said: "500 -1000 no"),
        HostileCase(
            "503 in HTML", .requests, 4, .answer(httpAnswer("503 Service Unavailable", [], "<html>")),
            said: "503"),
        HostileCase(
            "400 for a while", .requests, 4,
            .answer(httpAnswer("400 Bad Request", [], "{\"code\":-1100,\"msg\":\"x\"}")),
            said: "refused with 400, -1100"),
        HostileCase(
            "429", .requests, 1,
            .answer(
                httpAnswer("429 Too Many Requests", ["Retry-After: 1"], "{\"code\":-1003,\"msg\":\"slow\"}")),
            said: "the venue answered 429", sign: waitedASecond),
        HostileCase(
            "418", .requests, 1,
            .answer(httpAnswer("418 I'm a teapot", ["Retry-After: 1"], "{\"code\":-1003,\"msg\":\"ban\"}")),
            said: "the venue answered 418", sign: waitedASecond),
        HostileCase(
            "requests moved elsewhere", .requests, 4,
            .answer(httpAnswer("301 Moved Permanently", ["Location: http://127.0.0.1:1/"])),
            said: "refused with 301"),
        HostileCase(
            "endless head of a body", .requests, 2, .endless("HTTP/1.1 200 OK\r\nX-A: ", 0x61),
            said: "snapshot of"),
        HostileCase("body cut short", .requests, 4, .cut(afterBytes: 3000), said: "the body ended early"),
        HostileCase(
            "endless body", .requests, 2, .endless("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", 0x5B),
            said: "the body is longer"
        ) { $0.fetcher.bodyBytesMax = 1 << 20 },
        HostileCase(
            "body that trickles", .requests, 2, .drip(fromByte: 600, everyUs: 5000),
            said: "not whole after 700 ms"
        ) {
            $0.fetcher.planner?.answerTimeoutMs = 1200
        },
        HostileCase(
            "another JSON", .requests, 4, .answer(httpAnswer("200 OK", [], "{\"serverTime\":1790000000000}")),
            said: "",
            sign: { $0.sum(\.snapshotsFailed) > 0 ? nil : "failed snapshots" }),
        HostileCase(
            "a book of words", .requests, 4,
            .answer(
                httpAnswer("200 OK", [], "{\"lastUpdateId\":9,\"bids\":[[\"high\",\"much\"]],\"asks\":[]}")),
            said: "",
            sign: { $0.sum(\.snapshotsFailed) > 0 ? nil : "failed snapshots" }),
        HostileCase(
            "an empty body", .requests, 4, .answer(httpAnswer("200 OK")), said: "",
            sign: { $0.sum(\.snapshotsFailed) > 0 ? nil : "failed snapshots" }),
        HostileCase(
            "the book of another age", .requests, 4,
            .answer(
                httpAnswer(
                    "200 OK", [],
                    "{\"lastUpdateId\":9,\"bids\":[[\"1.00000000\",\"1.00000000\"]],\"asks\":[]}")),
            said: "", sign: { $0.sum(\.snapshotsTooOld) > 0 ? nil : "snapshots too old" }),
    ]
}
