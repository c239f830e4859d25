// What must be known about captures before their messages are used: the market, the symbols, and which symbol
// each body belongs to.

import ArgumentParser
import BinanceVenue
import Captures
import LobRecording
import MarketData

/// Why captures cannot be used.
enum CaptureRefusal: Error, CustomStringConvertible {
    case nothing(String)

    var description: String {
        switch self {
        case .nothing(let why): why
        }
    }
}

/// Reads captures once from beginning to end. SIGINT ends the reading.
func survey(_ captures: [CaptureFiles]) throws -> CaptureSurvey {
    var survey = CaptureSurvey(isStopped: { StopSignals.isRaised })
    for capture in captures { try survey.read(capture) }
    return survey
}

/// The market of captures that are used together: the one that was named, otherwise the one that their
/// updates show. It is wrong usage if they show another one.
func captureMarket(_ named: Market?, _ survey: borrowing CaptureSurvey) throws -> Market {
    do throws(MarketError) {
        let told = try survey.evidence.market(named: named)
        if told.isGuess && !survey.symbols.isEmpty {
            let names = survey.files.map(\.files.name).joined(separator: ", ")
            printError("\(names): nothing tells the market; \(told.market.name) is assumed, see --market")
        }
        return told.market
    } catch {
        throw ValidationError(error.description)
    }
}

/// Why nothing in the captures can be replayed; nil if something can.
func refusal(_ survey: borrowing CaptureSurvey) -> String? {
    for file in survey.files {
        // The first line of an array tells what all its lines are, although the last one may look like a
        // message.
        if let array = file.foreignLines.entries.first(where: { $0.kind == .array && $0.line == 1 }) {
            let name = file.files.name
            return "\(name): a JSON array (line \(array.line)); lob reads one message a line: "
                + "jq -c '.[]' \(name) | lob replay -"
        }
    }
    if !survey.symbols.isEmpty || survey.isInterrupted { return nil }
    let reasons = survey.files.map { file -> String in
        let name = file.files.name
        if let damage = file.damage { return damage.description }
        if let line = file.foreignLines.entries.first(where: { $0.kind != .unknown })
            ?? file.foreignLines.entries.first
        {
            return line.sentence(name)
        }
        if let (line, error) = file.firstError {
            let hint =
                error.code == .trailingBytes ? "; several on one line? jq -c . \(name) | lob replay -" : ""
            return "\(name): no depth message in it: line \(line): \(error)\(hint)"
        }
        if file.bodyCount + file.topOnly.count > 0 {
            let bodies = counted(file.bodyCount + file.topOnly.count, "REST depth body").replacing(
                "bodys", with: "bodies")
            return "\(name): \(bodies), but no depth update and no symbol"
        }
        return "\(name): no depth message in it; is it a capture of depth streams?"
    }
    return reasons.joined(separator: "\n")
}
