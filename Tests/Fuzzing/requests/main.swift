// A fuzzer of what a server reads of its clients, under AddressSanitizer: control messages, queries, targets
// of the venue and of its own, frames, packed messages, and whole connections over loopback.
//
//     LOB_FUZZ=1 swift build -c release --product fuzz-requests --disable-default-traits \
//         --scratch-path .build-fuzz
//     SWIFT_BACKTRACE=enable=no .build-fuzz/release/fuzz-requests CORPUS -max_total_time=300 \
//         -max_len=2048
//
// The first byte of an input selects the reader of the rest. Every answer must be JSON, a reader must not
// depend on how its bytes are cut, and nothing may remain of a closed connection.
//
// SAFETY: inputs are copied before anything is done with them; the driver calls back on one thread.
import BinanceVenue
import CFuzzer
import FeedPlan
import Glibc
import MarketData

@testable import BinanceServing
@testable import BookServer
@testable import LobTransport

/// The rest of the input is read as this.
enum Reader: UInt8, CaseIterable {
    case control, query, target, own, frames, text, packed, http, webSocket, deflated, queries
}

func isJSON(_ bytes: [UInt8]) -> Bool { (try? JSONTree(bytes)) != nil }

func readControl(_ bytes: [UInt8]) {
    do throws(ControlRefusal) {
        let request = try ControlRequest(bytes)
        if case .subscribe(let names) = request.action {
            for name in names {
                if let stream = StreamName(name) { precondition(stream.text == name, "\(name)") }
                precondition(isJSON(StreamWrapper.opening(name) + [0x31, StreamWrapper.closing]), "\(name)")
            }
        }
        precondition(ControlResult.done.reply(to: request.id).map(isJSON) ?? true)
    } catch {
        precondition(error.reply(.nested).map(isJSON) ?? true)
    }
}

func readQuery(_ bytes: [UInt8]) -> [UInt8] {
    var reply: [UInt8] = []
    for market in Market.allCases {
        let rules = ServingRules(market)
        do throws(QueryRefusal) {
            let request = try QueryRequest(bytes, rules)
            let (status, body) = route(request.target, rules)
            reply = rules.queryReply(to: request.id, status: status, body: body, usedWeight: 1)
        } catch {
            let refusal = error.refusal
            reply = rules.queryReply(to: error.id, status: refusal.status, body: refusal.body, usedWeight: 1)
        }
        precondition(isJSON(reply), String(decoding: reply, as: UTF8.self))
    }
    return reply
}

/// Status and body of the answer to a request; what is admitted is answered with its weight.
func route(_ target: RequestTarget, _ rules: ServingRules) -> (status: Int, body: [UInt8]) {
    do throws(RestRefusal) {
        let request = try rules.route(target)
        let weight = rules.weight(of: request)
        precondition((1...250).contains(weight))
        return (200, Array("\(weight)".utf8))
    } catch {
        precondition((400...499).contains(error.status) && error.weight >= 0)
        precondition(error.body.isEmpty || isJSON(error.body), String(decoding: error.body, as: UTF8.self))
        return (error.status, error.body)
    }
}

func read(_ target: RequestTarget) -> (status: Int, body: [UInt8]) {
    var answer = (status: 404, body: Array("{}".utf8))
    for market in Market.allCases {
        let rules = ServingRules(market)
        answer = route(target, rules)
        if let streams = StreamTarget(target, rules) {
            precondition(streams.names.allSatisfy { !$0.isEmpty })
        }
    }
    return answer
}

/// A path, and a parameter in each further line.
func target(_ bytes: [UInt8]) -> RequestTarget {
    let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        .map { String(decoding: $0, as: UTF8.self) }
    var target = RequestTarget(path: lines[0])
    for line in lines.dropFirst() {
        let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        target.parameters.append(RequestTarget.Parameter(parts[0], parts.count > 1 ? parts[1] : ""))
    }
    return target
}

