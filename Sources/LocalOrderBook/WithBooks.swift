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
/// the task is cancelled, this starts at once: loops over views and tops end, and waits on threads return
/// nil.
///
/// - Parameters:
///   - symbols: spelt as the venue does, in upper case; duplicates are dropped.
///   - venue: where they are traded.
///   - isolation: the caller's; do not pass it.
///   - configure: changes the defaults, for example `$0.auditEvery = .seconds(60)`.
///   - report: receives loggable events, from several threads; it should hand the event over and return.
///   - body: runs in the caller's isolation.
/// - Returns: what `body` returns.
/// - Throws: `ServiceError` before any connection if the configuration is illegal or the system refuses
///   threads or memory; otherwise what `body` throws.
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

/// Stops a service without blocking a thread that runs tasks, unless there is no other.
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
