// A client of the simulated venue, as simple as one can be: Foundation's JSON, dictionaries, the official
// procedure. It says whether its books equal the true ones, and it must be able to say no.

import Foundation
import MarketData
import SimulatedExchange

/// One symbol of the client. All numbers have nine decimals, whatever the venue prints.
struct DictionaryBook {
    struct Diff {
        var first: Int64
        var last: Int64
        var previousLast: Int64?
        var sides: [[(price: Int64, quantity: Int64)]]
    }

    var sides: [[Int64: Int64]] = [[:], [:]]
    /// Prices beyond these are not known.
    var edges: [Int64] = [.min, .max]
    var id: Int64?
    var buffered: [Diff] = []
    var isAsking = false
    var lastDiffUs: Int64 = 0
    var applied = 0
    var gaps = 0

    mutating func receive(_ diff: Diff) {
        guard let id else {
            buffered.append(diff)
            if buffered.count > 5_000 { buffered.removeFirst(1_000) }
            return
        }
        if diff.last <= id { return }
        if let previousLast = diff.previousLast {
            if previousLast != id { return lose(diff) }
        } else if diff.first > id + 1 {
            return lose(diff)
        }
        apply(diff)
    }

    private mutating func lose(_ diff: Diff) {
        gaps += 1
        id = nil
        buffered = [diff]
    }

    private mutating func apply(_ diff: Diff) {
        for side in 0..<2 {
            for level in diff.sides[side] {
                sides[side][level.price] = level.quantity == 0 ? nil : level.quantity
            }
        }
        id = diff.last
        applied += 1
    }

    /// Joins a snapshot and the buffered diffs; false if the snapshot is too old.
    mutating func join(_ lastUpdateID: Int64, _ levels: [[(price: Int64, quantity: Int64)]], limit: Int)
        -> Bool
    {
        buffered.removeAll { $0.previousLast == nil ? $0.last <= lastUpdateID : $0.last < lastUpdateID }
        if let first = buffered.first {
            if let previousLast = first.previousLast {
                if previousLast > lastUpdateID { return false }
            } else if first.first > lastUpdateID + 1 {
                return false
            }
        }
        for side in 0..<2 {
            sides[side] = Dictionary(uniqueKeysWithValues: levels[side].map { ($0.price, $0.quantity) })
            let isFull = levels[side].count < limit
            edges[side] = isFull ? (side == 0 ? .min : .max) : levels[side].last!.price
        }
        id = lastUpdateID
        let waiting = buffered
        buffered = []
        for (index, diff) in waiting.enumerated() {
            if id == nil { buffered.append(diff) } else if index == 0 { apply(diff) } else { receive(diff) }
        }
        return true
    }

    /// The first price at which this book differs from the true one, nil if there is none.
    func difference(from truth: borrowing TrueBook) -> String? {
        let nine = SymbolScales(priceDecimals: 9, quantityDecimals: 9)
        guard let factors = truth.factors(to: nine) else { return "scales" }
        for side in Side.allCases {
            let index = Int(side.rawValue)
            let isKnown = { (price: Int64) in side == .bid ? price >= edges[0] : price <= edges[1] }
            var count = 0
            for level in truth[side].levels where isKnown(level.price.mantissa * factors.price) {
                count += 1
                let held = sides[index][level.price.mantissa * factors.price]
                if held != level.quantity.mantissa * factors.quantity { return "\(side) at \(level.price)" }
            }
            if sides[index].keys.count(where: isKnown) != count { return "\(side) holds more" }
        }
        return nil
    }
}

/// A client of some symbols on one connection.
struct DictionaryClient {
    let symbols: [SymbolName]
    let isFutures: Bool
    let limit: Int
    var books: [String: DictionaryBook] = [:]
    var connection: ConnectionID?
    var digest: UInt64 = 0
    var frames = 0
    var malformed = 0
    var compared = 0
    var closes = 0
    var failures = 0
    /// How often every book is thrown away to be asked for again.
    var resyncPeriodUs = Int64.max
    private var checks = 0
    private var lastResyncUs: Int64 = 0
    private var pending: [(symbol: String, response: VenueResponse)] = []
    private var quietUntilUs: Int64 = 0

    init(_ symbols: [SymbolName], isFutures: Bool, limit: Int) {
        self.symbols = symbols
        self.isFutures = isFutures
        self.limit = limit
        for symbol in symbols { books[symbol.description] = DictionaryBook() }
    }

    var isSynced: Bool { books.values.allSatisfy { $0.id != nil } }

