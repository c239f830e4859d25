// The store of a run for the clients of its server: read independently of the books, one query after the
// other, each in at most two seconds.

import BookServer
import Foundation
import SnapshotStore

/// Reads a store for a server. Any thread may use it.
final class StoreHistory: Sendable {
    private static let secondsMax = 2.0

    private let path: String
    private let queue = DispatchQueue(label: "lob-history")

    /// - Parameter path: of the store; it need not exist yet.
    init(path: String) { self.path = path }

    /// A provider of a server's history.
    ///
    /// - Parameter path: of the store.
    static func provider(of path: String) -> HistoryProvider {
        let history = StoreHistory(path: path)
        return { history.ask($0, $1) }
    }

    /// Sends a query; the server bounds how many are waiting.
    func ask(_ query: HistoryQuery, _ use: @escaping @Sendable (HistoryAnswer) -> Void) -> Bool {
        queue.async { use(self.answer(query)) }
        return true
    }

    private func answer(_ query: HistoryQuery) -> HistoryAnswer {
        var filter = StoreFilter()
        (filter.symbol, filter.countMax) = (query.symbol, query.countMax)
        if let text = query.day {
            guard let day = DayArgument(argument: text) else { return .noSuchDay }
            (filter.fromNs, filter.toNs) = (day.fromNs, day.toNs)
        }
        guard let list = StoreList(rawValue: query.list.rawValue), let reader = try? StoreReader(path) else {
            return .failed
        }
        let end = DispatchWorkItem(block: reader.interruption)
        DispatchQueue.global().asyncAfter(deadline: .now() + StoreHistory.secondsMax, execute: end)
        defer { end.cancel() }
        guard let rows = try? reader.rows(list, filter) else { return .failed }
        return .rows(rows.map(\.json))
    }
}
