// A capture as frames: what the feed of a live connection would have handed to the engine.
//
// Receive times are those of the capture; a line without one repeats the time before it. A REST depth body in
// line becomes a snapshot frame. A body that names no symbol belongs to the capture's only symbol; while
// there is none yet it is kept back.
//
// SAFETY: a line is used before the reader is asked for the next one; other pointers live inside their
// closures.

import BinanceDepth
import BookEngine
import DepthBook
import Handoff
import MarketData
import Recording

/// Why a replay cannot go on.
enum ReplayError: Error, CustomStringConvertible {
    case snapshotArgument(String)
    case snapshotUnreadable(String, String)
    case nothingToReplay([String])

    var description: String {
        switch self {
        case .snapshotArgument(let text):
            "--snapshot \(text): not SYMBOL=FILE, and the symbol is too long or empty"
        case .snapshotUnreadable(let path, let why): "\(path): not a REST depth body: \(why)"
        case .nothingToReplay(let paths):
            "\(paths.joined(separator: ", ")): no depth message in it; is it a capture of depth streams?"
        }
    }
}

/// Drives an engine with the frames of captures. Not copyable.
struct Replay: ~Copyable {
    private var engine: BookEngine
    private let speed: ReplaySpeed
    private var recorder: RecordingWriter?
    private var pacer = Pacer()
    private var progress = ProgressLine()
    private var summary = ReplaySummary()
    private var receivedAtNs: Int64 = 0
    private var isConnected = false
    private var heldBack: [HeldSnapshot] = []
    private var paths: [String] = []
    /// Symbols of the `--snapshot` arguments.
    private var given = Set<SymbolName?>()

    /// A snapshot body that waits for its symbol or for the first message.
    private struct HeldSnapshot {
        var symbol: SymbolName?
        var limit: Int
        var body: [UInt8]
        var origin: String
    }

    /// - Parameter inputs: the files that will be read; no recording replaces one of them.
    init(
        _ configuration: EngineConfiguration, speed: ReplaySpeed, recordTo path: String?, inputs: [String]
    ) throws {
        engine = BookEngine(configuration)
        self.speed = speed
        recorder = if let path { try RecordingWriter(path: path, inputs: inputs) } else { nil }
    }

    /// Takes a `--snapshot` argument. It comes before what lies in the folder of a capture.
    mutating func addSnapshot(_ argument: String) throws {
        guard let equals = argument.firstIndex(of: "=") else {
            given.insert(nil)
            return try addSnapshot(path: argument, of: nil)
        }
        let path = String(argument[argument.index(after: equals)...])
        guard let symbol = SymbolName(String(argument[..<equals])), !symbol.isEmpty, !path.isEmpty else {
            throw ReplayError.snapshotArgument(argument)
        }
        given.insert(symbol)
        try addSnapshot(path: path, of: symbol)
    }

    private mutating func addSnapshot(path: String, of symbol: SymbolName?) throws {
        var reader = try CaptureReader(path: path)
        guard let line = try reader.next() else {
            throw ReplayError.snapshotUnreadable(path, "the file is empty")
        }
        var body = unsafe Array(line.message)
        while let more = try reader.next() { unsafe body += more.message }
        guard let facts = snapshotFacts(body) else {
            throw ReplayError.snapshotUnreadable(
                path, "no bids and asks in it, or not strictly what the venue sends")
        }
        if let symbol, let named = facts.symbol, named != symbol {
            throw ReplayError.snapshotUnreadable(path, "it is of \(named), not of \(symbol)")
        }
        heldBack.append(
            HeldSnapshot(symbol: symbol ?? facts.symbol, limit: facts.limit, body: body, origin: path))
    }

    /// Replays one capture or recording to its end.
    mutating func run(_ files: CaptureFiles) throws {
        paths.append(files.events)
        for snapshot in files.snapshots {
            let symbol = snapshot.symbol.flatMap { SymbolName($0) }
            if !given.contains(symbol) { try addSnapshot(path: snapshot.path, of: symbol) }
        }
        if RecordingReader.isRecording(path: files.events) {
            try runRecording(files.events)
        } else {
            try runLines(files)
        }
        progress.clear()
    }

    private mutating func runRecording(_ path: String) throws {
        var reader = try RecordingReader(path: path)
        isConnected = true
        do throws(ReadingError) {
            while !isStopped(), let frame = try reader.next() {
                progress.show(path, reader.progress)
                if frame.kind == .message { summary.lines += 1 }
                let number = summary.frames + 1
                take(frame, at: "\(path): frame \(number)")
            }
        } catch {
            damaged(error)
        }
    }

    /// Whether somebody wants the replay to end before the capture does.
    private mutating func isStopped() -> Bool {
        if StopSignals.isRaised { summary.isInterrupted = true }
        return summary.isInterrupted
    }

