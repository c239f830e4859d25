// One stream under one name and in one time unit, with its subscribers. A message is encoded once, and once
// more in its wrapper if any subscriber wants that, whatever their number; likewise compressed. So it lies in
// the batch that the loop sends to all of them.
//
//     kind         shows                               sent                         a slow reader
//     -------------|-----------------------------------|----------------------------|--------------
//     updates      each update, as it comes            at once                      is closed
//     summaries    what changed since the last one     once an interval, if any     is closed
//     partial      the best levels                     once an interval, if changed gets the latest
//     best         the best prices                     if they changed              gets the latest
//     everyBest    the best prices of every symbol     once an interval, if changed is closed

import BinanceServing
import BookSync
import DepthBook
import LobTransport
import MarketData

/// The best levels of a book; nil if a side is empty.
struct BestLevels: Hashable {
    var bid: PriceLevel?
    var ask: PriceLevel?
}

/// A stream with subscribers. Thread: the server's.
final class StreamTopic {
    /// Identifies a stream.
    struct Key: Hashable {
        /// Name as written by clients.
        var name: String
        /// Whether its times are in µs.
        var isMicroseconds: Bool
    }

    /// Content of the stream.
    enum Kind: Hashable {
        case updates
        case summaries
        case partial(levelCount: Int)
        case best
        case everyBest
    }

    let key: Key
    let kind: Kind
    /// Index of its symbol in the server; nil for a stream of all symbols.
    let symbol: Int?
    /// Shortest time between two messages; 0: every change.
    let intervalNs: UInt64
    private(set) var clients: [ServerClient] = []
    private var placeOfClient: [ObjectIdentifier: Int] = [:]
    private let opening: [UInt8]
    /// The last message, unwrapped; empty before the first.
    private(set) var message: [UInt8] = []
    private var wrapped: [UInt8] = []
    /// The compressed frames of the last message, with and without wrapper: nil before one is needed, empty
    /// if compression does not pay.
    private var frames: (plain: [UInt8]?, wrapped: [UInt8]?)
    /// Where the last message lies in the batch, in each of its forms.
    private var places = [BatchedFrame?](repeating: nil, count: 4)
    private let loop: EventLoop
    /// When the last message was made.
    private(set) var sentNs: UInt64 = 0
    /// Best levels in the last messages of a best price stream, by symbol.
    var shown: [Int: BestLevels] = [:]
    /// The content of the next summary.
    var summary: UpdateSummary
    /// Whether it is among those whose interval is not over.
    var isWaiting = false
    /// Changed symbols of a stream of all symbols.
    var changed: Set<Int> = []

    init(
        _ key: Key, _ kind: Kind, symbol: Int?, intervalNs: UInt64, summary: UpdateSummary, on loop: EventLoop
    ) {
        (self.key, self.kind, self.symbol, self.intervalNs) = (key, kind, symbol, intervalNs)
        (self.summary, self.loop) = (summary, loop)
        opening = StreamWrapper.opening(key.name)
    }

    /// Whether a slow reader may miss messages, because each shows the whole state.
    var isConflated: Bool {
        switch kind {
        case .partial, .best: true
        case .updates, .summaries, .everyBest: false
        }
    }

    /// Whether its messages continue a book.
    var isChained: Bool { kind == .updates || kind == .summaries }

    /// Whether anybody listens.
    var hasClients: Bool { !clients.isEmpty }

    func add(_ client: ServerClient) {
        placeOfClient[ObjectIdentifier(client)] = clients.count
        clients.append(client)
    }

    /// O(1): the last one takes its place.
    func remove(_ client: ServerClient) {
        guard let place = placeOfClient.removeValue(forKey: ObjectIdentifier(client)) else { return }
        let last = clients.removeLast()
        if last === client { return }
        clients[place] = last
        placeOfClient[ObjectIdentifier(last)] = place
    }

    /// Sends a message to all subscribers.
    func send(_ bytes: [UInt8], nowNs: UInt64, _ counters: inout ServerCounters) {
        replaceMessage(by: bytes)
        sentNs = nowNs
        for client in clients { client.pass(self, &counters) }
    }

    /// What was sent of a chained stream continues nothing: new subscribers must not get it.
    func forgetMessage() { replaceMessage(by: []) }

    private func replaceMessage(by bytes: [UInt8]) {
        message = bytes
        wrapped.removeAll(keepingCapacity: true)
        frames = (nil, nil)
        for form in places.indices { places[form] = nil }
    }

    /// The last message in the batch, as a client wants it; nil without memory.
    ///
    /// - Parameters:
    ///   - isCombined: in the wrapper.
    ///   - packer: packs it where that pays; nil leaves it as it is.
    func batched(isCombined: Bool, _ packer: MessagePacker?) -> BatchedFrame? {
        let form = (isCombined ? 1 : 0) + (packer == nil ? 0 : 2)
        if let place = places[form], loop.holds(place) { return place }
        let packed = packer.flatMap { frame(isCombined: isCombined, $0) }
        places[form] = loop.batch(packed ?? bytes(isCombined: isCombined), isText: packed == nil)
        return places[form]
    }

    /// The last message as a client wants it.
    private func bytes(isCombined: Bool) -> [UInt8] {
        if !isCombined { return message }
        if wrapped.isEmpty { wrapped = wrap(message) }
        return wrapped
    }

    /// The same, compressed; nil if that does not pay.
    private func frame(isCombined: Bool, _ packer: MessagePacker) -> [UInt8]? {
        let known = isCombined ? frames.wrapped : frames.plain
        let frame = known ?? packer.frame(bytes(isCombined: isCombined)) ?? []
        if known == nil {
            if isCombined { frames.wrapped = frame } else { frames.plain = frame }
        }
        return frame.isEmpty ? nil : frame
    }

    /// A message in this stream's wrapper.
    func wrap(_ message: [UInt8]) -> [UInt8] { opening + message + [StreamWrapper.closing] }
}
