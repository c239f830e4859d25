// What event stream clients are told: the top of each book, and every change of state. Pure: it is shown the
// books and returns text.
//
// Each change takes the next number. Of tops only the latest counts, so the log keeps one per symbol, with
// the number of its last change: a client that has everything up to a number gets the tops with higher ones.
// The last `changeCountMax` changes of state are kept individually. So a client that comes back with its last
// number gets what it missed, once, and one that missed more than is kept is told so.
//
// Invariant: a top carries prices only while its book may be shown.

import DepthBook
import MarketData

/// The tops and changes of all books. Thread: the server's.
struct EventLog {
    /// What a book shows.
    struct Top: Equatable {
        var standing = Standing()
        var updateID: UpdateID?
        var scales: SymbolScales?
        var best = BestLevels()

        /// Whether it shows the same, apart from the update id.
        func shows(_ other: Top) -> Bool {
            standing == other.standing && scales == other.scales && best == other.best
        }
    }

    private struct Change {
        var number: UInt64
        var index: Int
        var text: [UInt8]
    }

    /// Most changes of state kept for clients that come back.
    static let changeCountMax = 1_024

    /// The number of the last change of anything.
    private(set) var number: UInt64 = 0
    private let names: [String]
    private var tops: [Top]
    private var numbers: [UInt64]
    private var texts: [[UInt8]]
    private var changes: [Change] = []
    /// Per symbol, the number of its last change of state that is no longer kept.
    private var forgotten: [UInt64]

    /// A log for these symbols, all of them syncing.
    init(_ symbols: [SymbolName]) {
        names = symbols.map { "\($0)" }
        tops = [Top](repeating: Top(), count: symbols.count)
        numbers = [UInt64](repeating: 0, count: symbols.count)
        forgotten = [UInt64](repeating: 0, count: symbols.count)
        texts = [[UInt8]](repeating: [], count: symbols.count)
    }

    /// Records what a book shows now.
    mutating func show(_ index: Int, _ top: Top, timeMs: Int64) {
        let before = tops[index]
        if before.shows(top) && numbers[index] != 0 { return }
        number += 1
        numbers[index] = number
        tops[index] = top
        texts[index] = []
        let (old, new) = (before.standing, top.standing)
        if old.state == new.state && old.reason == new.reason { return }
        changes.append(Change(number: number, index: index, text: change(index, before, timeMs)))
        if changes.count > EventLog.changeCountMax {
            let first = changes.removeFirst()
            forgotten[first.index] = first.number
        }
    }

    /// Changes may have gone unseen: they are lost to clients that were up to date.
    mutating func wake() {
        if number == 0 { return }
        number += 1
        changes = []
        for index in forgotten.indices { forgotten[index] = number }
    }

    /// Everything after a number, as a text of events of which the last carries the current number; empty if
    /// there is nothing.
    ///
    /// - Parameters:
    ///   - cursor: the number up to which the client has everything; nil: it has nothing and wants no earlier
    ///     changes.
    ///   - boot: identifies this server in event ids.
    ///   - isWanted: whether the client requested this symbol.
    mutating func events(after cursor: UInt64?, boot: String, _ isWanted: (Int) -> Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        if let cursor {
            if names.indices.contains(where: { forgotten[$0] > cursor && isWanted($0) }) {
                bytes += "event: lost\ndata: {\"kept\":\(changes.count)}\n\n".utf8
            }
            let start = changes.firstIndex { $0.number > cursor } ?? changes.count
            for change in changes[start...] where isWanted(change.index) { bytes += change.text }
        }
        for index in names.indices where numbers[index] > cursor ?? 0 && isWanted(index) {
            if texts[index].isEmpty { texts[index] = event("top") { write(index, &$0) } }
            bytes += texts[index]
        }
        if bytes.isEmpty { return bytes }
        // The id goes with the last event: a client cut off earlier gets all of this again.
        bytes.removeLast()
        bytes += "id: \(boot)-\(number)\n\n".utf8
        return bytes
    }

    /// The number in an event id of this server; nil if it is another server's.
    static func cursor(of id: String, boot: String) -> UInt64? {
        let parts = id.split(separator: "-")
        return parts.count == 2 && parts[0] == boot ? UInt64(parts[1]) : nil
    }

    private func change(_ index: Int, _ before: Top, _ timeMs: Int64) -> [UInt8] {
        event("state") { json in
            json.member("symbol", names[index])
            json.member("state", "\(tops[index].standing.state)")
            json.member("reason", tops[index].standing.reason)
            json.member("before", "\(before.standing.state)")
            json.member("timeMs", Int(timeMs))
        }
    }

    private func write(_ index: Int, _ json: inout JSONWriter) {
        let top = tops[index]
        json.member("symbol", names[index])
        json.member("state", "\(top.standing.state)")
        json.member("reason", top.standing.reason)
        json.member("isServed", top.standing.isServed)
        json.member("lastUpdateId", top.updateID.map { Int($0.value) })
        for (name, level) in [("bid", top.best.bid), ("ask", top.best.ask)] {
            json.level(name, top.standing.isServed ? level : nil, top.scales)
        }
    }

    private func event(_ name: String, _ body: (inout JSONWriter) -> Void) -> [UInt8] {
        var json = JSONWriter()
        json.object(nil, body)
        return Array("event: \(name)\ndata: ".utf8) + json.bytes + Array("\n\n".utf8)
    }
}

extension StaleReason {
    /// Its name; nil if nothing is wrong.
    var word: String? { self == .none ? nil : "\(self)" }
}

extension JSONWriter {
    /// A level as an object of two strings, or null.
    mutating func level(_ key: String, _ level: PriceLevel?, _ scales: SymbolScales?) {
        guard let level, let scales else { return nothing(key) }
        object(key) { json in
            json.member("price", scales.text(level.price))
            json.member("quantity", scales.text(level.quantity))
        }
    }
}
