// Captures as one session: the lines of all files in order of time.
//
// The time of a line is when it was received; a file without receive times goes by the event times of its
// depth updates. A line without a time follows the one before it.
//
// SAFETY: a line is used before its reader is asked for the next one.

import BinanceVenue
import Captures
import LobRecording
import MarketData

/// Where a message came from.
struct Origin {
    var name: String
    var line: Int
    var byte: Int
    var text: String { "\(name): line \(line), byte \(byte)" }
}

/// The lines of one capture, one of them read ahead.
final class ReplayStream {
    let file: Int
    let name: String
    private var reader: CaptureReader
    private var times: ReceiveTimes?
    private var parser = MessageParser()
    private let market: Market
    /// Whether lines are ordered by the event times of their updates.
    private let goesByEvents: Bool
    private(set) var line: CaptureLine?
    private(set) var shape: LineShape?
    /// When the line was received; for a line without a time, that of the line before it.
    private(set) var receivedAtNs: Int64 = 0
    /// The time that lines are ordered by.
    private(set) var orderNs: Int64 = 0
    /// Why the file could not be read to its end.
    private(set) var damage: ReadingError?

    /// - Parameter isAlone: whether no other file is read with it, so that its lines need no order.
    init(_ file: SurveyedFile, number: Int, market: Market, isAlone: Bool) throws(ReadingError) {
        self.file = number
        self.market = market
        name = file.files.name
        goesByEvents = !isAlone && !file.hasTimes
        reader = try CaptureReader(path: file.files.events, name: file.files.name)
        if let path = file.files.times { times = try ReceiveTimes(path: path) }
        advance()
    }

    var progress: Double { reader.progress }
    var readingNs: Int64 { reader.readingNs }

    var origin: Origin { Origin(name: name, line: line?.number ?? 0, byte: line?.byteOffset ?? 0) }

    /// Reads the next line; `line` is nil at the end.
    func advance() {
        line = nil
        shape = nil
        do throws(ReadingError) {
            guard let next = try reader.next() else { return }
            let ownTime = try times?.next() ?? next.receivedAtNs
            let found = LineShape(of: unsafe next.message.span)
            if let time = ownTime ?? found.receivedAtNs { receivedAtNs = time }
            if goesByEvents {
                orderNs = max(orderNs, eventTimeNs(next, found))
            } else {
                orderNs = max(orderNs, receivedAtNs)
            }
            line = next
            shape = found
        } catch {
            damage = error
        }
    }

    private func eventTimeNs(_ line: CaptureLine, _ shape: LineShape) -> Int64 {
        guard case .message = shape.content, let range = shape.range else { return 0 }
        let kind = try? parser.parse(unsafe line.message.span.extracting(range), market: market)
        guard kind == .depthUpdate else { return 0 }
        let (time, overflow) = parser.update.eventTimeUs.multipliedReportingOverflow(by: 1000)
        return overflow ? 0 : time
    }
}

/// All captures of a replay, merged.
struct ReplayStreams {
    private(set) var streams: [ReplayStream] = []

    init(_ files: [(number: Int, file: SurveyedFile)], market: Market) throws(ReadingError) {
        for (number, file) in files {
            streams.append(
                try ReplayStream(file, number: number, market: market, isAlone: files.count == 1))
        }
    }

    /// The stream that has the next line; nil at the end.
    var next: ReplayStream? {
        if streams.count == 1 { return streams[0].line == nil ? nil : streams[0] }
        return streams.filter { $0.line != nil }.min { $0.orderNs < $1.orderNs }
    }

    var readingNs: Int64 { streams.reduce(0) { $0 + $1.readingNs } }
}
