// The sending side of `bench --wire`, a process of its own: a venue that acknowledges subscriptions and then
// sends depth updates at an even rate, one symbol after the other. The quantity of the best bid is the time
// of sending, on the clock that all processes of a machine share.

import CLobKernels
import Foundation
import LobTransport

/// What a sender is told, as text between two processes.
struct WireOrder {
    var symbolCount: Int
    var perSecond: Int
    /// Folder with cert.pem and key.pem; empty without TLS.
    var identityFolder: String

    var text: String { "\(symbolCount),\(perSecond),\(identityFolder)" }

    init(symbolCount: Int, perSecond: Int, identityFolder: String) {
        (self.symbolCount, self.perSecond, self.identityFolder) = (symbolCount, perSecond, identityFolder)
    }

    init?(_ text: String) {
        let parts = text.split(separator: ",", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let symbols = Int(parts[0]), let rate = Int(parts[1]) else { return nil }
        guard (1...WireMessage.symbolCountMax).contains(symbols), (1...1_000_000).contains(rate) else {
            return nil
        }
        self.init(symbolCount: symbols, perSecond: rate, identityFolder: String(parts[2]))
    }
}

/// A message, and where its numbers stand.
struct WireMessage {
    static let symbolCountMax = 1000
    /// The first update id; the snapshot is one before.
    static let firstID = 1_000_000_000
    /// Added to a time, so that each has as many digits.
    static let stampBase: Int64 = 10_000_000_000_000_000

    static func symbol(_ number: Int) -> String { "W" + String(1000 + number).dropFirst() + "USDT" }

    static let snapshot =
        #"{"lastUpdateId":\#(firstID - 1),"#
        + #""bids":[["100.00000000","1.00000000"],["99.00000000","1.00000000"]],"#
        + #""asks":[["101.00000000","1.00000000"],["102.00000000","1.00000000"]]}"#

    private(set) var bytes: [UInt8]
    private let places: (ms: Int, first: Int, last: Int, whole: Int, part: Int)

    init(_ number: Int) {
        let name = WireMessage.symbol(number)
        let levels = (1...6).map { #",["\#(90 + $0).50000000","\#($0).25000000"]"# }.joined()
        let text =
            #"{"stream":"\#(name.lowercased())@depth@100ms","data":{"e":"depthUpdate","E":1723161255123,"#
            + #""s":"\#(name)","U":1000000000,"u":1000000001,"b":[["100.00000000","100000000.12345678"]],"#
            + #""a":[["101.00000000","2.00000000"]\#(levels.replacing(#"["9"#, with: #"["19"#))]}}"#
        bytes = Array(text.utf8)
        func place(_ part: String) -> Int {
            text.utf8.distance(from: text.startIndex, to: text.range(of: part)!.upperBound)
        }
        let stamp = place(#""100.00000000",""#)
        places = (place(#""E":"#), place(#""U":"#), place(#""u":"#), stamp, stamp + 10)
    }

    /// The message with this id, sent now.
    mutating func stamp(id: Int, realtimeMs: Int64) {
        write(Int64(id), 10, at: places.first)
        write(Int64(id), 10, at: places.last)
        write(realtimeMs, 13, at: places.ms)
        let stamp = WireMessage.stampBase + Int64(CycleTimer.monotonicNs())
        write(stamp / 100_000_000, 9, at: places.whole)
        write(stamp % 100_000_000, 8, at: places.part)
    }

    private mutating func write(_ value: Int64, _ digits: Int, at place: Int) {
        var rest = value
        for digit in stride(from: place + digits - 1, through: place, by: -1) {
            bytes[digit] = UInt8(0x30 + rest % 10)
            rest /= 10
        }
    }
}

/// The sender: serves one client until standard input ends.
final class WireSender {
    private let order: WireOrder
    private let loop: EventLoop
    private var server: HTTPServer?
    private var messages: [WireMessage]
    private var ids: [Int]
    private var peer: WebSocketPeer?
    private var startNs = UInt64.max
    private var sentCount = 0

    init(_ order: WireOrder) throws {
        self.order = order
        loop = try EventLoop()
        messages = (0..<order.symbolCount).map { WireMessage($0) }
        ids = [Int](repeating: WireMessage.firstID, count: order.symbolCount)
        var options = HTTPServer.Options()
        if !order.identityFolder.isEmpty {
            options.tls = TLSIdentity(
                certificatePath: order.identityFolder + "/cert.pem",
                keyPath: order.identityFolder + "/key.pem")
        }
        server = try HTTPServer(
            on: loop, options: options,
            handlers: HTTPServer.Handlers(
                request: { $0.respond(HTTPResponse(json: "{}")) },
                upgrade: { _ in
                    .accept { [unowned self] peer in
                        self.peer = peer
                        return handlers()
                    }
                }))
    }

    private func handlers() -> WebSocketPeer.Handlers {
        var handlers = WebSocketPeer.Handlers()
        var text = ""
        handlers.message = { [unowned self] bytes, isFinal in
            for index in bytes.indices { text.unicodeScalars.append(Unicode.Scalar(bytes[index])) }
            if !isFinal { return }
            let id = text.range(of: "\"id\":").map { text[$0.upperBound...].prefix { $0.isNumber } }
            text = ""
            let answer = Array("{\"result\":null,\"id\":\(id ?? "0")}".utf8)
            _ = peer?.send(text: answer.span)
            startNs = CycleTimer.monotonicNs() + 2_000_000_000
        }
        handlers.closed = { [unowned self] _ in peer = nil }
        return handlers
    }

    /// Sends until standard input ends.
    func run() {
        print(server!.port)
        fflush(nil)
        var (turnCount, isOver) = (0, false)
        while !isOver {
            loop.turn()
            send()
            turnCount += 1
            if turnCount % 4096 == 0 {
                var input = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
                isOver = poll(&input, 1, 0) > 0
            }
        }
        loop.close()
    }

    private func send() {
        let nowNs = CycleTimer.monotonicNs()
        if nowNs < startNs || peer == nil { return }
        let due = Int((nowNs - startNs) / 1000) * order.perSecond / 1_000_000
        // What is late is sent at once, one message after the other, as a network would deliver it.
        while sentCount < due, let peer {
            let number = sentCount % order.symbolCount
            var now = timespec()
            clock_gettime(CLOCK_REALTIME, &now)
            messages[number].stamp(
                id: ids[number], realtimeMs: Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000)
            let bytes = messages[number].bytes
            if !peer.send(text: bytes.span) { return }
            ids[number] += 1
            sentCount += 1
        }
    }
}
