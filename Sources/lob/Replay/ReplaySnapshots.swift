// REST depth bodies given besides a capture: by `--snapshot`, and as files of its folder.

import Captures
import LobRecording
import MarketData

/// A body in a file of its own.
struct GivenBody {
    var symbol: SymbolName?
    var limit: Int
    var bytes: [UInt8]
    var path: String
    /// Number of the capture that has the file in its folder.
    var file: Int?
}

/// Why a snapshot cannot be used.
enum SnapshotRefusal: Error, CustomStringConvertible {
    case argument(String)
    case body(String, String)

    var description: String {
        switch self {
        case .argument(let text): "--snapshot \(text): not SYMBOL=FILE, and the symbol is too long or empty"
        case .body(let path, let why): "\(path): \(why)"
        }
    }
}

extension GivenBody {
    /// The body of a `--snapshot` argument, `SYMBOL=FILE` or `FILE`. The symbol may be in lower case.
    init(argument: String) throws {
        guard let equals = argument.firstIndex(of: "=") else {
            self = try GivenBody(path: argument, of: nil)
            return
        }
        let path = String(argument[argument.index(after: equals)...])
        guard let symbol = SymbolName(String(argument[..<equals])), !symbol.isEmpty, !path.isEmpty else {
            throw SnapshotRefusal.argument(argument)
        }
        self = try GivenBody(path: path, of: symbol.capital)
    }

    init(path: String, of symbol: SymbolName?) throws {
        let text = try CaptureSession.text(of: path, isStopped: { StopSignals.isRaised })
        let found: (facts: DepthBody, bytes: [UInt8])
        do throws(BodyRefusal) {
            found = try DepthBody.find(in: text)
        } catch {
            throw SnapshotRefusal.body(path, error.description)
        }
        if let symbol, let named = found.facts.symbol, named != symbol {
            throw SnapshotRefusal.body(path, "it is of \(named), not of \(symbol)")
        }
        self.init(
            symbol: symbol ?? found.facts.symbol, limit: found.facts.limit, bytes: found.bytes, path: path)
    }

    /// All bodies besides the captures: those given as arguments and, for symbols without one, the files of
    /// folders.
    static func all(_ arguments: [String], _ survey: borrowing CaptureSurvey) throws -> [GivenBody] {
        var bodies = try arguments.map { try GivenBody(argument: $0) }
        let given = Set(bodies.map(\.symbol))
        for (number, file) in survey.files.enumerated() {
            for snapshot in file.files.snapshots {
                let named = snapshot.symbol.flatMap { SymbolName($0) }?.capital
                let symbol = named ?? survey.owner(inFile: number)
                if given.contains(symbol) || named == nil && given.contains(nil) { continue }
                var body = try GivenBody(path: snapshot.path, of: symbol)
                body.file = number
                bodies.append(body)
            }
        }
        return bodies
    }

    /// Whose it is; nil if nothing says it among several symbols.
    func owner(_ survey: borrowing CaptureSurvey) -> SymbolName? {
        let only = survey.symbols.count == 1 ? survey.symbols[0] : nil
        return symbol ?? file.flatMap { survey.owner(inFile: $0) } ?? only
    }
}
