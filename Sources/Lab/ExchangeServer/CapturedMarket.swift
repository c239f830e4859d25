// What must be known about a capture before it is played: its streams, its symbols, and the first snapshot of
// each. Found by reading it once from beginning to end.
//
// Tick and quantity step are the greatest common divisors of all prices and quantities seen: `exchangeInfo`
// must say something, and this is what the traffic shows.

import BinanceVenue
import Captures
import LobRecording
import MarketData
import SimulatedExchange

/// Why a capture cannot be played.
package enum CaptureError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A file cannot be read.
    case unreadable(ReadingError)
    /// It contains no message of a stream of the market.
    case empty(path: String)
    /// It contains no depth update of the market, so there is no symbol to serve.
    case noSymbols(path: String)
    /// It contains more symbols or streams than can be served.
    case tooMany(path: String, what: String, countMax: Int)
    /// It is a recording of an engine's frames, not a capture.
    case recording(path: String)

    /// The error as a sentence.
    package var description: String {
        switch self {
        case .unreadable(let error): "\(error)"
        case .empty(let path): "\(path): no message of a stream in it; is it of this market?"
        case .noSymbols(let path): "\(path): no depth update in it; is it of this market?"
        case .tooMany(let path, let what, let countMax):
            "\(path): more than \(countMax) \(what); play a capture of fewer"
        case .recording(let path):
            "\(path): a recording of frames, which only 'lob replay' reads; play what it was made from"
        }
    }
}

/// A captured session of one market.
package struct CapturedMarket: Sendable {
    /// Maximum number of symbols served; each costs a book, some 50 KB.
    package static let symbolCountMax = 4_096
    /// Maximum number of streams.
    package static let streamCountMax = 65_536

    /// Its market.
    package let market: Market
    /// Its files.
    package let files: CaptureFiles
    /// Its symbols, in the order of their first message.
    package private(set) var symbols: [ListedSymbol] = []
    /// Its streams.
    package private(set) var streams: [String] = []
    /// Number of messages, including those that belong to no stream.
    package private(set) var messageCount = 0
    /// Time from the first message to the last, in nanoseconds; 0 if unknown.
    package private(set) var spanNs: Int64 = 0
    /// The first REST body of each symbol.
    private(set) var snapshots: [SymbolName: [UInt8]] = [:]
    /// The symbol of a body that names none: the only one in the capture, if there is only one.
    private(set) var owner: SymbolName?

    /// Reads a capture.
    ///
    /// - Parameters:
    ///   - files: where its parts are.
    ///   - market: its market.
    package init(_ files: CaptureFiles, market: Market) throws(CaptureError) {
        self.market = market
        self.files = files
        if RecordingReader.isRecording(path: files.events) { throw .recording(path: files.name) }
        do throws(ReadingError) {
            var survey = Survey(market)
            var lines = try CapturedLines(files)
            while !survey.isFull, let line = try lines.next() { survey.take(line) }
            survey.finish()
            streams = survey.streams
            messageCount = survey.messageCount
            spanNs = max(survey.lastNs - survey.firstNs, 0)
            symbols = survey.order.compactMap { survey.facts[$0] }
            snapshots = survey.snapshots
            owner = survey.owner
            for file in files.snapshots {
                guard let name = file.symbol.map({ SymbolName($0) }) ?? owner else { continue }
                snapshots[name] = try body(file.path)
            }
        } catch {
            throw .unreadable(error)
        }
        let path = files.name
        if symbols.count > Self.symbolCountMax {
            throw .tooMany(path: path, what: "symbols", countMax: Self.symbolCountMax)
        }
        if streams.count > Self.streamCountMax {
            throw .tooMany(path: path, what: "streams", countMax: Self.streamCountMax)
        }
        if streams.isEmpty { throw .empty(path: files.name) }
        if symbols.isEmpty { throw .noSymbols(path: files.name) }
    }

    /// The body in a file without its envelope; unchanged if it has none.
    private func body(_ path: String) throws(ReadingError) -> [UInt8] {
        let text = try CaptureSession.text(of: path)
        return (try? DepthBody.find(in: text).bytes) ?? text
    }
}