/// Status and body of the answer to a request for the server itself; nil if it is none.
func readOwn(_ path: String, _ query: [(name: String, value: String)]) -> (status: Int, body: [UInt8])? {
    do throws(APIProblem) {
        guard let request = try APIRequest.read(path, query) else { return nil }
        precondition((1...400).contains(RequestPace.cost(of: request, symbolCount: 1_500, slotCount: 20_000)))
        switch request {
        case .book(let name, let levelCount):
            precondition(!name.isEmpty && (1...APIRequest.levelCountMax).contains(levelCount))
        case .analytics(_, let analysis):
            precondition((1...APIRequest.levelCountMax).contains(analysis.levelCount))
            precondition((0...APIRequest.basisPointsMax).contains(analysis.basisPoints ?? 0))
            for text in [analysis.quantity, analysis.notional, analysis.price] {
                precondition((text?.utf8.count ?? 0) <= 37)
            }
        case .books(let names): precondition(names?.contains("") != true)
        case .stream(let names, let intervalMs):
            precondition(names?.contains("") != true && APIRequest.intervalsMs.contains(intervalMs))
        case .history(let query):
            precondition(HistoryQuery.countsMax.contains(query.countMax) && query.day?.utf8.count ?? 10 == 10)
        case .health, .ready, .metrics, .document, .page, .buffers, .planner, .connections, .latency: break
        }
        return (200, Array("{}".utf8))
    } catch {
        let response = error.response
        precondition((400...499).contains(response.status))
        precondition(isJSON(response.body), String(decoding: response.body, as: UTF8.self))
        return (response.status, response.body)
    }
}

/// What a decoder finds in bytes that come in pieces of this length.
func steps(_ bytes: [UInt8], piece: Int) -> (found: [String], payload: [UInt8]) {
    var decoder = FrameDecoder(messageBytesMax: 1_000)
    var (found, payload): ([String], [UInt8]) = ([], [])
    var rest = bytes[...]
    while !rest.isEmpty {
        let part = Array(rest.prefix(piece))
        rest = rest.dropFirst(piece)
        var position = 0
        do throws(FrameViolation) {
            reading: while true {
                switch try decoder.next(part.span, from: &position) {
                case .needsMore: break reading
                case .fragment(let start, let count, let isFinal):
                    payload += part[start..<(start + count)]
                    if isFinal { found.append("message of \(payload.count) so far") }
                case .ping: found.append("ping \(decoder.controlCount)")
                case .pong: found.append("pong \(decoder.controlCount)")
                case .close: return (found + ["close \(decoder.closeCode ?? 0)"], payload)
                }
            }
        } catch {
            return (found + ["\(error.fault) at \(error.offset)"], payload)
        }
    }
    return (found, payload)
}

func readFrames(_ bytes: [UInt8]) {
    let whole = steps(bytes, piece: bytes.count + 1)
    for piece in [1, 2, 7] {
        let other = steps(bytes, piece: piece)
        precondition(whole.found == other.found, "\(whole.found) but \(other.found) in pieces of \(piece)")
        precondition(whole.payload.starts(with: other.payload) || other.payload.starts(with: whole.payload))
    }
}

func readText(_ bytes: [UInt8]) {
    var (whole, single) = (UTF8Check(), UTF8Check())
    let isText = whole.admits(bytes.span, isFinal: true)
    precondition(isText == (String(validating: bytes, as: UTF8.self) != nil))
    var areAdmitted = true
    for (index, byte) in bytes.enumerated() where areAdmitted {
        areAdmitted = single.admits([byte].span, isFinal: index == bytes.count - 1)
    }
    precondition(areAdmitted == isText)
}

func readPacked(_ bytes: [UInt8], _ packer: MessagePacker) {
    if case .message(let message) = packer.unpack(bytes, bytesMax: 5_000) {
        precondition(message.count <= 5_000)
    }
    guard let frame = packer.frame(bytes) else { return }
    let packed = Array(frame.dropFirst(frame[1] < 126 ? 2 : 4))
    precondition(packer.unpack(packed, bytesMax: bytes.count) == .message(bytes))
}

let door = Door()
let packer = MessagePacker()!

var argumentCount = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> = CommandLine.unsafeArgv
_ = LLVMFuzzerRunDriver(&argumentCount, &arguments) { data, length in
    if length == 0 { return 0 }
    let bytes = Array(UnsafeBufferPointer(start: data, count: length).dropFirst())
    switch Reader(rawValue: data[0] % UInt8(Reader.allCases.count)) {
    case .control: readControl(bytes)
    case .query: _ = readQuery(bytes)
    case .target: _ = read(target(bytes))
    case .own:
        let target = target(bytes)
        _ = readOwn(target.path, target.parameters.map { ($0.name, $0.value) })
    case .frames: readFrames(bytes)
    case .text: readText(bytes)
    case .packed: readPacked(bytes, packer)
    case .http: door.visit(bytes)
    case .webSocket: door.visit(bytes, behind: Door.upgrade(to: "/ws/a"))
    case .deflated: door.visit(bytes, behind: Door.upgrade(to: "/stream?streams=a/b", isDeflating: true))
    case .queries: door.visit(bytes, behind: Door.upgrade(to: "/ws-api/v3"))
    case nil: break
    }
    return 0
}
