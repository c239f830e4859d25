// Scans captures completely before they are used: for their market, their symbols, the owners of bodies that
// name no symbol, and unusable lines.
//
// Memory is bounded: at most `symbolCountMax` symbols, one entry per kind of unusable line, and nothing of
// the messages.
//
// SAFETY: a line is used before the reader is asked for the next one.

import BinanceVenue
import BookSync
import LobRecording
import MarketData

/// Contents of one file of a capture.
package struct SurveyedFile: Sendable {
    /// Its files.
    package let files: CaptureFiles
    /// Whether it is a recording of frames.
    package let isRecording: Bool
    /// Its symbols in capitals, in order of first appearance.
    package internal(set) var symbols: [SymbolName] = []
    /// Depth updates.
    package internal(set) var eventCount = 0
    /// Messages of any kind that the parser accepts.
    package internal(set) var messageCount = 0
    /// Inline REST depth bodies.
    package internal(set) var bodyCount = 0
    /// Frames of a raw partial depth stream, and the line of the first.
    package internal(set) var topOnly: (count: Int, line: Int, levels: Int) = (0, 0, 0)
    /// Unusable lines.
    package internal(set) var foreignLines = ForeignLineTally()
    /// The first message the parser rejected.
    package internal(set) var firstError: (line: Int, error: ParseError)?
    /// Why it could not be read to the end.
    package internal(set) var damage: ReadingError?
    /// Whether some line has a receive time.
    package internal(set) var hasTimes = false
    /// Whether a recording contains the requests of snapshots.
    package internal(set) var hasRequests = false
    /// Whether symbols are written in lower case.
    package internal(set) var hasSmallLetters = false
}