/// What reading a capture has found so far.
private struct Survey {
    let market: Market
    var facts: [SymbolName: ListedSymbol] = [:]
    var order: [SymbolName] = []
    var streams: [String] = []
    var snapshots: [SymbolName: [UInt8]] = [:]
    var messageCount = 0
    var firstNs: Int64 = 0
    var lastNs: Int64 = 0
    private var known = Set<String>()
    private var names = Set<SymbolName>()
    private var nameless: [UInt8]?
    private var parser = ParserBox()

    /// A parser is not copyable; the survey need not be either, but its results must be.
    private final class ParserBox {
        var parser = MessageParser()
    }

    init(_ market: Market) { self.market = market }

    /// Whether there is more than can be served.
    var isFull: Bool {
        order.count > CapturedMarket.symbolCountMax || streams.count > CapturedMarket.streamCountMax
    }

    /// The symbol of a capture with only one.
    var owner: SymbolName? { names.count == 1 ? names.first : nil }

    mutating func take(_ line: CapturedLine) {
        messageCount += 1
        if let receivedAtNs = line.receivedAtNs {
            if firstNs == 0 { firstNs = receivedAtNs }
            lastNs = max(lastNs, receivedAtNs)
        }
        let message = line.bytes
        if line.isBody { return takeBody(line) }
        let kind = parser.parser.kind(of: message, market)
        switch kind {
        case .depthUpdate: takeLevels()
        case .bookTicker: note(parser.parser.ticker.symbol)
        case .partialDepth: note(parser.parser.snapshot.symbol)
        case _: break
        }
        let only = order.count == 1 ? order[0].lowercasedASCII : nil
        let wrapped = unwrap(message).map { String(decoding: message[$0.name], as: UTF8.self) }
        guard let name = wrapped ?? streamName(kind, message, only: only) else { return }
        if known.insert(name).inserted { streams.append(name) }
    }

    private mutating func note(_ symbol: SymbolName) {
        if names.count <= CaptureSurvey.symbolCountMax { names.insert(symbol) }
    }

    private mutating func takeLevels() {
        let symbol = parser.parser.update.symbol
        note(symbol)
        guard let scales = parser.parser.update.scales else { return }
        if facts[symbol] == nil {
            if order.count > CaptureSurvey.symbolCountMax { return }
            order.append(symbol)
            facts[symbol] = ListedSymbol(
                name: symbol, market: market, scales: scales, tick: 0, quantityStep: 0)
        }
        var found = facts[symbol]!
        for index in 0..<parser.parser.update.bids.count { found.take(parser.parser.update.bids[index]) }
        for index in 0..<parser.parser.update.asks.count { found.take(parser.parser.update.asks[index]) }
        facts[symbol] = found
    }

    /// Takes a body of a symbol, or of the only symbol, which may not be known yet; a frame of a raw partial
    /// depth stream that looks like a body is not one.
    private mutating func takeBody(_ line: CapturedLine) {
        guard (try? parser.parser.parseSnapshot(line.bytes.span)) != nil else { return }
        let facts = DepthBody(parser.parser.snapshot)
        if facts.isTopOnly { return }
        if let symbol = facts.symbol ?? line.symbol {
            note(symbol)
            if snapshots[symbol] == nil { snapshots[symbol] = line.bytes }
        } else if nameless == nil {
            nameless = line.bytes
        }
    }

    /// Assigns the body that names no symbol to the only symbol, if there is only one.
    mutating func finish() {
        guard let nameless, let owner, snapshots[owner] == nil else { return }
        snapshots[owner] = nameless
    }
}

extension ListedSymbol {
    /// Refines tick and step by the price and quantity of a level.
    fileprivate mutating func take(_ level: PriceLevel) {
        tick = commonDivisor(tick, level.price.mantissa)
        quantityStep = commonDivisor(quantityStep, level.quantity.mantissa)
    }
}

/// The greatest number that divides both; 0 stands for "nothing yet".
private func commonDivisor(_ a: Int64, _ b: Int64) -> Int64 {
    if a == 1 || b % max(a, 1) == 0 && a > 0 { return a }
    var (a, b) = (a, b)
    while b != 0 { (a, b) = (b, a % b) }
    return a
}
