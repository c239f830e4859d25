// The results of a verification: text for the terminal, or one JSON object.

import BookEngine
import BookRecording
import DepthBook
import LobRecording
import MarketData

/// What a verification of one stream found.
struct VerifyReport {
    let path: String
    let shard: Int
    let elapsedNs: Int64
    let result: RecordingVerification

    /// Maximum number of gaps in text output.
    private static let gapCountMax = 12

    init(path: String, shard: Int, elapsedNs: Int64, _ result: RecordingVerification) {
        (self.path, self.shard, self.elapsedNs, self.result) = (path, shard, elapsedNs, result)
    }

    private var counters: RecordedEngine.Counters { result.counters }

    /// Text for the terminal.
    var text: String {
        var rows = [
            [
                "symbol", "at the end", "applied", "gaps", "not live s", "tickers", "partials", "audits",
                "digest",
            ]
        ]
        for symbol in result.symbols {
            let c = symbol.totals
            let isStale = symbol.status.state == .stale
            rows.append([
                "\(symbol.status.symbol)",
                isStale ? "stale (\(symbol.status.reason))" : "\(symbol.status.state)", "\(c.applied)",
                "\(symbol.gapCount)", fixed(Double(symbol.gapNs) / 1e9, 1),
                "\(c.tickersAgreed)/\(c.tickersCompared)", "\(c.partialsAgreed)/\(c.partialsCompared)",
                "\(c.auditsAgreed)/\(c.auditsCompared)", hexadecimal(symbol.digest),
            ])
        }
        let lines = [renderTable(rows, leftAligned: [0, 1])] + gapLines + complaints
        return (lines + [total]).joined(separator: "\n")
    }

    private var total: String {
        let seconds = Double(elapsedNs) / 1e9
        let times = "\(UTCStamp(ns: result.firstAtNs).text) to \(UTCStamp(ns: result.lastAtNs).text)"
        let isNone = result.isEmpty || result.firstAtNs == 0
        return "\(path), shard \(shard), \(isNone ? "no frame of that time" : times): "
            + counted(result.blocks, "block")
            + (result.skippedBlocks > 0 ? " (\(result.skippedBlocks) left out), " : ", ")
            + "\(counted(counters.frames, "frame")), \(byteText(result.bytes)) unpacked; agreed: digests "
            + "\(counters.digestsAgreed)/\(counters.digestsCompared), copies of books "
            + "\(counters.booksAgreed)/\(counters.booksCompared), \(counters.booksAdopted) adopted"
            + (counters.snapshotsCompared == 0
                ? "" : ", snapshots \(counters.snapshotsAgreed)/\(counters.snapshotsCompared)") + "; "
            + verdict + "; \(rounded(Double(counters.frames) / max(seconds, 1e-9))) frames/s"
    }

    private var verdict: String {
        if result.isFaulty { return "FAULTY" }
        return result.isEmpty ? "nothing verified" : "nothing disagrees"
    }

    private var gapLines: [String] {
        let gaps = result.gaps.gaps
        var lines = gaps.prefix(VerifyReport.gapCountMax).map(gapText)
        if gaps.count > lines.count { lines.append("… and \(gaps.count - lines.count) more gaps") }
        return lines
    }

    private func gapText(_ gap: RecordedGap) -> String {
        let lasted =
            gap.toNs == 0 ? "to the end" : "\(fixed(Double(gap.toNs - gap.fromNs) / 1e9, 3)) s"
        let whose = gap.symbol.isEmpty ? "all symbols" : String(decoding: gap.symbol, as: UTF8.self)
        var text = "gap: \(UTCStamp(ns: gap.fromNs).text), \(lasted), \(whose): \(gap.cause.words)"
        if gap.idBefore != 0 || gap.idAfter != 0 { text += ", ids \(gap.idBefore) … \(gap.idAfter)" }
        if gap.lostFrames > 0 { text += ", \(gap.lostFrames) frames" }
        if gap.lostBlocks > 0 { text += ", \(gap.lostBlocks) blocks" }
        return text
    }

    /// What is wrong.
    private var complaints: [String] {
        var lines = result.mismatches.map {
            "mismatch: \(UTCStamp(ns: $0.atNs).text), \($0.symbol): \($0.what)"
        }
        if result.mismatchCount > lines.count { lines.append("\(result.mismatchCount) mismatches in all") }
        if result.damagedBlocks > 0 { lines.append("\(counted(result.damagedBlocks, "block")) damaged") }
        if result.damagedBytes > 0 { lines.append("\(byteText(result.damagedBytes)) in no whole block") }
        lines += cutLines
        if counters.unlistedBlocks > 0 {
            lines.append("\(counted(counters.unlistedBlocks, "block")) missing, and in no gap")
        }
        if counters.unreadableRecords > 0 {
            lines.append("\(counted(counters.unreadableRecords, "record")) that cannot be")
        }
        if result.isContradicted { lines.append("the venue contradicts a book; see the table") }
        return lines
    }

