// A WebSocket client of the server: its streams, its property, and its pending messages.
//
//     state   | event                                | what happens                    | next
//     --------|--------------------------------------|---------------------------------|--------
//     open    | message of a stream                  | sent                            | open
//     open    | partial or ticker, socket congested  | the latest is sent when drained | open
//     open    | update or answer, queue full         | close frame, 1008               | closing
//     open    | request, within the limit            | answered                        | open
//     open    | request, one too many in a second    | close frame, 1008               | closing
//     closing | anything                             | nothing                         | closing

import BinanceServing
import LobTransport

/// A client of the streams. Thread: the server's.
final class ServerClient {
    let peer: WebSocketPeer
    /// Its numeric address and its owner.
    let address, owner: String
    /// Whether messages are wrapped.
    var isCombined: Bool
    /// Whether book streams stay silent on its path.
    let isDeaf: Bool
    /// Whether it gets times in µs.
    let isMicroseconds: Bool
    /// Its streams, silent ones included, numbered in order of subscription.
    private var held: [String: Int] = [:]
    private var askedCount = 0
    /// Conflated streams whose last message it has not been sent.
    private var waiting = WaitingTopics()
    private(set) var isOpen = true
    /// Most bytes that may be queued for it at this moment; `queuedBytesMin` may always.
    private let queuedBytesMax: () -> Int
    private let queuedBytesMin: Int
    private var pieces: [UInt8] = []
    private var second: UInt64 = 0
    private var messageCount = 0

    /// Compresses messages for it; nil if it does not accept that.
    private let packer: MessagePacker?

    init(
        _ peer: WebSocketPeer, _ target: StreamTarget, _ packer: MessagePacker?, queuedBytesMin: Int,
        queuedBytesMax: @escaping () -> Int
    ) {
        self.packer = peer.isDeflating ? packer : nil
        (self.peer, self.queuedBytesMax, self.queuedBytesMin) = (peer, queuedBytesMax, queuedBytesMin)
        (address, owner) = (peer.address, peer.owner)
        (isCombined, isDeaf, isMicroseconds) = (target.isCombined, target.isDeaf, target.isMicroseconds)
    }

    /// Adds a stream; false if it already has it.
    func add(_ name: String) -> Bool {
        if held[name] != nil { return false }
        held[name] = askedCount
        askedCount += 1
        return true
    }

    /// Removes a stream; false if it does not have it.
    func remove(_ name: String) -> Bool {
        if held.removeValue(forKey: name) == nil { return false }
        waiting.remove(name)
        return true
    }

    /// Names of its streams in the order in which they came.
    var names: [String] { held.sorted { $0.value < $1.value }.map(\.key) }

    /// How many streams it has.
    var streamCount: Int { held.count }

    /// How many streams it would have with these as well.
    func streamCount(with names: [String]) -> Int {
        held.count + Set(names).count { held[$0] == nil }
    }

    /// Takes a piece of a client message; returns the whole message with its last piece.
    func collect(_ bytes: Span<UInt8>, isFinal: Bool) -> [UInt8]? {
        for index in bytes.indices { pieces.append(bytes[index]) }
        if !isFinal { return nil }
        defer { pieces = [] }
        return pieces
    }

    /// Counts a client message; false if it exceeds the limit in this second.
    func countMessage(nowNs: UInt64, most: Int) -> Bool {
        let now = nowNs / 1_000_000_000
        if now != second { (second, messageCount) = (now, 0) }
        messageCount += 1
        return messageCount <= most
    }

    /// Sends the last message of a stream.
    func pass(_ topic: StreamTopic, _ counters: inout ServerCounters) {
        if !isOpen { return }
        if topic.isConflated && peer.isCongested {
            counters.conflatedCount += 1
            return waiting.append(topic)
        }
        sendLast(of: topic, &counters)
    }

    private func sendLast(of topic: StreamTopic, _ counters: inout ServerCounters) {
        guard let frame = topic.batched(isCombined: isCombined, packer) else { return close(.tooSlow) }
        count(frame.byteCount, &counters) { $0.send(frame) }
    }

    /// The queue is empty: sends what was skipped, in its current form.
    func drained(_ counters: inout ServerCounters) {
        while isOpen, !peer.isCongested, let topic = waiting.takeFirst() { sendLast(of: topic, &counters) }
    }

    /// Sends a message that must not be missed.
    func send(_ bytes: [UInt8], _ counters: inout ServerCounters) {
        count(bytes.count, &counters) { $0.send(text: bytes.span) }
    }

    private func isFull(with byteCount: Int) -> Bool {
        let waitingBytes = peer.queuedBytes + byteCount
        return waitingBytes > queuedBytesMin && waitingBytes > queuedBytesMax()
    }

    private func count(_ byteCount: Int, _ counters: inout ServerCounters, _ send: (WebSocketPeer) -> Bool) {
        if !hasSent(byteCount, &counters, send) { return }
        counters.messageCount += 1
        counters.messageBytes += byteCount
    }

    /// Sends if there is room; a client without is closed.
    private func hasSent(
        _ byteCount: Int, _ counters: inout ServerCounters, _ send: (WebSocketPeer) -> Bool
    ) -> Bool {
        if !isOpen { return false }
        var isFull = isFull(with: byteCount)
        if isFull {
            // What the socket takes of the batch does not wait for it.
            peer.sendBatch()
            isFull = self.isFull(with: byteCount)
        }
        if !isFull && send(peer) { return true }
        // Refused with nothing queued: the client is about to be reported gone.
        if !isFull && peer.queuedBytes == 0 { return false }
        counters.slowCount += 1
        peer.forgetQueue()
        close(.tooSlow)
        return false
    }

    /// Sends an answer; one that asks faster than it reads is closed.
    func reply(_ bytes: [UInt8]?, _ counters: inout ServerCounters) {
        guard let bytes else { return }
        _ = hasSent(bytes.count, &counters) { $0.send(text: bytes.span) }
    }

    /// Closes the connection, after what is queued.
    func close(_ end: ConnectionClose) {
        if !isOpen { return }
        isOpen = false
        peer.close(code: UInt16(end.code), reason: end.reason)
    }
}
