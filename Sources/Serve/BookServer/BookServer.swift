// The books of a service for clients in any language: REST and streams in the venue's own shapes, so that a
// client changes only its URL.
//
//     let server = try BookServer(service)
//     print("http://127.0.0.1:\(server.port)/api/v3/depth?symbol=BTCUSDT")
//     …
//     server.stop()
//     service.stop()
//
// Why this shape: the server has its own thread, with an event loop and a replica of each shard over a tap of
// its frames. The book threads neither wait nor allocate for it. REST answers and streams come from one
// ordered state, so a client that combines them misses nothing in between.
//
// A book that is not live is never shown: requests for it are refused with 503 and the reason, its streams
// pause, and when it is live again one bridging update continues them; see `ServedBook`.
//
// Last prices and trade statistics are not served, since books do not contain them: their paths answer as
// unknown.

import BinanceServing
import BinanceVenue
import BookService
import LobHandoff
import LobTransport
import MarketData
import Synchronization

/// Serves the books of a service on a port. For any thread. Stop it before the service.
package final class BookServer: Sendable {
    /// Where to listen, and limits.
    package struct Options: Sendable {
        /// Numeric address to listen on; nil for all addresses, IPv6 and IPv4.
        package var address: String? = "127.0.0.1"
        /// Port; 0 picks a free one.
        package var port = 0
        /// TLS, if given.
        package var tls: TLSIdentity?
        /// Most simultaneous connections, including idle ones and requests; further ones are closed unread.
        /// Always leaves enough descriptors for everything else.
        package var connectionCountMax = 4_096
        /// Most simultaneous WebSocket clients; further upgrades are refused with 503.
        package var clientCountMax = 1_024
        /// Percent of connections, clients, streams, event streams and queued bytes that one address may
        /// hold, so that others always find room. An IPv6 /64 network counts as one address. Excess is
        /// refused in the same way as when the total is exceeded.
        package var addressPercentMax = 50
        /// The same for this machine, whatever its address: many bots share it. Nil: 100 if the server
        /// listens on loopback only, otherwise 90.
        package var loopbackPercentMax: Int?
        /// Most streams per client; nil: the market's limit. One more closes the connection with 1008.
        package var streamCountMax: Int?
        /// Most streams of all clients together; a connection requesting more is closed.
        package var streamTotalMax = 100_000
        /// Most messages per client and second; nil: the market's limit. One more closes the connection with
        /// 1008.
        package var messagesPerSecondMax: Int?
        /// Longest client message in bytes; a longer one closes the connection with 1009.
        package var messageBytesMax = 64 << 10
        /// Which clients get compressed messages, if they offer that.
        package var deflate = Deflation.remote
        /// Most bytes queued for a client's socket. A client that reads updates more slowly is closed with
        /// 1008; of partial depths and best prices it gets the latest instead.
        package var queuedBytesMax = 2 << 20
        /// Longest stream name in bytes; a longer one is refused.
        package var streamNameBytesMax = 128
        /// Most bytes queued for all clients' sockets. Beyond that, any answer longer than a line is refused
        /// with 503, and a client with more than `queuedBytesMin` queued is closed with 1008.
        package var queuedBytesTotalMax = 256 << 20
        /// Bytes a client may have queued even if the sum is too large.
        package var queuedBytesMin = 64 << 10
        /// Longest time for a client to accept a whole REST answer, and 64 KB of it; then it is disconnected.
        package var answerLimitMs = 120_000, stallLimitMs = 20_000
        /// Most requests per address and second; further ones are refused with 429. A client of the WebSocket
        /// API that continues nevertheless is closed with 1008.
        package var requestsPerSecondMax = 10_000
        /// Longest time the server itself may lag the feed; beyond that no book is shown.
        package var lagMsMax = 5_000
        /// Whether a book that is not live is shown anyway, with a header that says so; over the WebSocket
        /// API, which has none, it is refused all the same.
        package var servesStale = false
        /// Whether gaps in the update streams are passed on instead of bridged.
        package var passesGaps = false
        /// Tokens of which a request must carry one; empty: no token needed. One longer than `tokenBytesMax`
        /// admits nobody.
        package var tokens: [String] = []
        /// Longest token considered.
        package static let tokenBytesMax = 256
        /// Whether an address that exceeds the venue's request weight is refused with 429 and 418. The weight
        /// is counted and shown in any case.
        package var isWeightLimited = false
        /// Size of each shard's tap ring in bytes, a power of two; nil: that of the book's own ring, but of
        /// all shards together at most `ringBytesTotalMax`. What it drops is bridged.
        package var ringBytes: Int?
        /// Most bytes of all taps, unless `ringBytes` is set: more than a second of the busiest traffic
        /// measured, and a server further behind has other problems.
        package static let ringBytesTotalMax = 32 << 20
        /// Seconds between two requests for the venue's symbol list.
        package var listEverySeconds = 3_600
        /// Dialect of the server's own messages; nil: the current one.
        package var dialect: WireDialect?
        /// Reads what a store has kept; nil if there is none.
        package var history: HistoryProvider?

        /// Defaults: loopback, a free port.
        package init() {}
    }

    /// Whose messages are compressed with permessage-deflate. A message is compressed once for all of them:
    /// some 15 µs for 2 KB, to a fifth of the bytes. Where bandwidth is free, that does not pay.
    package enum Deflation: String, Sendable, CaseIterable {
        /// Nobody's.
        case never
        /// Those of clients on other machines.
        case remote
        /// Those of all clients that offer it.
        case always

        /// Whether to compress for a client of this owner.
        func packs(for owner: String) -> Bool {
            switch self {
            case .never: false
            case .remote: owner != loopbackOwner
            case .always: true
            }
        }
    }

    /// Why a server could not start.
    package enum StartError: Error, Sendable {
        /// The port or the thread failed.
        case transport(TransportError)
        /// A ring could not be allocated.
        case ring(FrameRingError)
    }

    private struct Export: Sendable {
        var port: Int
        var counters: LatestValueReader<ServerCounters>
        var loop: LoopHandle
    }

    private let thread: LoopThread<Export>
    private let stopping: StopFlag
    private let isJoined = Mutex(false)

    /// Starts serving all books of a service.
    ///
    /// - Throws: `StartError`; nothing then remains.
    package init(_ service: BookService, _ options: Options = Options()) throws(StartError) {
        let shards = try BookServer.makeShards(service, options)
        let stopping = StopFlag()
        self.stopping = stopping
        do throws(TransportError) {
            thread = try LoopThread("server") { loop throws(TransportError) in
                let machine = try ServerMachine(service, shards.take(), options, on: loop)
                return LoopThread.Resident(
                    remote: Export(
                        port: machine.port, counters: machine.counterReadings, loop: loop.remote),
                    isOver: { machine.turn(isStopping: stopping.isRaised) })
            }
        } catch {
            throw .transport(error)
        }
    }

    /// The port in use.
    package var port: Int { thread.remote.port }

    /// Totals so far, at most some milliseconds old.
    package var counters: ServerCounters { thread.remote.counters.latest(ServerCounters()) }

    /// Reloads certificate, key and authorities for new connections; existing ones go on. Any thread.
    ///
    /// - Parameter tell: receives the reason why everything stays unchanged, or nil, on the server's thread.
    /// - Returns: false if the server is too busy or has stopped; `tell` is then not called.
    package func reloadIdentity(_ tell: @escaping @Sendable (String?) -> Void) -> Bool {
        thread.remote.loop.post { tell($0.reloadIdentities()) }
    }

    /// Closes all clients with 1001 and ends the thread; takes some seconds at most. Not from inside a
    /// callback of the service. Any thread; every call returns once it has ended.
    package func stop() {
        isJoined.withLock { isJoined in
            if isJoined { return }
            isJoined = true
            stopping.raise()
            thread.remote.loop.wake()
            thread.join()
        }
    }

    deinit { stop() }

    /// Shards to be handed to the server's thread.
    private final class Parts: @unchecked Sendable {
        // Taken out once, by the server's thread.
        private var shards: [ServedShard]

        init(_ shards: [ServedShard]) { self.shards = shards }

        func take() -> [ServedShard] {
            defer { shards = [] }
            return shards
        }
    }

    /// Size of one tap's ring in bytes.
    ///
    /// - Parameters:
    ///   - own: size of its shard's ring, a power of two.
    ///   - shardCount: number of the service's shards.
    static func tapBytes(_ own: Int, of shardCount: Int) -> Int {
        let share = max(Options.ringBytesTotalMax / max(shardCount, 1), 1 << 20)
        var bytes = own
        while bytes > share { bytes /= 2 }
        return bytes
    }

    private static func makeShards(
        _ service: BookService, _ options: Options
    ) throws(StartError) -> Parts {
        var shards: [ServedShard] = []
        for number in 0..<service.shardCount {
            do throws(FrameRingError) {
                let own = service.shardStatuses[number].ring.capacityBytes
                let bytes = options.ringBytes ?? tapBytes(own, of: service.shardCount)
                shards.append(
                    try ServedShard(
                        number, of: service, ringBytes: bytes, passesGaps: options.passesGaps,
                        wake: WakeSwitch()))
            } catch {
                throw .ring(error)
            }
        }
        return Parts(shards)
    }
}
