// The store of a run for the clients of its server: read independently of the books, one query after the
// other, each in at most two seconds. One reader is kept open: one for each query left its descriptors open
// for seconds after it, and a client could use up all of the process.

import BookServer
import Foundation
import SnapshotStore
import Synchronization

/// Reads a store for a server. Any thread may use it.
final class StoreHistory: Sendable {
    private static let secondsMax = 2.0

    private let path: String
    private let queue = DispatchQueue(label: "lob-history")
    private let kept = Mutex<StoreReader?>(nil)

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
        guard let list = StoreList(rawValue: query.list.rawValue) else { return .failed }
        return kept.withLock { kept in
            if kept?.isCurrent != true { kept = try? StoreReader(path) }
            guard let reader = kept else { return .failed }
            guard let rows = StoreHistory.rows(reader, list, filter) else {
                kept = nil
                return .failed
            }
            return .rows(rows)
        }
    }

    private static func rows(_ reader: StoreReader, _ list: StoreList, _ filter: StoreFilter) -> [String]? {
        let end = DispatchWorkItem(block: reader.interruption)
        DispatchQueue.global().asyncAfter(deadline: .now() + StoreHistory.secondsMax, execute: end)
        defer { end.cancel() }
        return try? reader.rows(list, filter).map(\.json)
    }
}
