// A store in a folder of its own, and books for it.

import BinanceVenue
import BookEngine
import DepthBook
import Foundation
import GRDB
import MarketData
import Synchronization
import TestSupport

@testable import SnapshotStore

/// A folder that goes away with the test.
final class StoreFolder: Sendable {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("lob-store-\(UUID())").path
    var file: String { path + "/books.store" }

    init() { try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A writer on a thread of its own, and what it has said.
final class StoreSubject: @unchecked Sendable {
    let queue: StoreQueue
    private let writer: StoreWriter
    private let thread: Thread
    private let over = DispatchSemaphore(value: 0)
    private let said: Said

    /// What a writer has said.
    private final class Said: Sendable {
        let events = Mutex<[StoreEvent]>([])
    }

    init(_ options: StoreOptions) throws {
        queue = StoreQueue(bytesMax: options.waitingBytesMax)
        let said = Said()
        self.said = said
        writer = try StoreWriter(options, market: "spot", queue) { event in
            said.events.withLock { $0.append(event) }
        }
        let (writer, over) = (writer, over)
        thread = Thread {
            writer.run()
            over.signal()
        }
        thread.start()
    }

    var events: [StoreEvent] { said.events.withLock { $0 } }

    /// Waits for a condition, at most ten seconds.
    func wait(_ condition: () throws -> Bool) rethrows -> Bool {
        for _ in 0..<2000 {
            if try condition() { return true }
            usleep(5000)
        }
        return false
    }

    func stop() {
        writer.stop()
        over.wait()
    }

    /// The same, with the patience that the store has with its disk.
    ///
    /// - Returns: whether the writer has ended.
    func stopImpatiently() -> Bool {
        writer.stop()
        return writer.waitUntilEnded() == nil
    }

    /// Quick options.
    static func options(_ folder: StoreFolder) -> StoreOptions {
        var options = StoreOptions(path: folder.file)
        options.batchNs = 5_000_000
        options.retryEveryNs = 20_000_000
        options.retentionEveryNs = 10_000_000
        return options
    }
}

/// A book with random levels.
func randomBook(
    _ random: inout SeededRandom, levels: Int, symbol: SymbolName = "BTCUSDT", atNs: Int64 = 1_000,
    cause: StoredBook.Cause = .period
) -> StoredBook {
    var (bids, asks): ([PriceLevel], [PriceLevel]) = ([], [])
    var price: Int64 = 6_000_000
    for _ in 0..<levels {
        price -= Int64(random.below(50) + 1)
        bids.append(PriceLevel(price, Int64(random.below(1 << 40) + 1)))
    }
    price = 6_000_001
    for _ in 0..<random.below(levels + 1) {
        price += Int64(random.below(50) + 1)
        asks.append(PriceLevel(price, Int64(random.below(9) + 1)))
    }
    let ranges: [ProvenRange] = [.nothing, .unbounded, .to(Price(5_999_000))]
    return StoredBook(
        symbol, atNs: atNs, cause: cause, state: random.chance(0.5) ? .live : .stale,
        reason: random.chance(0.5) ? .gap : .none,
        book: BookImage(
            lastUpdateID: UpdateID(Int64(random.below(1 << 40))), eventTimeUs: Int64(random.below(2)),
            scales: SymbolScales(priceDecimals: 2, quantityDecimals: random.below(9)),
            provenBids: ranges[random.below(3)], provenAsks: ranges[random.below(3)], bids: bids, asks: asks,
            bidCountBound: bids.count, askCountBound: asks.count))
}

/// Number of rows of a table.
func count(_ path: String, _ table: String) throws -> Int {
    var configuration = Configuration()
    configuration.readonly = true
    configuration.busyMode = .timeout(5)
    let queue = try DatabaseQueue(path: path, configuration: configuration)
    return try queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM \(table)") ?? 0 }
}
