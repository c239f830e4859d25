// One stream under one name, and who listens. A message is encoded once, and once more in the wrapper of its
// name if anybody wants that, whatever the number of clients.

import BinanceServing
import LobTransport
import MarketData

/// The best levels of a book; nil where a side is empty.
struct BestLevels: Hashable {
    var bid: PriceLevel?
    var ask: PriceLevel?
}

/// A stream that somebody listens to. Thread: the server's.
final class StreamTopic {
    let name: String
    let content: StreamName.Content
    /// Index of its symbol among all of the server.
    let symbol: Int
    /// Least time between two messages; 0: every change.
    let intervalNs: UInt64
    private(set) var clients: [ServerClient] = []
    private let opening: [UInt8]
    private var message: [UInt8] = []
    private var wrapped: [UInt8] = []
    /// When the last message was made.
    private(set) var sentNs: UInt64 = 0
    /// Best levels in the last message, of a stream of best prices.
    var shown: BestLevels?

    init(_ name: String, _ stream: StreamName, symbol: Int, intervalNs: UInt64) {
        (self.name, self.symbol, self.intervalNs) = (name, symbol, intervalNs)
        content = stream.content
        opening = StreamWrapper.opening(name)
    }

    /// Whether a slow reader may miss messages: each of them shows the whole state.
    var isConflated: Bool { content != .depth }

    func add(_ client: ServerClient) { clients.append(client) }

    func remove(_ client: ServerClient) { clients.removeAll { $0 === client } }

    /// Sends a message to everybody.
    func send(_ bytes: [UInt8], nowNs: UInt64, _ counters: inout ServerCounters) {
        message = bytes
        wrapped.removeAll(keepingCapacity: true)
        sentNs = nowNs
        for client in clients { client.pass(self, &counters) }
    }

    /// The last message as a client wants it.
    func bytes(isCombined: Bool) -> [UInt8] {
        if !isCombined { return message }
        if wrapped.isEmpty {
            wrapped += opening
            wrapped += message
            wrapped.append(StreamWrapper.closing)
        }
        return wrapped
    }
}
