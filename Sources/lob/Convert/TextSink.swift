// Raw traffic as lines: the receive time in nanoseconds, a blank, and the message, or a REST depth body where
// it arrived. If there are several symbols, a body is in an envelope that names its own.
//
// A time always has 19 digits, because readers recognise units by the number of digits. Frames before the
// first one with a time have none in the text.
//
// SAFETY: bytes of a frame are read during the call that lends them.

import BinanceVenue
import BookExports
import BookRecording
import BookSync
import Captures
import LobHandoff
import LobRecording
import MarketData

/// Writes lines.
final class TextSink: ConvertSink {
    private let file: ExportFile
    private let namesSymbols: Bool
    private var parser = MessageParser()
    private var hasTime = false
    private(set) var lineCount = 0
    /// Messages that no line can hold.
    private var unwritable = 0
    /// Bodies that would be taken for partial depth.
    private var ambiguous = 0
    /// Frames that do not come from the venue.
    private var (connections, dropped) = (0, 0)

    /// - Parameter namesSymbols: whether bodies name their symbols.
    init(_ file: ExportFile, namesSymbols: Bool) { (self.file, self.namesSymbols) = (file, namesSymbols) }

    func take(_ frame: Frame, of shard: Int) throws {
        switch frame.kind {
        case .message: line(frame.receivedAtNs, unsafe frame.bytes.span)
        case .depthSnapshot:
            guard let envelope = SnapshotEnvelope(unsafe frame.bytes.span) else { return }
            body(frame.receivedAtNs, envelope, unsafe Array(frame.bytes[SnapshotEnvelope.length...]))
        case .connected, .disconnected, .retired: connections += 1
        case .dropped: dropped += 1
        case .tick, .snapshotFailed, .snapshotRequested, .resubscribed: break
        }
        try file.check()
    }

    private func line(_ atNs: Int64, _ message: Span<UInt8>) {
        for index in message.indices where message[index] == 0x0A {
            unwritable += 1
            return
        }
        if message.isEmpty {
            unwritable += 1
            return
        }
        writeTime(atNs)
        file.write(message)
        file.write(CollectionOfOne(UInt8(ascii: "\n")))
        lineCount += 1
    }

    private func writeTime(_ atNs: Int64) {
        if atNs > CaptureRecorder.unknownNs { hasTime = true }
        if !hasTime { return }
        let digits = String(max(atNs, 0))
        file.write((String(repeating: "0", count: 19 - digits.utf8.count) + digits + " ").utf8)
    }

    private func body(_ atNs: Int64, _ envelope: SnapshotEnvelope, _ body: [UInt8]) {
        if (try? parser.parseSnapshot(body.span)) != nil, DepthBody(parser.snapshot).isTopOnly {
            ambiguous += 1
            return
        }
        if !namesSymbols { return line(atNs, body.flat.span) }
        let head = Array("{\"symbol\":\"\(envelope.symbol)\",\"data\":".utf8)
        line(atNs, (head + body.flat + [UInt8(ascii: "}")]).span)
    }

    func finish() throws -> String {
        try file.finish()
        return "\(counted(lineCount, "line")), \(byteText(file.length))"
    }

    var losses: [String] {
        var lines: [String] = []
        if unwritable > 0 { lines.append("\(counted(unwritable, "message")) that no line can hold") }
        if ambiguous > 0 {
            lines.append("\(counted(ambiguous, "snapshot")) that would be taken for partial depth")
        }
        if dropped > 0 { lines.append("\(counted(dropped, "mark")) of messages that were lost") }
        if connections > 1 { lines.append("that connections came and went, \(connections) times") }
        return lines
    }
}

extension [UInt8] {
    /// JSON without line ends, which mean nothing in it.
    var flat: [UInt8] { map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 } }
}
