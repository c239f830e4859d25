// The event stream: looks ten times a second at the books that have changed, and sends each client what is
// new to it.
//
//     client    | event                    | what happens                        | next
//     ----------|--------------------------|-------------------------------------|--------
//     waiting   | its interval is over     | everything new, in one piece        | waiting
//     waiting   | nothing new for 5 s      | a comment, so that it hears of us   | waiting
//     waiting   | socket congested         | nothing: what is new waits with it  | waiting
//     waiting   | gone, or too slow        | forgotten                           | gone
//
// A change of state that is over within a tenth of a second may be missed here; the book's counters include
// it.
//
// While there are no clients, and have been none for `keptNs`, nothing is looked at: a client that comes back
// is told that changes were `lost`.
//
// Bounds: `clientCountMax` clients, with a share per owner; per client at most one piece waits, so at most
// every symbol once and `EventLog.changeCountMax` changes of state.

import DepthBook
import LobTransport
import MarketData

/// Clients of the event stream. Thread: the server's.
final class EventHub {
    /// One client.
    private final class Client {
        let stream: HTTPStream
        let address: String
        let owner: String
        let indices: Set<Int>?
        let intervalNs: UInt64
        var cursor: UInt64?
        var sentNs: UInt64 = 0
        var isGone = false

        init(_ stream: HTTPStream, _ indices: Set<Int>?, intervalNs: UInt64, cursor: UInt64?) {
            (self.stream, self.indices, self.intervalNs, self.cursor) = (stream, indices, intervalNs, cursor)
            (address, owner) = (stream.address, stream.owner)
        }
    }

    private(set) var log: EventLog
    private let boot: String
    private var clients: [Client] = []
    private var lookedNs: UInt64 = 0
    /// When there was last a client; nil while nothing is looked at.
    private var heardNs: UInt64?
    /// Books to look at.
    private var changed: [Int] = []
    private var isChanged: [Bool]

    /// Content type of the stream.
    static let contentType = "text/event-stream"
    /// Most simultaneous clients.
    static let clientCountMax = 64
    /// Time between two looks at the books.
    static let lookEveryNs: UInt64 = 100_000_000
    /// How long changes are recorded after the last client has left: it may come back.
    static let keptNs: UInt64 = 60_000_000_000
    private static let silenceNsMax: UInt64 = 5_000_000_000

    private var shares = AddressShares()
    private let shareRules: ShareRules

    /// - Parameters:
    ///   - symbols: all of the server's, in order.
    ///   - bootNs: its start time, which distinguishes its events from those of earlier servers.
    ///   - shareRules: limit the clients of one owner.
    init(_ symbols: [SymbolName], bootNs: Int64, _ shareRules: ShareRules) {
        log = EventLog(symbols)
        boot = String(bootNs / 1_000_000, radix: 36)
        isChanged = [Bool](repeating: false, count: symbols.count)
        self.shareRules = shareRules
    }

    /// Current number of clients.
    var clientCount: Int { clients.count }

    /// Whether changes are looked at: there are clients, or some may come back.
    var isAwake: Bool { heardNs != nil }

    /// Bytes queued for their sockets.
    var queuedBytes: Int { clients.reduce(0) { $0 + $1.stream.queuedBytes } }

    /// Addresses of the clients.
    var addresses: [String] { clients.map(\.address) }

    /// Starts a stream.
    ///
    /// - Parameters:
    ///   - request: the request to answer.
    ///   - indices: the symbols requested; nil: all.
    ///   - intervalMs: shortest time between two pieces.
    func open(_ request: HTTPRequest, _ indices: Set<Int>?, intervalMs: Int) {
        forgetGone()
        let share = shareRules.share(of: EventHub.clientCountMax, for: request.owner)
        if clients.count >= EventHub.clientCountMax || shares.held(by: request.owner) >= share {
            request.respond(APIProblem.tooManyStreams.response)
            return
        }
        let cursor = request.header("last-event-id").flatMap { EventLog.cursor(of: $0, boot: boot) }
        let headers = APIProblem.headers.compactMap { HTTPHeader($0.0, $0.1) }
        guard let stream = request.respond(streaming: EventHub.contentType, headers: headers) else { return }
        let client = Client(stream, indices, intervalNs: UInt64(intervalMs) * 1_000_000, cursor: cursor)
        stream.closed = { [weak client] in client?.isGone = true }
        clients.append(client)
        shares.take(client.owner)
        wake()
        if !stream.send(Array("retry: 1000\n\n".utf8)) { client.isGone = true }
    }

    private func forgetGone() {
        for client in clients where client.isGone { shares.giveBack(client.owner) }
        clients.removeAll(where: \.isGone)
    }

    /// A book's appearance may have changed. O(1).
    func note(_ index: Int) {
        if heardNs == nil || isChanged[index] { return }
        isChanged[index] = true
        changed.append(index)
    }

    /// A client has come: all books are looked at next.
    func wake() {
        if heardNs != nil { return }
        heardNs = lookedNs
        log.wake()
        for index in isChanged.indices { note(index) }
    }

    /// Looks at changed books when due, and sends what is due. Does nothing while there are no clients.
    ///
    /// - Parameters:
    ///   - nowNs: monotonic.
    ///   - timeMs: since 1970.
    ///   - top: what a book shows.
    /// - Returns: number of books looked at.
    @discardableResult
    func turn(nowNs: UInt64, timeMs: Int64, _ top: (Int) -> EventLog.Top) -> Int {
        guard let lastNs = heardNs, nowNs - lookedNs >= EventHub.lookEveryNs else { return 0 }
        lookedNs = nowNs
        forgetGone()
        if !clients.isEmpty {
            heardNs = nowNs
        } else if nowNs > lastNs && nowNs - lastNs > EventHub.keptNs {
            for index in changed { isChanged[index] = false }
            changed.removeAll(keepingCapacity: true)
            heardNs = nil
            return 0
        }
        let lookedCount = changed.count
        for index in changed {
            isChanged[index] = false
            log.show(index, top(index), timeMs: timeMs)
        }
        changed.removeAll(keepingCapacity: true)
        for client in clients where nowNs - client.sentNs >= client.intervalNs { serve(client, nowNs) }
        return lookedCount
    }

    private func serve(_ client: Client, _ nowNs: UInt64) {
        if client.stream.isCongested { return }
        var bytes: [UInt8] = []
        if client.cursor.map({ $0 < log.number }) ?? true {
            bytes = log.events(after: client.cursor, boot: boot) { index in
                client.indices.map { $0.contains(index) } ?? true
            }
            client.cursor = log.number
        }
        if bytes.isEmpty {
            if nowNs - client.sentNs < EventHub.silenceNsMax { return }
            bytes = Array(": \n\n".utf8)
        }
        client.sentNs = nowNs
        if !client.stream.send(bytes) {
            client.isGone = true
            client.stream.end()
        }
    }

    /// Ends all streams.
    func end() {
        for client in clients { client.stream.end() }
        clients = []
        shares = AddressShares()
    }
}
