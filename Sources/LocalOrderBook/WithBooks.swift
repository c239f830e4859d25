// Live books in a scope: threads and connections start with it and have ended when it is left, however it is
// left.

import BookService
import LobHandoff
import MarketData

/// Keeps books of these symbols live while `body` runs.
///
///     try await withBooks(of: ["BTCUSDT", "ETHUSDT"], on: .binanceSpot) { books in
///         for await view in books["BTCUSDT"].views where view.isLive {
///             print(view.bid, view.ask, view.spread, "at", view.updateID)
///         }
///     }
///
/// When `body` returns or throws, all connections are closed and all threads joined before this returns. When
/// the task is cancelled, this begins at once: loops over views and tops end, and waits on threads return
/// nil.
///
/// - Parameters:
///   - symbols: spelt as the venue does, in upper case; one that is named twice is kept once.
///   - venue: where they are traded.
///   - isolation: of the caller; leave it out.
///   - configure: changes the defaults, for example `$0.auditEvery = .seconds(60)`.
///   - report: gets what is worth a line in a log, from several threads; it should hand the event over and
///     return.
///   - body: runs in the isolation of the caller.
/// - Returns: what `body` returns.
/// - Throws: `ServiceError` before any connection if the configuration has no legal value or the system gives
///   no thread or memory; otherwise what `body` throws.
public func withBooks<R>(
    of symbols: [SymbolName], on venue: BookVenue, isolation: isolated (any Actor)? = #isolation,
    configure: (inout ServiceConfiguration) -> Void = { _ in },
    report: @escaping @Sendable (ServiceEvent) -> Void = { _ in },
    _ body: (LiveBooks) async throws -> R
) async throws -> R {
    var configuration = ServiceConfiguration(endpoints: venue.endpoints, symbols: symbols)
    configure(&configuration)
    let service = try BookService(configuration, report: report)
    return try await withTaskCancellationHandler {
        let result: R
        do {
            result = try await body(LiveBooks(service))
        } catch {
            await stop(service)
            throw error
        }
        await stop(service)
        return result
    } onCancel: {
        service.beginStop()
    }
}

/// Stops a service without blocking a thread that tasks run on, unless there is no other.
private func stop(_ service: BookService, isolation: isolated (any Actor)? = #isolation) async {
    await withCheckedContinuation { done in
        do throws(ThreadError) {
            let thread = try PinnedThread("stop") {
                service.stop()
                done.resume()
            }
            thread.detach()
        } catch {
            service.stop()
            done.resume()
        }
    }
}
