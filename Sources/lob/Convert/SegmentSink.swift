// Raw traffic as a recording: a folder of segments, or one file.
//
// The segments are written in a folder beside the target under a unique name, and moved to the target at the
// end: a recording is complete or does not exist.
//
// SAFETY: paths live during the calls that get them.

import BinanceVenue
import BookRecording
import BookSync
import Foundation
import Glibc
import LobHandoff
import LobRecording
import MarketData

/// Writes segments.
final class SegmentSink: ConvertSink {
    private let path: String
    private let temporary: String
    private let isOneFile: Bool
    private let market: Market
    private let recorder: CaptureRecorder
    private var parser = MessageParser()
    private var sessions: [SymbolName: ReplayedSession] = [:]
    private var frameCount = 0
    private var isFinished = false

    /// Begins a recording.
    ///
    /// - Parameters:
    ///   - path: its target; what exists there is replaced at the end.
    ///   - subject: what the frames belong to.
    init(path: String, _ subject: CaptureRecorder.Subject) throws(ConvertRefusal) {
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        isOneFile = self.path.hasSuffix(SegmentLayout.suffix)
        temporary = "\(self.path).\(UInt64.random(in: 0 ... .max)).tmp"
        market = subject.market
        if unsafe mkdir(temporary, 0o755) != 0 { throw ConvertRefusal(path, errno: errno) }
        recorder = CaptureRecorder(folder: temporary, subject, isOneFile: isOneFile)
    }

    deinit { if !isFinished { try? FileManager.default.removeItem(atPath: temporary) } }

    func take(_ frame: Frame, of shard: Int) throws {
        if frame.kind == .message { try watch(frame) }
        frameCount += 1
        try recorder.take(frame)
    }

    /// Ids that start over would be taken for repeated ones.
    private func watch(_ frame: Frame) throws {
        guard (try? parser.parse(unsafe frame.bytes.span, market: market)) == .depthUpdate else { return }
        let (symbol, ids) = (parser.update.symbol, UpdateRange(parser.update))
        let timeUs = parser.update.eventTimeUs > 0 ? parser.update.eventTimeUs : frame.receivedAtNs / 1000
        var session = sessions[symbol] ?? ReplayedSession()
        if session.isOver(by: ids, timeUs: timeUs) {
            throw ConvertRefusal(
                "the update ids of \(symbol) begin anew at \(ids.first), after \(session.last?.value ?? 0): "
                    + "these are several sessions; convert each by itself")
        }
        _ = session.take(ids, timeUs: timeUs)
        sessions[symbol] = session
    }

    func finish() throws -> String {
        guard let summary = try recorder.finish() else { throw ConvertRefusal("there is nothing to record") }
        let segments = (try? FileManager.default.contentsOfDirectory(atPath: temporary)) ?? []
        var old: String?
        if FileManager.default.fileExists(atPath: path) {
            old = "\(temporary).old"
            if unsafe rename(path, old ?? "") != 0 { throw ConvertRefusal(path, errno: errno) }
        }
        let from = isOneFile ? temporary + "/" + (segments.first ?? "") : temporary
        if unsafe rename(from, path) != 0 {
            let number = errno
            if let old { unsafe rename(old, path) }
            throw ConvertRefusal(path, errno: number)
        }
        if isOneFile { unsafe rmdir(temporary) }
        isFinished = true
        if let old { try? FileManager.default.removeItem(atPath: old) }
        let ratio = Double(summary.unpackedBytes) / Double(max(summary.bytes, 1))
        return "\(counted(frameCount, "frame")) in \(counted(summary.blocks, "block")) of "
            + "\(counted(summary.segments, "segment")), \(byteText(summary.bytes)), \(fixed(ratio, 1)) times "
            + "smaller than unpacked; \(counted(summary.gaps, "gap"))"
    }

    var losses: [String] {
        recorder.impossibleTimes == 0
            ? [] : ["\(counted(recorder.impossibleTimes, "time")) that no recording holds"]
    }
}
