// Books as shown by `/v1`.
//
// Levels, sums and prices are shown only of live books, and only as far as known; every list and sum says
// whether it is complete. Times are microseconds since 1970.

import BookEngine
import DepthBook
import LobMetrics
import MarketData

/// What is shown of one book.
struct BookDocument {
    /// The book that clients hold.
    let served: ServedBook
    /// Its current standing.
    let standing: Standing
    /// The service's status of it, at most a second old.
    let status: SymbolStatus
    /// Updates per second.
    let rate: String?

    /// The members that start every description of the book.
    func head(_ json: inout JSONWriter) {
        json.member("symbol", "\(served.symbol)")
        json.member("state", "\(standing.state)")
        json.member("reason", standing.reason)
        json.member("isServed", standing.isServed)
        json.member("lastUpdateId", served.state == .empty ? nil : Int(served.book.lastUpdateID.value))
        json.member("eventTimeUs", known(served.book.eventTimeUs))
    }

    /// A row of the list of books.
    func row(_ json: inout JSONWriter) {
        head(&json)
        json.member("appliedAtUs", known(status.appliedAtNs / 1_000))
        json.member("checkedAtUs", known(status.checkedAtNs / 1_000))
        json.member("lagUs", status.appliedAtNs == 0 ? nil : Int(status.lagNs / 1_000))
        json.member("updatesPerSecond", rate)
        let spread = standing.isServed ? served.book.spread : nil
        json.member("spread", spread.flatMap { spread in served.book.scales?.text(spread) })
        for side in Side.allCases {
            json.object(side == .bid ? "bids" : "asks") { json in
                json.level("best", standing.isServed ? served.book.best(side) : nil, served.book.scales)
                json.member("provenLevels", standing.isServed ? served.book.provenLevelCount(side) : nil)
                json.member("provenTo", provenTo(side))
                json.member("complete", standing.isServed && served.book.proven(side) == .unbounded)
            }
        }
        json.member("bufferedBytes", status.bufferedBytes)
        json.object("counters") { json in
            var members = MetricMembers()
            for metric in SymbolCounters.metrics { members.add(metric, of: status.counters) }
            json.members(members.text)
        }
    }

    /// The book with its best levels.
    func levels(_ json: inout JSONWriter, levelCountMax: Int) {
        head(&json)
        let digest = standing.isServed ? served.book.digest() : nil
        let checksum = standing.isServed ? BookChecksum.standard.value(of: served.book) : nil
        json.member("digest", digest.map { hexadecimal($0, digits: 16) })
        json.member("checksum", checksum.map { hexadecimal(UInt64($0), digits: 8) })
        for side in Side.allCases { list(&json, side, levelCountMax) }
    }

    private func list(_ json: inout JSONWriter, _ side: Side, _ levelCountMax: Int) {
        let sum = standing.isServed ? served.book.cumulative(side, levelCount: levelCountMax) : nil
        json.object(side == .bid ? "bids" : "asks") { json in
            json.member("complete", sum?.isExact ?? false)
            json.member("isWholeSide", sum?.end == .sideEnds)
            json.member("provenTo", provenTo(side))
            guard let sum, let scales = served.book.scales else { return json.nothing("levels") }
            json.array("levels") { json in
                var left = sum.levelCount
                served.book.forEachLevel(side) { level in
                    if left == 0 { return false }
                    left -= 1
                    json.array { json in
                        json.element(scales.text(level.price))
                        json.element(scales.text(level.quantity))
                    }
                    return true
                }
            }
        }
    }

    /// The worst price down to which every level is known; nil if there is none or the whole side is known.
    private func provenTo(_ side: Side) -> String? {
        guard standing.isServed, case .to(let price) = served.book.proven(side) else { return nil }
        return served.book.scales?.text(price)
    }

    private func hexadecimal(_ value: UInt64, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: digits - text.utf8.count) + text
    }

    private func known(_ time: Int64) -> Int? { time == 0 ? nil : Int(time) }
}
