// Turns a capture into frames: those that the feed of a live connection would have handed to the engine.
//
// Receive times are those of the capture; a line without one repeats the previous time. A REST depth body is
// a snapshot frame at its place in the capture, and the engine gets it when it requests a snapshot (see
// `SymbolBodies`). A body that names no symbol belongs to the only symbol of its file, or of all files;
// otherwise it is refused. A frame of a raw partial depth stream looks like a body of 5, 10 or 20 levels and
// is only compared.
//
// SAFETY: a line is used before the reader is asked for the next one; other pointers live inside their
// closures.

import BinanceVenue
import BookEngine
import BookExports
import BookSync
import Captures
import DepthBook
import LobHandoff
import LobRecording
import MarketData

/// One symbol of a replay.
final class ReplayedBook {
    var bodies = SymbolBodies()
    var watch = ReplayWatch()
    /// The proven ranges of bids and asks when the last snapshot had been loaded, with the scales that the
    /// book had then; nil before that.
    var loaded: (bids: ProvenRange, asks: ProvenRange, scales: SymbolScales?)?
    /// Whether a body had more levels than a book keeps.
    var isCutAtLoad = false
}

/// Drives an engine with the frames of captures. Not copyable.
struct Replay: ~Copyable {
    var engine: BookEngine
    let survey: CaptureSurvey
    let market: Market
    private let speed: ReplaySpeed
    private var recorder: RecordingWriter?
    private var pacer = ReplayPacer()
    private var progress = ProgressLine()
    var summary = ReplaySummary()
    var notes = ReplayNotes()
    var parser = MessageParser()
    private var lineReader = LineReader()
    /// The exporter that follows the books; nil if there is none.
    var exporter: BookExporter?
    /// Whether the rest is not needed.
    var isEnough = false
    private var receivedAtNs: Int64 = 0
    /// Whether requests for snapshots become frames made by the replay.
    private var makesRequests = true
    var books: [SymbolName: ReplayedBook] = [:]
    /// How an update must continue a book.
    let rule: SequenceRule
    /// Bytes of bodies that are kept for a later gap.
    var heldBytes = 0
    /// The limit of `heldBytes`.
    static let heldBytesMax = 1 << 26
    /// Whether some symbol may have more than one body.
    private let comparesBodies: Bool

    /// - Parameter survey: of the captures that will be replayed.
    init(
        _ configuration: EngineConfiguration, _ market: Market, _ survey: consuming CaptureSurvey,
        speed: ReplaySpeed,
        recordTo path: String?, bodyCount: Int
    ) throws {
        rule = survey.hasSeveralConnections ? .severalConnections : configuration.rules.sequence
        var ruled = configuration
        ruled.rules.sequence = rule
        engine = BookEngine(ruled)
        self.market = market
        self.speed = speed
        let inputs = survey.files.map(\.files.events)
        recorder = if let path { try RecordingWriter(path: path, inputs: inputs) } else { nil }
        let inLine = survey.files.reduce(0) { $0 + ($1.isRecording ? 2 : $1.bodyCount) }
        comparesBodies = inLine + bodyCount > 1
        if survey.hasSeveralConnections {
            notes.note(
                "updates overlap like those of several connections; they are merged by their ids",
                at: survey.files.map(\.files.name).joined(separator: ", "))
        }
        self.survey = survey
    }

    /// Replays everything: captures as one session, recordings one after the other.
    mutating func run(_ snapshots: [GivenBody]) throws {
        summary.clock = Stopwatch()
        let files = survey.files.enumerated().map { (number: $0.offset, file: $0.element) }
        let captures = files.filter { !$0.file.isRecording }
        var given = snapshots
        if !captures.isEmpty {
            try runLines(captures, given)
            given = []
        }
        for (_, file) in files where file.isRecording {
            makesRequests = !file.hasRequests
            try runRecording(file, given)
            given = []
        }
        progress.clear()
    }

    private mutating func runRecording(_ file: SurveyedFile, _ given: [GivenBody]) throws {
        var reader = try RecordingReader(path: file.files.events, name: file.files.name)
        for symbol in file.symbols { _ = engine.addSymbol(symbol) }
        var number = 0
        do throws(ReadingError) {
            while !isStopped(), let frame = try reader.next() {
                number += 1
                progress.show(file.files.name, reader.progress)
                receivedAtNs = frame.receivedAtNs
                if number == 1 { for body in given { take(body) } }
                if frame.kind == .message { summary.lines += 1 }
                let origin = "\(file.files.name): frame \(number)"
                guard frame.kind == .depthSnapshot, let envelope = SnapshotEnvelope(unsafe frame.bytes.span)
                else {
                    take(frame, at: origin)
                    continue
                }
                let body = unsafe Array(frame.bytes[SnapshotEnvelope.length...])
                take(body.span, of: envelope.symbol, limit: envelope.limit, at: origin)
            }
        } catch {
            damaged(error)
        }
        summary.readingNs += reader.readingNs
    }

    /// Whether the replay must end before the capture does.
    private mutating func isStopped() -> Bool {
        if StopSignals.isRaised { summary.isInterrupted = true }
        return summary.isInterrupted || isEnough
    }

    /// Notes that a file breaks off. Everything before the damage has been replayed and counts.
    private mutating func damaged(_ error: ReadingError) {
        if summary.damage == nil { summary.damage = error.description }
    }

