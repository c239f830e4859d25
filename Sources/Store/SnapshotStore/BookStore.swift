// Stores snapshots, audits, mismatches, gaps and connections of a service in one file.
//
//     let store = try BookStore(service, StoreOptions(path: "books.store")) { print($0) }
//     …
//     store.leave()
//     print(store.stop(service.stop()))
//
// Threads: the follower's and the writer's. The books never wait for either, whatever the disk does.

import BookService
import LobHandoff
import MarketData

/// Stores what happens to the books of a service until it is stopped. For any thread.
package final class BookStore: @unchecked Sendable {
    private let follower: StoreFollower
    private let writer: StoreWriter
    private let queue: StoreQueue
    private let report: @Sendable (StoreEvent) -> Void
    // Joined once, by `leave` or by `stop`.
    private var following: PinnedThread?
    private var writing: PinnedThread?
    private let symbols: [SymbolName]

    /// Opens the store and starts following.
    ///
    /// - Parameters:
    ///   - service: the service. Stop it between `leave` and `stop`: the last snapshots are then of live
    ///     books, and the last counts those of the final ones.
    ///   - options: where, and how much.
    ///   - report: receives loggable events, on the writer's thread.
    /// - Throws: if the file cannot be written or is not a store.
    package init(
        _ service: BookService, _ options: StoreOptions,
        report: @escaping @Sendable (StoreEvent) -> Void = { _ in }
    ) throws(StoreError) {
        let queue = StoreQueue(bytesMax: options.waitingBytesMax)
        let market = service.configuration.endpoints.market.name
        let writer = try StoreWriter(options, market: market, queue, report: report)
        let follower = try StoreFollower(service, options, queue)
        (self.follower, self.writer, self.queue, self.report) = (follower, writer, queue, report)
        symbols = service.symbols
        do throws(ThreadError) {
            let first = try PinnedThread("store-disk", yields: true) { writer.run() }
            do throws(ThreadError) {
                following = try PinnedThread("store", yields: true) { follower.run() }
                writing = first
            } catch {
                writer.stop()
                first.join()
                throw error
            }
        } catch {
            throw .noThread(errno: error.errno)
        }
    }

    /// Saves a snapshot of every book, each as soon as it is live.
    package func saveAll() { for symbol in symbols { _ = follower.save(symbol) } }

    /// Saves a last snapshot of every live book, and stops following. Call once; `stop` does it if it was not
    /// done.
    package func leave() {
        guard let thread = following else { return }
        following = nil
        follower.stop()
        thread.join()
    }

    /// Writes what is waiting, and ends. Call once. An unresponsive disk is waited for up to
    /// `StoreOptions.stopNsMax`; its thread is then left in its call, and ends after it.
    ///
    /// - Parameter books: the final books returned by the service; the reports are updated with their
    ///   counters.
    /// - Returns: the result.
    package func stop(_ books: [FinalBook] = []) -> StoreEnd {
        leave()
        guard let thread = writing else { return StoreEnd(lostRows: queue.lostCount, isHung: false) }
        writing = nil
        follower.add(books)
        writer.stop()
        if let silentNs = writer.waitUntilEnded() {
            thread.detach()
            let waiting = queue.waitingCount
            report(.hung(rows: waiting, afterNs: silentNs))
            return StoreEnd(lostRows: queue.lostCount + waiting, isHung: true)
        }
        thread.join()
        return StoreEnd(lostRows: queue.lostCount, isHung: false)
    }
}
