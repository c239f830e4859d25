// Keeps snapshots, audits, mismatches, gaps and connections of a service in one file.
//
//     let store = try BookStore(service, StoreOptions(path: "books.store")) { print($0) }
//     …
//     print(store.stop())
//     service.stop()
//
// Threads: the follower's and the writer's. The books never wait for either, whatever the disk does.

import BookService
import LobHandoff
import MarketData

/// Keeps what happens to the books of a service until it is stopped. For any thread.
package final class BookStore: @unchecked Sendable {
    private let follower: StoreFollower
    private let writer: StoreWriter
    private let queue: StoreQueue
    // Joined once, by `stop`.
    private var threads: [PinnedThread]
    private let symbols: [SymbolName]

    /// Opens the store and starts to follow.
    ///
    /// - Parameters:
    ///   - service: whose books. It should be stopped after the store, so that the last snapshots are of live
    ///     books.
    ///   - options: where, and how much.
    ///   - report: gets what is worth a line in a log, on the writer's thread.
    /// - Throws: if the file cannot be written or is no store.
    package init(
        _ service: BookService, _ options: StoreOptions,
        report: @escaping @Sendable (StoreEvent) -> Void = { _ in }
    ) throws(StoreError) {
        let queue = StoreQueue(bytesMax: options.waitingBytesMax)
        let market = service.configuration.endpoints.market.name
        let writer = try StoreWriter(options, market: market, queue, report: report)
        let follower = try StoreFollower(service, options, queue)
        (self.follower, self.writer, self.queue) = (follower, writer, queue)
        symbols = service.symbols
        do throws(ThreadError) {
            let first = try PinnedThread("store-disk") { writer.run() }
            do throws(ThreadError) {
                threads = [try PinnedThread("store") { follower.run() }, first]
            } catch {
                writer.stop()
                first.join()
                throw error
            }
        } catch {
            throw .noThread(errno: error.errno)
        }
    }

    /// Keeps a snapshot of a book as soon as it is live.
    ///
    /// - Returns: false if too many are asked for.
    @discardableResult
    package func save(_ symbol: SymbolName) -> Bool { follower.save(symbol) }

    /// Keeps a snapshot of every book, each as soon as it is live.
    package func saveAll() { for symbol in symbols { _ = follower.save(symbol) } }

    /// Keeps a last snapshot of every live book, writes what waits, and ends both threads. Once.
    ///
    /// - Returns: rows that were lost for want of room or disk.
    package func stop() -> Int {
        follower.stop()
        threads.first?.join()
        writer.stop()
        threads.last?.join()
        threads = []
        return queue.lostCount
    }
}
