// The life of a connection in virtual time: what a live feed does, reduced to what the simulated venue can do
// to it.
//
// state        input                                  action
// down         its time has come                      open, frame `connected`
// up           message                                frame `message`
// up           message announcing a shutdown          open a replacement beside it
// up           closed by the venue                    frame `disconnected`, down with backoff
// up           nothing for `silenceUsMax`, not a ping hang up, then as closed
// up           a symbol silent for too long           open a replacement beside it
// two up       the older one's time is over           hang up the older one, frame `disconnected`
//
// Frames that must arrive are offered again until the ring takes them; messages behind them are dropped
// meanwhile, so that order is kept.
//
// SAFETY: pointers to an array's bytes live inside the closure that made them.

import BinanceDepth
import Handoff
import MarketData
import SimulatedExchange

/// One open connection.
struct OpenConnection {
    var id: ConnectionID
    var source: UInt16
    var openedAtUs: Int64
    var heardAtUs: Int64
    var retireAtUs: Int64 = .max
}

/// A frame that must not be lost.
struct PendingFrame {
    var kind: FrameKind
    var source: UInt16
    var receivedAtUs: Int64
    var body: [UInt8]
}

extension Road {
    static var silenceUsMax: Int64 { 65_000_000 }
    static var symbolSilenceUsMax: Int64 { 90_000_000 }
    static var overlapUs: Int64 { 5_000_000 }

    /// Opens a connection with every stream of every symbol.
    func openConnection() {
        let streams = symbols.flatMap { symbol -> [String] in
            let name = symbol.lowercasedASCII
            return ["\(name)@depth@100ms", "\(name)@bookTicker", "\(name)@depth5@100ms"]
        }
        guard let id = try? venue.connect(streams, isCombined: true) else {
            nextConnectAtUs = venue.nowUs + 10_000_000
            return
        }
        sourceCount &+= 1
        connections.append(
            OpenConnection(
                id: id, source: sourceCount, openedAtUs: venue.nowUs, heardAtUs: venue.nowUs))
        offer(PendingFrame(kind: .connected, source: sourceCount, receivedAtUs: venue.nowUs, body: []))
    }

    /// Opens a replacement, unless one is there; the older connection retires a little later.
    func replaceConnection() {
        guard connections.count == 1, venue.nowUs >= replacedAtUs + 20_000_000 else { return }
        replacedAtUs = venue.nowUs
        connections[0].retireAtUs = venue.nowUs + Road.overlapUs
        openConnection()
    }

    /// Takes what has arrived on every connection and does what time demands.
    func turnConnections() {
        for index in connections.indices.reversed() {
            let source = connections[index].source
            var isClosed = false
            var isShuttingDown = false
            venue.poll(connections[index].id) { timeUs, delivery, bytes in
                connections[index].heardAtUs = timeUs
                switch delivery {
                case .text:
                    if bytes.count < 120 && mentionsShutdown(bytes) { isShuttingDown = true }
                    write(bytes, source: source, timeUs: timeUs)
                case .ping: break
                case .closed: isClosed = true
                }
            }
            let heardAtUs = connections[index].heardAtUs
            if isClosed || venue.nowUs - heardAtUs > Road.silenceUsMax
                || venue.nowUs >= connections[index].retireAtUs
            {
                drop(index)
            } else if isShuttingDown {
                replaceConnection()
            }
        }
        if connections.isEmpty && venue.nowUs >= nextConnectAtUs { openConnection() }
    }

    private func drop(_ index: Int) {
        let gone = connections.remove(at: index)
        venue.disconnect(gone.id)
        offer(PendingFrame(kind: .disconnected, source: gone.source, receivedAtUs: venue.nowUs, body: []))
        if connections.isEmpty { nextConnectAtUs = venue.nowUs + 500_000 + Int64(random.below(4_500_000)) }
    }

    /// A message into the ring; lost if there is no room, or while something that must arrive waits.
    private func write(_ bytes: Span<UInt8>, source: UInt16, timeUs: Int64) {
        let message = tampered(bytes)
        if !pending.isEmpty {
            lostFrames += 1
            return
        }
        let written = unsafe message.withUnsafeBytes {
            unsafe producer.write(.message, source: source, receivedAtNs: timeUs * 1000, $0)
        }
        if !written { lostFrames += 1 }
    }

    /// A frame that must arrive.
    func offer(_ frame: PendingFrame) {
        pending.append(frame)
        flushPending()
    }

    /// Offers again what waits, in order.
    func flushPending() {
        while let frame = pending.first {
            let written = unsafe frame.body.withUnsafeBytes {
                unsafe producer.write(
                    frame.kind, source: frame.source, receivedAtNs: frame.receivedAtUs * 1000, $0)
            }
            if !written { return }
            pending.removeFirst()
        }
    }

    /// The bytes as an array; with the mistake `deleteByLiteral` without the removals it does not understand.
    private func tampered(_ bytes: Span<UInt8>) -> [UInt8] {
        var message: [UInt8] = []
        message.reserveCapacity(bytes.count)
        for index in bytes.indices { message.append(bytes[index]) }
        return plan.mistake == .deleteByLiteral ? withoutShortZeros(message) : message
    }

    private func mentionsShutdown(_ bytes: Span<UInt8>) -> Bool {
        let word = Array("serverShutdown".utf8)
        guard bytes.count >= word.count else { return false }
        for start in 0...(bytes.count - word.count) where bytes[start] == word[0] {
            if word.indices.allSatisfy({ bytes[start + $0] == word[$0] }) { return true }
        }
        return false
    }
}

/// Drops every level of a depth event whose quantity is zero but not written "0.00000000".
private func withoutShortZeros(_ message: [UInt8]) -> [UInt8] {
    var kept: [UInt8] = []
    var index = 0
    while index < message.count {
        // A level: ["price","quantity"]
        if message[index] == UInt8(ascii: "["), index + 1 < message.count,
            message[index + 1] == UInt8(ascii: "\""),
            let end = message[index...].firstIndex(of: UInt8(ascii: "]"))
        {
            let parts = message[index..<end].split(separator: UInt8(ascii: "\""))
            let quantity = parts.last.map(Array.init) ?? []
            let isZero = !quantity.contains { $0 >= UInt8(ascii: "1") && $0 <= UInt8(ascii: "9") }
            if isZero && quantity.count != 10 {
                index = end + 1
                if index < message.count && message[index] == UInt8(ascii: ",") {
                    index += 1
                } else if kept.last == UInt8(ascii: ",") {
                    kept.removeLast()
                }
                continue
            }
            kept.append(contentsOf: message[index...end])
            index = end + 1
        } else {
            kept.append(message[index])
            index += 1
        }
    }
    return kept
}