    private var cutLines: [String] {
        if result.cutBytes == 0 { return [] }
        return ["not closed: \(result.cutBytes) bytes behind the last whole block"]
    }

    /// JSON.
    var json: String {
        var text = "{\"recording\":\(jsonText(path)),\"shard\":\(shard),\"faulty\":\(result.isFaulty)"
        text += ",\"empty\":\(result.isEmpty)"
        text += ",\"firstAtNs\":\(result.firstAtNs),\"lastAtNs\":\(result.lastAtNs)"
        let numbers = [
            ("blocks", result.blocks), ("skippedBlocks", result.skippedBlocks), ("frames", counters.frames),
            ("unpackedBytes", result.bytes),
            ("digestsCompared", counters.digestsCompared), ("digestsAgreed", counters.digestsAgreed),
            ("digestsUnknown", counters.digestsUnknown), ("booksCompared", counters.booksCompared),
            ("booksAgreed", counters.booksAgreed), ("booksAdopted", counters.booksAdopted),
            ("snapshotsCompared", counters.snapshotsCompared),
            ("snapshotsAgreed", counters.snapshotsAgreed),
            ("mismatches", result.mismatchCount), ("damagedBlocks", result.damagedBlocks),
            ("damagedBytes", result.damagedBytes), ("cutBytes", result.cutBytes),
            ("unlistedBlocks", counters.unlistedBlocks), ("unreadableRecords", counters.unreadableRecords),
            ("unknownFrames", counters.unknownFrames),
        ]
        for (name, value) in numbers { text += ",\"\(name)\":\(value)" }
        text += ",\"symbols\":[\(result.symbols.map(symbolJSON).joined(separator: ","))]"
        return text + ",\"gaps\":[\(result.gaps.gaps.map(\.json).joined(separator: ","))]}"
    }

    private func symbolJSON(_ symbol: VerifiedSymbol) -> String {
        let c = symbol.totals
        var text = "{\"symbol\":\(jsonText("\(symbol.status.symbol)")),\"state\":\"\(symbol.status.state)\""
        let numbers = [
            ("lastUpdateId", Int(symbol.status.lastUpdateID.value)), ("applied", c.applied),
            ("gaps", symbol.gapCount), ("gapMs", Int(symbol.gapNs / 1_000_000)),
            ("tickersCompared", c.tickersCompared), ("tickersAgreed", c.tickersAgreed),
            ("partialsCompared", c.partialsCompared), ("partialsAgreed", c.partialsAgreed),
            ("auditsCompared", c.auditsCompared), ("auditsAgreed", c.auditsAgreed),
        ]
        for (name, value) in numbers { text += ",\"\(name)\":\(value)" }
        return text + ",\"digest\":\"\(hexadecimal(symbol.digest))\"}"
    }
}

extension RecordedGap.Cause {
    /// Text for the terminal.
    var words: String {
        switch self {
        case .unknown: "of a cause that this version does not know"
        case .starting: "no book yet"
        case .droppedAtTap: "messages lost before the recorder"
        case .reconnect: "reconnect"
        case .stall: "silent or late"
        case .resync: "built again"
        case .unreadable: "a message that cannot be read"
        case .diskSlow: "the disk was too slow"
        case .diskError: "the disk refused"
        case .notRunning: "nothing was recording"
        case .damaged: "damaged or missing, and not listed"
        case .tooLong: "a message longer than a block can be"
        }
    }
}

extension RecordedGap {
    /// JSON.
    var json: String {
        var text = "{\"cause\":\"\(cause)\""
        if !symbol.isEmpty { text += ",\"symbol\":\(jsonText(String(decoding: symbol, as: UTF8.self)))" }
        text += ",\"fromNs\":\(fromNs),\"toNs\":\(toNs == 0 ? "null" : "\(toNs)")"
        text += ",\"idBefore\":\(idBefore),\"idAfter\":\(idAfter)"
        text += ",\"lostFrames\":\(lostFrames),\"lostBlocks\":\(lostBlocks)"
        if !detail.isEmpty { text += ",\"detail\":\(jsonText(String(decoding: detail, as: UTF8.self)))" }
        return text + "}"
    }
}
