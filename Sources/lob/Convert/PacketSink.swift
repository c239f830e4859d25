// Raw traffic as a packet capture: one conversation per connection of each shard.
//
// SAFETY: bytes of a frame are read during the call that lends them.

import BinanceVenue
import BookExports
import BookSync
import LobHandoff
import LobRecording
import MarketData

/// Writes packets.
final class PacketSink: ConvertSink {
    private let file: ExportFile
    private var writer: PacketWriter
    private var lastAtNs: Int64 = 0
    private(set) var (messages, bodies, dropped, impossible) = (0, 0, 0, 0)

    init(_ file: ExportFile, _ names: PacketWriter.Names) {
        self.file = file
        writer = PacketWriter(names) { file.write($0) }
    }

    func take(_ frame: Frame, of shard: Int) throws {
        try file.check()
        if !PacketWriter.canWrite(atNs: frame.receivedAtNs) {
            impossible += 1
            return
        }
        let (atNs, source) = (frame.receivedAtNs, UInt32(shard) << 16 | UInt32(frame.source))
        lastAtNs = atNs
        switch frame.kind {
        case .connected: writer.connect(source, atNs: atNs)
        case .disconnected, .retired: writer.disconnect(source, atNs: atNs)
        case .message:
            writer.message(unsafe Array(frame.bytes), from: source, atNs: atNs)
            messages += 1
        case .depthSnapshot:
            guard let envelope = SnapshotEnvelope(unsafe frame.bytes.span) else { return }
            writer.snapshot(
                unsafe Array(frame.bytes[SnapshotEnvelope.length...]), of: envelope.symbol,
                limit: envelope.limit, atNs: atNs)
            bodies += 1
        case .dropped: dropped += 1
        case .tick, .snapshotFailed, .snapshotRequested, .resubscribed: break
        }
    }

    func finish() throws -> String {
        writer.finish(atNs: lastAtNs)
        try file.finish()
        return "\(counted(messages, "message")), \(counted(bodies, "snapshot")), \(byteText(file.length))"
    }

    var losses: [String] {
        var lines: [String] = []
        if dropped > 0 { lines.append("\(counted(dropped, "mark")) of messages that were lost") }
        if impossible > 0 {
            lines.append("\(counted(impossible, "frame")) of times that packets cannot have")
        }
        return lines
    }
}