    /// A file ends in its middle. Everything before the damage has been replayed and counts.
    private mutating func damaged(_ error: ReadingError) { summary.damage = error.description }

    private mutating func runLines(_ files: CaptureFiles) throws {
        let path = files.events
        var reader = try CaptureReader(path: path)
        var times = if let path = files.times { try ReceiveTimes(path: path) } else { ReceiveTimes?.none }
        do throws(ReadingError) {
            while !isStopped(), let line = try reader.next() {
                progress.show(path, reader.progress)
                summary.lines += 1
                if let time = try times?.next() ?? line.receivedAtNs { receivedAtNs = time }
                let origin = Origin(path: path, line: line.number, byte: line.byteOffset)
                if line.isTooLong {
                    summary.malformed(origin.text, "a line of more than \(CaptureReader.lineBytesMax) bytes")
                    continue
                }
                connect()
                unsafe take(line.message, origin)
                releaseHeldBack()
            }
        } catch {
            damaged(error)
        }
    }

    /// Where a message came from.
    struct Origin {
        var path: String
        var line: Int
        var byte: Int
        var text: String { "\(path): line \(line), byte \(byte)" }
    }

    private mutating func connect() {
        if isConnected { return }
        isConnected = true
        let empty = unsafe UnsafeBufferPointer<UInt8>(start: nil, count: 0)
        unsafe take(
            Frame(kind: .connected, source: 0, receivedAtNs: receivedAtNs, bytes: empty), at: "connection")
        releaseHeldBack()
    }

    private mutating func take(_ message: UnsafeBufferPointer<UInt8>, _ origin: Origin) {
        if unsafe looksLikeSnapshot(message) {
            let body = unsafe Array(message)
            if let facts = snapshotFacts(body) {
                heldBack.append(
                    HeldSnapshot(symbol: facts.symbol, limit: facts.limit, body: body, origin: origin.text))
                return
            }
        }
        unsafe take(
            Frame(
                kind: .message, source: 0, receivedAtNs: receivedAtNs, bytes: message,
                readableAfter: CaptureLine.readableAfter), at: origin)
    }

    private mutating func take(_ frame: Frame, at origin: @autoclosure () -> Origin) {
        take(frame, at: origin().text)
    }

    /// One frame: paced, recorded, stepped; what it broke is noted.
    private mutating func take(_ frame: Frame, at origin: @autoclosure () -> String) {
        if case .times(let factor) = speed { pacer.wait(until: frame.receivedAtNs, factor: factor) }
        recorder?.write(frame)
        let before = engine.counters.malformed
        engine.step(frame)
        summary.frames += 1
        if engine.counters.malformed != before {
            summary.malformed(origin(), engine.lastParseError.map { "\($0)" } ?? "not a snapshot frame")
        }
    }

    /// Hands over the snapshots whose symbol is known by now.
    private mutating func releaseHeldBack() {
        if heldBack.isEmpty { return }
        var waiting: [HeldSnapshot] = []
        for held in heldBack {
            let only = engine.symbols.count == 1 ? engine.symbols.first : nil
            guard let symbol = held.symbol ?? only else {
                if engine.symbols.isEmpty {
                    waiting.append(held)
                } else {
                    summary.malformed(
                        held.origin,
                        "a depth body without a symbol among several symbols; use --snapshot SYMBOL=FILE")
                }
                continue
            }
            // A symbol that was named before it spoke is added, so that its events find the book.
            engine.addSymbol(symbol)
            var bytes = SnapshotEnvelope(symbol: symbol, limit: held.limit).bytes + held.body
            let length = bytes.count
            bytes += [UInt8](repeating: 0, count: 128)
            unsafe bytes.withUnsafeBufferPointer { all in
                unsafe take(
                    Frame(
                        kind: .depthSnapshot, source: 0, receivedAtNs: receivedAtNs,
                        bytes: UnsafeBufferPointer(rebasing: all[..<length]),
                        readableAfter: all.count - length),
                    at: held.origin)
            }
        }
        heldBack = waiting
    }

    /// Ends the replay and says what came of it.
    consuming func finish() throws -> ReplaySummary {
        if engine.symbols.isEmpty && summary.damage == nil && !summary.isInterrupted {
            throw ReplayError.nothingToReplay(paths)
        }
        try recorder.take()?.finish()
        summary.elapsedNs = summary.clock.elapsedNs
        summary.engine = engine.counters
        for name in engine.symbols.sorted() {
            guard let status = engine.status(name) else { continue }
            let book = engine.withBook(name) { book in
                (bids: book.levels(.bid), asks: book.levels(.ask), digest: book.digest())
            }
            summary.symbols.append(
                ReplayedSymbol(
                    status: status, bids: book?.bids ?? [], asks: book?.asks ?? [], digest: book?.digest ?? 0,
                    disagreements: engine.disagreements(of: name)))
        }
        return summary
    }
}