/// Contents of captures that are used together.
package struct CaptureSurvey: ~Copyable {
    /// Most symbols of a capture.
    package static var symbolCountMax: Int { 4096 }
    /// How many depth updates of a file are checked for `pu` rather than a transaction time.
    private static let lookedIntoMax = 64

    /// The files.
    package private(set) var files: [SurveyedFile] = []
    /// The evidence of their market.
    package private(set) var evidence = MarketEvidence()
    private var parser = MessageParser()
    private var isFutures = false
    /// What is known of each symbol, by its spelling.
    private var known: [SymbolName: SeenSymbol] = [:]

    /// A symbol as spelt in the capture.
    private final class SeenSymbol {
        let isCoin: Bool
        var chains = EventChains()
        /// Number of the file in which it last appeared.
        var file: Int

        init(_ symbol: SymbolName, file: Int) {
            isCoin = MarketEvidence.futures(symbol) == .coinm
            self.file = file
        }
    }
    /// Called periodically; true stops reading.
    private let isStopped: () -> Bool
    /// Whether it was stopped before the end of the files.
    package private(set) var isInterrupted = false

    /// An empty survey.
    package init(isStopped: @escaping () -> Bool = { false }) { self.isStopped = isStopped }

    /// The symbols of all files.
    package var symbols: [SymbolName] {
        var seen = Set<SymbolName>()
        return files.flatMap(\.symbols).filter { seen.insert($0).inserted }
    }

    /// Whether updates of futures overlap, all of them because several connections were recorded together.
    package var hasSeveralConnections: Bool {
        let overlapping = known.values.filter { $0.chains.overlapCount > 0 }
        return !overlapping.isEmpty && overlapping.allSatisfy(\.chains.areSeveral)
    }

    /// The owner of a body that names no symbol: the only symbol of its file, or of all files.
    package func owner(inFile index: Int) -> SymbolName? {
        if files[index].symbols.count == 1 { return files[index].symbols[0] }
        let all = symbols
        return all.count == 1 ? all[0] : nil
    }

    /// Scans a capture, up to any damage.
    ///
    /// - Throws: if nothing of it can be read.
    package mutating func read(_ capture: CaptureFiles) throws(ReadingError) {
        let isRecording = RecordingReader.isRecording(path: capture.events)
        files.append(SurveyedFile(files: capture, isRecording: isRecording))
        if isRecording {
            try readRecording(capture)
        } else {
            try readLines(capture)
        }
        for snapshot in capture.snapshots {
            if let name = snapshot.symbol.flatMap({ SymbolName($0) }) { add(name.capital) }
        }
    }

    private mutating func readRecording(_ capture: CaptureFiles) throws(ReadingError) {
        var reader = try RecordingReader(path: capture.events, name: capture.name)
        var number = 0
        while let frame = try? reader.next() {
            number += 1
            if number & 255 == 0, stops() { return }
            switch frame.kind {
            case .message:
                take(
                    LineShape(of: unsafe frame.bytes.span), unsafe frame.bytes.span, number,
                    readableAfter: frame.readableAfter)
            case .depthSnapshot:
                if let envelope = SnapshotEnvelope(unsafe frame.bytes.span) { add(envelope.symbol) }
            case .snapshotRequested: last.hasRequests = true
            case _: break
            }
        }
    }

    private mutating func readLines(_ capture: CaptureFiles) throws(ReadingError) {
        var reader = try CaptureReader(path: capture.events, name: capture.name)
        last.hasTimes = capture.times != nil
        var isFirst = true
        while true {
            let line: CaptureLine?
            do throws(ReadingError) {
                line = try reader.next()
            } catch {
                if isFirst, case .foreign = error { throw error }
                last.damage = error
                return
            }
            guard let line else { return }
            isFirst = false
            if line.number & 255 == 0, stops() { return }
            if line.isTooLong { continue }
            let shape = LineShape(of: unsafe line.message.span)
            if line.receivedAtNs != nil || shape.receivedAtNs != nil { last.hasTimes = true }
            take(
                shape, unsafe line.message.span, line.number, readableAfter: CaptureLine.readableAfter)
        }
    }

    private mutating func stops() -> Bool {
        if isStopped() { isInterrupted = true }
        return isInterrupted
    }

    private var last: SurveyedFile {
        get { files[files.count - 1] }
        _modify { yield &files[files.count - 1] }
    }

    private var origin: String { last.files.name }

    private mutating func take(
        _ shape: LineShape, _ line: Span<UInt8>, _ number: Int, readableAfter: Int
    ) {
        switch shape.content {
        case .foreign(let kind, let detail): last.foreignLines.note(kind, line: number, detail: detail)
        case .body, .message:
            let isBody = shape.content == .body
            if let range = shape.range {
                take(
                    isBody, line.extracting(range), number, shape.symbol,
                    readableAfter: line.count - range.upperBound + readableAfter)
            } else {
                take(isBody, shape.unescaped.span, number, shape.symbol, readableAfter: 0)
            }
        }
    }

    private mutating func take(
        _ isBody: Bool, _ text: Span<UInt8>, _ number: Int, _ beside: SymbolName?, readableAfter: Int
    ) {
        do throws(ParseError) {
            if isBody {
                try parser.parseSnapshot(text)
                takeBody(number, beside)
                return
            }
            switch try kind(of: text, readableAfter) {
            case .depthUpdate: takeEvent(text, number)
            case .depthSnapshot: takeBody(number, beside)
            case .partialDepth: add(parser.snapshot.symbol)
            case .bookTicker: takeTicker(number)
            case .other: takeOther(text, number)
            case .serverShutdown: break
            }
            last.messageCount += 1
        } catch {
            if last.firstError == nil { last.firstError = (number, error) }
        }
    }

    /// The kind of a message of a market that may not be known yet.
    private mutating func kind(
        of text: Span<UInt8>, _ readableAfter: Int
    ) throws(ParseError) -> MessageKind {
        if !isFutures { return try parse(text, .spot, readableAfter) }
        do throws(ParseError) {
            return try parse(text, .usdm, readableAfter)
        } catch {
            if error.code != .fieldMissing { throw error }
            let kind = try parse(text, .spot, readableAfter)
            isFutures = false
            return kind
        }
    }

    private mutating func parse(
        _ text: Span<UInt8>, _ market: Market, _ readableAfter: Int
    ) throws(ParseError) -> MessageKind {
        try unsafe text.withUnsafeBufferPointer { bytes throws(ParseError) in
            try unsafe parser.parse(bytes, market: market, readableAfter: readableAfter)
        }
    }

    private mutating func takeEvent(_ text: Span<UInt8>, _ number: Int) {
        last.eventCount += 1
        if !isFutures {
            let isNew = last.eventCount <= CaptureSurvey.lookedIntoMax
            let isTimed = parser.update.transactionTimeUs != 0
            if isNew && CaptureSurvey.hasLink(text) || !isNew && isTimed {
                let kind = try? parser.parse(text, market: .usdm)
                isFutures = kind == .depthUpdate
                if !isFutures { _ = try? parser.parse(text, market: .spot) }
            }
        }
        let seen = add(parser.update.symbol)
        let market: Market = !isFutures ? .spot : seen?.isCoin == true ? .coinm : .usdm
        if !evidence.events.contains(where: { $0.market == market }) {
            let origin = "\(last.files.name): line \(number)"
            evidence.note(market, origin)
        }
        if isFutures { seen?.chains.take(UpdateRange(parser.update)) }
    }

    /// Whether an update, bare or wrapped, has a member `pu`.
    private static func hasLink(_ text: Span<UInt8>) -> Bool {
        guard let outline = JSONOutline(text, at: 0) else { return false }
        if outline.has("pu", text) { return true }
        let inner = outline.value("data", text) ?? outline.value("event", text)
        return inner.flatMap { JSONOutline(text, at: $0.lowerBound) }?.has("pu", text) ?? false
    }

    private mutating func takeTicker(_ number: Int) {
        let seen = add(parser.ticker.symbol)
        let isTimed = parser.ticker.transactionTimeUs != 0
        let market: Market = !isTimed ? .spot : seen?.isCoin == true ? .coinm : .usdm
        let origin = origin
        evidence.noteOther(market, "\(origin): line \(number)")
    }

    private mutating func takeBody(_ number: Int, _ beside: SymbolName?) {
        let facts = DepthBody(parser.snapshot)
        if facts.isTopOnly {
            if last.topOnly.count == 0 { last.topOnly = (0, number, facts.limit) }
            last.topOnly.count += 1
        } else {
            last.bodyCount += 1
        }
        let symbol = facts.symbol ?? beside
        if let symbol { add(symbol) }
        guard parser.snapshot.transactionTimeUs != 0 else { return }
        let origin = origin
        evidence.noteOther(MarketEvidence.futures(symbol ?? SymbolName()), "\(origin): line \(number)")
    }

    /// Reports depth streams that are not part of a book.
    private mutating func takeOther(_ text: Span<UInt8>, _ number: Int) {
        guard let stream = parser.stream, stream.contains(where: { isDepth(text, $0) }) else { return }
        guard case .foreign(let kind, let detail) = LineShape(lookingInto: text).content else { return }
        last.foreignLines.note(kind, line: number, detail: detail)
    }

    /// Whether a stream's name continues with `@depth` or `@rpiDepth` at this offset.
    private func isDepth(_ text: Span<UInt8>, _ at: Int) -> Bool {
        if text[at] != UInt8(ascii: "@") || at + 9 > text.count { return false }
        return equals(text, at..<(at + 6), "@depth") || equals(text, at..<(at + 9), "@rpiDepth")
    }

    @discardableResult
    private mutating func add(_ symbol: SymbolName) -> SeenSymbol? {
        let file = files.count - 1
        if let seen = known[symbol] {
            if seen.file == file { return seen }
            seen.file = file
        } else {
            if symbol.isEmpty || known.count >= CaptureSurvey.symbolCountMax { return nil }
            known[symbol] = SeenSymbol(symbol, file: file)
        }
        let capital = symbol.capital
        if capital != symbol { last.hasSmallLetters = true }
        if !last.symbols.contains(capital) { last.symbols.append(capital) }
        return known[symbol]
    }
}
