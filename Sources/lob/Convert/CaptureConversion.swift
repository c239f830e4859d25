// The frames of captures, in the order of their lines, for a conversion. Snapshots keep their place; those
// given besides the captures come first, as in a replay. Recordings made by a replay are taken frame by
// frame.
//
// SAFETY: a line is used before its reader is asked for the next one.

import BinanceVenue
import BookSync
import Captures
import LobHandoff
import LobRecording
import MarketData

/// Feeds captures to a sink.
struct CaptureConversion: ~Copyable {
    private let survey: CaptureSurvey
    private let market: Market
    private let sink: any ConvertSink
    private var lineReader = LineReader()
    private var progress = ProgressLine()
    private(set) var notes = ReplayNotes()
    /// Why a file could not be read to its end.
    private(set) var damage: ReadingError?
    private var receivedAtNs: Int64 = 0

    init(_ survey: consuming CaptureSurvey, _ market: Market, _ sink: any ConvertSink) {
        self.market = market
        self.sink = sink
        self.survey = survey
    }

    /// Lines that were useless.
    var foreignLines: [String] {
        survey.files.flatMap { file in file.foreignLines.entries.map { $0.sentence(file.files.name) } }
    }

    /// Number of useless lines that should have been useful.
    var faultCount: Int {
        survey.files.reduce(notes.faultCount) { sum, file in
            file.foreignLines.entries.reduce(sum) { $0 + ($1.kind.isFault ? $1.count : 0) }
        }
    }

    mutating func run(_ given: [GivenBody]) throws {
        defer { progress.clear() }
        let files = survey.files.enumerated().map { (number: $0.offset, file: $0.element) }
        let lines = files.filter { !$0.file.isRecording }
        var given = given
        if !lines.isEmpty {
            try run(lines, given)
            given = []
        }
        for (_, file) in files where file.isRecording {
            try run(file, given)
            given = []
        }
    }

    private mutating func run(_ files: [(number: Int, file: SurveyedFile)], _ given: [GivenBody]) throws {
        let streams = try ReplayStreams(files, market: market)
        var isConnected = false
        while !StopSignals.isRaised, let stream = streams.next {
            progress.show(stream.name, stream.progress)
            receivedAtNs = stream.receivedAtNs
            if let line = stream.line, let shape = stream.shape {
                // A useless line does not tell when the session began.
                if case .foreign = shape.content {
                    stream.advance()
                    continue
                }
                if !isConnected { try connect(given) }
                isConnected = true
                try take(line, shape, stream)
            }
            stream.advance()
        }
        if !isConnected { try connect(given) }
        damage = damage ?? streams.streams.compactMap(\.damage).first
    }

    private mutating func connect(_ given: [GivenBody]) throws {
        try take(.connected, [])
        for body in given { try take(body) }
    }

    private mutating func run(_ file: SurveyedFile, _ given: [GivenBody]) throws {
        var reader = try RecordingReader(path: file.files.events, name: file.files.name)
        var isFirst = true
        while !StopSignals.isRaised {
            let frame: Frame?
            do throws(ReadingError) {
                frame = try reader.next()
            } catch {
                damage = damage ?? error
                return
            }
            guard let frame else { return }
            progress.show(file.files.name, reader.progress)
            receivedAtNs = frame.receivedAtNs
            if isFirst { for body in given { try take(body) } }
            isFirst = false
            try sink.take(frame, of: 0)
        }
    }

    private mutating func take(_ line: CaptureLine, _ shape: LineShape, _ stream: ReplayStream) throws {
        let item = lineReader.item(
            line, shape, hasSmallLetters: survey.files[stream.file].hasSmallLetters,
            owner: survey.owner(inFile: stream.file))
        switch item {
        case .nothing: return
        case .fault(let why): notes.fault(why, at: stream.origin.text)
        case .message(let range):
            try sink.take(
                unsafe Frame(
                    kind: .message, source: 0, receivedAtNs: receivedAtNs,
                    bytes: UnsafeBufferPointer(rebasing: line.message[range])), of: 0)
        case .composed(let bytes): try take(.message, bytes)
        case .body(let body, let symbol, let limit): try take(body, of: symbol, limit: limit)
        }
    }

    /// A snapshot given besides the captures.
    private mutating func take(_ given: GivenBody) throws {
        guard let symbol = given.owner(survey) else {
            return notes.fault(LineReader.ownerless, at: given.path)
        }
        try take(given.bytes, of: symbol, limit: given.limit)
    }

    private func take(_ body: [UInt8], of symbol: SymbolName, limit: Int) throws {
        try take(.depthSnapshot, SnapshotEnvelope(symbol: symbol, limit: limit).bytes + body.flat)
    }

    private func take(_ kind: FrameKind, _ body: [UInt8]) throws {
        try unsafe body.withUnsafeBufferPointer { bytes in
            try sink.take(
                unsafe Frame(kind: kind, source: 0, receivedAtNs: receivedAtNs, bytes: bytes), of: 0)
        }
    }
}
