// The books of a service for clients in any language: REST and streams in the venue's own shapes, so that a
// client changes one URL.
//
//     let server = try BookServer(service)
//     print("http://127.0.0.1:\(server.port)/api/v3/depth?symbol=BTCUSDT")
//     …
//     server.stop()
//     service.stop()
//
// Why this shape: the server has a thread of its own, with an event loop and a replica of each shard over a
// tap of its frames. The book threads neither wait nor allocate for it. REST answers and streams come from
// one ordered state, so a client that takes one and goes on with the other has no hole between them.
//
// A book that is not live is never shown: requests for it are refused with 503 and the reason, its streams
// pause, and when it is live again one bridging update continues them; see `ServedBook`.
//
// Not served are last prices and statistics of trades, which nobody can know from books: paths of that kind
// answer as unknown ones.

import BinanceServing
import BinanceVenue
import BookService
import LobHandoff
import LobTransport
import MarketData
import Synchronization

/// Serves the books of a service on a port. For any thread. Stop it before the service.
package final class BookServer: Sendable {
    /// Where to listen, and the limits.
    package struct Options: Sendable {
        /// Numeric address to listen on; nil is every address, IPv6 and IPv4.
        package var address: String? = "127.0.0.1"
        /// Port; 0 takes a free one.
        package var port = 0
        /// TLS if given.
        package var tls: TLSIdentity?
        /// Most connections at once, idle ones and requests included; further ones are closed unread. Never
        /// more than leaves descriptors for everything else.
        package var connectionCountMax = 4_096
        /// Most WebSocket clients at once; further upgrades are refused with 503.
        package var clientCountMax = 1_024
        /// Most of them from one address, so that another always finds room; further upgrades are refused
        /// with 503. Of IPv6 a network counts as one address. Nil: nine in ten.
        package var clientsPerAddressMax: Int?
        /// Most event streams from one address, likewise.
        package var eventStreamsPerAddressMax = EventHub.clientCountMax * 3 / 4
        /// Most streams of a client; nil: what the market allows. One more ends the connection with 1008.
        package var streamCountMax: Int?
        /// Most streams of all clients together; further ones end the connection that asks.
        package var streamTotalMax = 100_000
        /// Most messages of a client in a second; nil: what the market allows. One more ends the connection
        /// with 1008.
        package var messagesPerSecondMax: Int?
        /// Most bytes of a client's message; a longer one ends the connection with 1009.
        package var messageBytesMax = 64 << 10
        /// Which clients get their messages packed, if they offer that.
        package var deflate = Deflation.remote
        /// Most bytes that wait for the socket of a client. One that reads updates more slowly is closed with
        /// 1008; of partial depths and best prices it gets the latest instead.
        package var queuedBytesMax = 2 << 20
        /// Most bytes of the name of a stream; a longer one is refused.
        package var streamNameBytesMax = 128
        /// Most bytes that wait for the sockets of all clients. Beyond that, whatever is longer than a line
        /// is refused with 503, and a client that has more than `queuedBytesMin` waiting is closed with 1008.
        package var queuedBytesTotalMax = 256 << 20
        /// What a client may have waiting although the sum is too large.
        package var queuedBytesMin = 64 << 10
        /// Most requests of an address in a second; further ones are refused with 429.
        package var requestsPerSecondMax = 10_000
        /// Longest time that the server itself may be behind the feed; beyond that no book is shown.
        package var lagMsMax = 5_000
        /// Whether a book that is not live is shown all the same, with a header that says so.
        package var servesStale = false
        /// Whether holes in the streams of updates are passed on instead of bridged.
        package var passesGaps = false
        /// Tokens of which a request must bring one; empty: nobody is asked.
        /// One longer than `tokenBytesMax` admits nobody.
        package var tokens: [String] = []
        /// Longest token that is looked at.
        package static let tokenBytesMax = 256
        /// Whether an address that uses more request weight than the venue allows is refused with 429 and
        /// 418. The weight is counted and shown in any case.
        package var isWeightLimited = false
        /// Bytes of the ring of each shard's tap, a power of two; nil: as many as the book's own ring, but of
        /// all shards together no more than `ringBytesTotalMax`. What it drops is bridged.
        package var ringBytes: Int?
        /// Most bytes of all taps, where `ringBytes` does not say otherwise: more than a second of the
        /// busiest traffic measured, and a server that is further behind has other troubles.
        package static let ringBytesTotalMax = 32 << 20
        /// Seconds between two requests for the venue's list of symbols.
        package var listEverySeconds = 3_600
        /// Which of the venue's dialects its own messages have; nil: today's.
        package var dialect: WireDialect?

        /// The defaults: loopback, a free port.
        package init() {}
    }

    /// Whose messages are packed with permessage-deflate. A message is packed once, for all of them: some
    /// 15 µs for 2 KB, and a fifth of the bytes. Where bytes cost nothing, that does not pay.
    package enum Deflation: String, Sendable, CaseIterable {
        /// Nobody's.
        case never
        /// Those of clients on other machines.
        case remote
        /// Those of all clients that offer it.
        case always

        /// Whether those of a client with this numeric address.
        func packs(for address: String) -> Bool {
            switch self {
            case .never: false
            case .remote:
                !(address == "::1" || AddressShares.owner(address).hasPrefix("127."))
            case .always: true
            }
        }
    }

    /// Why a server could not start.
    package enum StartError: Error, Sendable {
        /// The port or the thread.
        case transport(TransportError)
        /// The memory of a ring.
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

    /// Starts to serve all books of a service.
    ///
    /// - Throws: `StartError`; then nothing remains.
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

    /// What has happened so far, as of some milliseconds ago.
    package var counters: ServerCounters { thread.remote.counters.latest(ServerCounters()) }

    /// Reads certificate, key and authorities again, for connections to come; those that are there go on. Any
    /// thread.
    ///
    /// - Parameter tell: gets the reason why everything stays as it was, or nil, on the server's thread.
    /// - Returns: false if the server has too much to do or has stopped; `tell` is not called then.
    package func reloadIdentity(_ tell: @escaping @Sendable (String?) -> Void) -> Bool {
        thread.remote.loop.post { tell($0.reloadIdentities()) }
    }

    /// Closes all clients with 1001 and ends the thread; some seconds at most. Not from inside a callback of
    /// the service. Any thread; every call returns when it has ended.
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

    /// Shards on their way to the server's thread.
    private final class Parts: @unchecked Sendable {
        // Taken out once, by the server's thread.
        private var shards: [ServedShard]

        init(_ shards: [ServedShard]) { self.shards = shards }

        func take() -> [ServedShard] {
            defer { shards = [] }
            return shards
        }
    }

    /// Bytes of the ring of one tap.
    ///
    /// - Parameters:
    ///   - own: those of the ring of its shard, a power of two.
    ///   - shardCount: of the service.
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