    private mutating func runLines(
        _ files: [(number: Int, file: SurveyedFile)], _ given: [GivenBody]
    ) throws {
        let streams = try ReplayStreams(files, market: market)
        // Frames before the first line get its time.
        receivedAtNs = streams.next?.receivedAtNs ?? 0
        connect()
        for body in given { take(body) }
        while !isStopped(), let stream = streams.next {
            progress.show(stream.name, stream.progress)
            summary.lines += 1
            receivedAtNs = stream.receivedAtNs
            if let line = stream.line, let shape = stream.shape { take(line, shape, stream) }
            stream.advance()
        }
        for stream in streams.streams {
            if let damage = stream.damage { damaged(damage) }
        }
        summary.readingNs += streams.readingNs
    }

    private mutating func connect() {
        for symbol in survey.symbols where engine.addSymbol(symbol) == nil {
            notes.fault("more than \(engine.configuration.symbolCountMax) symbols", at: "\(symbol)")
        }
        let empty = unsafe UnsafeBufferPointer<UInt8>(start: nil, count: 0)
        unsafe take(
            Frame(kind: .connected, source: 0, receivedAtNs: receivedAtNs, bytes: empty), at: "connection")
    }

    private mutating func take(_ line: CaptureLine, _ shape: LineShape, _ stream: ReplayStream) {
        let origin = stream.origin
        let item = lineReader.item(
            line, shape, hasSmallLetters: survey.files[stream.file].hasSmallLetters,
            owner: survey.owner(inFile: stream.file))
        switch item {
        case .nothing: return
        case .fault(let why): notes.fault(why, at: origin.text)
        case .message(let range):
            let isWhole = unsafe range.upperBound == line.message.count
            unsafe take(
                Frame(
                    kind: .message, source: 0, receivedAtNs: receivedAtNs,
                    bytes: UnsafeBufferPointer(rebasing: line.message[range]),
                    readableAfter: isWhole ? CaptureLine.readableAfter : 0), at: origin.text)
        case .composed(let bytes):
            unsafe bytes.withUnsafeBufferPointer { bytes in
                unsafe take(
                    Frame(kind: .message, source: 0, receivedAtNs: receivedAtNs, bytes: bytes),
                    at: origin.text)
            }
        case .body(let body, let symbol, let limit):
            take(body.span, of: symbol, limit: limit, at: origin.text)
        }
    }

    /// A body that was given besides the captures.
    private mutating func take(_ given: GivenBody) {
        guard let symbol = given.owner(survey) else {
            return notes.fault(LineReader.ownerless, at: given.path)
        }
        take(given.bytes.span, of: symbol, limit: given.limit, at: given.path)
    }

    /// Paces, records and steps one frame, and notes its damage.
    private mutating func take(_ frame: Frame, at origin: @autoclosure () -> String) {
        if case .times(let factor) = speed { pacer.wait(until: frame.receivedAtNs, factor: factor) }
        recorder?.write(frame)
        step(frame, at: origin())
    }

    /// Paces and records a body at its place in the capture.
    private mutating func take(_ body: Span<UInt8>, of symbol: SymbolName, limit: Int, at origin: String) {
        let bytes = SnapshotEnvelope(symbol: symbol, limit: limit).bytes + body.indices.map { body[$0] }
        unsafe bytes.withUnsafeBufferPointer { all in
            let frame = unsafe Frame(
                kind: .depthSnapshot, source: 0, receivedAtNs: receivedAtNs, bytes: all)
            if case .times(let factor) = speed { pacer.wait(until: frame.receivedAtNs, factor: factor) }
            recorder?.write(frame)
        }
        receive(body, bytes, of: symbol, limit: limit, at: origin)
    }

    /// Hands a snapshot to the engine.
    mutating func offer(_ envelopeAndBody: [UInt8], at origin: String) {
        let bytes = envelopeAndBody + [UInt8](repeating: 0, count: CaptureLine.readableAfter)
        unsafe bytes.withUnsafeBufferPointer { all in
            unsafe step(
                Frame(
                    kind: .depthSnapshot, source: 0, receivedAtNs: receivedAtNs,
                    bytes: UnsafeBufferPointer(rebasing: all[..<envelopeAndBody.count]),
                    readableAfter: CaptureLine.readableAfter), at: origin)
        }
    }

    /// Announces that a snapshot was requested, as a feed does when it sends the request.
    mutating func request(_ symbol: SymbolName) {
        if !makesRequests { return }
        let bytes = SnapshotEnvelope(symbol: symbol, limit: 0).bytes
        unsafe bytes.withUnsafeBufferPointer { bytes in
            let frame = unsafe Frame(
                kind: .snapshotRequested, source: 0, receivedAtNs: receivedAtNs, bytes: bytes)
            recorder?.write(frame)
            step(frame, at: "request")
        }
    }

    /// Gives a frame to the engine and handles what follows from it.
    mutating func step(_ frame: Frame, at origin: @autoclosure () -> String) {
        let before = (engine.counters.malformed, engine.counters.depthUpdates)
        if exporter != nil { sample(before: frame) }
        engine.step(frame)
        summary.frames += 1
        if engine.counters.malformed != before.0 {
            let error = engine.lastParseError
            notes.fault(
                error?.code.rawValue ?? "not a snapshot frame",
                at: error.map { "\(origin()) (byte \($0.offset) of the message)" } ?? origin())
        }
        if engine.counters.depthUpdates != before.1 {
            if resetIfRestarted(at: origin()) { return step(frame, at: origin()) }
            unsafe afterEvent(
                frame.bytes.span, receivedAtNs: frame.receivedAtNs, comparesBodies, at: origin())
        }
        if exporter != nil { export(behind: frame) }
        heedRequests()
    }

    /// Closes the recording.
    mutating func finishRecording() throws { try recorder.take()?.finish() }
}