    /// One turn at the venue's present time. Returns what was wrong, if anything was.
    mutating func turn(_ venue: inout Venue) -> String? {
        let nowUs = venue.nowUs
        if let connection, books.values.contains(where: { nowUs - $0.lastDiffUs > 8_000_000 }) {
            venue.disconnect(connection)
            self.connection = nil
        }
        if connection == nil { connect(&venue) }
        if nowUs - lastResyncUs >= resyncPeriodUs {
            lastResyncUs = nowUs
            for name in books.keys { books[name]!.id = nil }
        }
        var wrong: String?
        let touched = poll(&venue)
        for symbol in symbols where touched.contains(symbol.description) {
            wrong = wrong ?? check(symbol, &venue)
        }
        for (symbol, response) in pending where response.dueUs <= nowUs { receive(symbol, response, nowUs) }
        pending.removeAll { $0.response.dueUs <= nowUs }
        for symbol in symbols where books[symbol.description]!.id == nil && nowUs >= quietUntilUs {
            let name = symbol.description
            if books[name]!.isAsking || books[name]!.buffered.isEmpty { continue }
            books[name]!.isAsking = true
            let response = venue.requestDepth(symbol: name, limit: limit)
            hash(response.body)
            digest = SeededRandom.mix(digest ^ UInt64(response.dueUs) ^ UInt64(response.status))
            pending.append((name, response))
        }
        return wrong
    }

    private mutating func connect(_ venue: inout Venue) {
        var names: [String] = []
        for symbol in symbols {
            names.append(symbol.lowercasedASCII + "@depth@100ms")
            names.append(symbol.lowercasedASCII + "@bookTicker")
            names.append(symbol.lowercasedASCII + "@depth20@100ms")
        }
        for name in books.keys {
            books[name]!.id = nil
            books[name]!.buffered = []
            books[name]!.lastDiffUs = venue.nowUs
        }
        connection = try? venue.connect(names, isCombined: true)
    }

    private mutating func poll(_ venue: inout Venue) -> Set<String> {
        guard let connection else { return [] }
        var touched = Set<String>()
        venue.poll(connection) { timeUs, delivery, bytes in
            digest = SeededRandom.mix(digest ^ UInt64(timeUs))
            switch delivery {
            case .text:
                frames += 1
                let copy = bytes.withUnsafeBufferPointer { Array($0) }
                hash(copy)
                guard let symbol = receive(copy) else { return }
                books[symbol]?.lastDiffUs = timeUs
                touched.insert(symbol)
            case .ping: return
            case .closed(let code):
                digest = SeededRandom.mix(digest ^ UInt64(code))
                closes += 1
                self.connection = nil
            }
        }
        return touched
    }

    private mutating func hash(_ bytes: [UInt8]) {
        var state = digest ^ 0xCBF2_9CE4_8422_2325
        for byte in bytes { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
        digest = state
    }

    /// Takes one frame; the symbol whose book it may have changed.
    private mutating func receive(_ bytes: [UInt8]) -> String? {
        guard let object = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any],
            let stream = object["stream"] as? String, let fields = object["data"] as? [String: Any]
        else {
            malformed += 1
            return nil
        }
        if !stream.contains("@depth@") { return nil }
        guard let symbol = fields["s"] as? String, let first = fields["U"] as? NSNumber,
            let last = fields["u"] as? NSNumber, let bids = levels(fields["b"]),
            let asks = levels(fields["a"])
        else {
            malformed += 1
            return nil
        }
        let previousLast = (fields["pu"] as? NSNumber)?.int64Value
        if isFutures != (previousLast != nil) {
            malformed += 1
            return nil
        }
        books[symbol]?.receive(
            DictionaryBook.Diff(
                first: first.int64Value, last: last.int64Value, previousLast: previousLast,
                sides: [bids, asks]))
        return symbol
    }

    private func levels(_ value: Any?) -> [(price: Int64, quantity: Int64)]? {
        guard let pairs = value as? [[String]] else { return nil }
        var levels: [(price: Int64, quantity: Int64)] = []
        for pair in pairs {
            guard pair.count == 2, let price = try? mantissa(pair[0], decimals: 9),
                let quantity = try? mantissa(pair[1], decimals: 9)
            else { return nil }
            levels.append((price, quantity))
        }
        return levels
    }

    private mutating func receive(_ symbol: String, _ response: VenueResponse, _ nowUs: Int64) {
        books[symbol]!.isAsking = false
        guard response.status == 200,
            let object = try? JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any],
            let id = object["lastUpdateId"] as? NSNumber, let bids = levels(object["bids"]),
            let asks = levels(object["asks"]),
            books[symbol]!.join(id.int64Value, [bids, asks], limit: limit)
        else {
            failures += 1
            quietUntilUs = nowUs + Int64(response.retryAfterSeconds ?? 1) * 1_000_000
            return
        }
    }

    /// Compares a book with the truth at its own id, each third time.
    private mutating func check(_ symbol: SymbolName, _ venue: inout Venue) -> String? {
        checks += 1
        let book = books[symbol.description]!
        guard let id = book.id, checks % 3 == 0 else { return nil }
        compared += 1
        let difference = venue.withTruth(of: symbol, at: UpdateID(id)) { book.difference(from: $0) }
        guard let difference else { return "\(symbol): the truth at \(id) is forgotten" }
        return difference.map { "\(symbol) at \(id): \($0)" }
    }
}
