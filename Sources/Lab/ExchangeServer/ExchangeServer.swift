// The venue behind real sockets: one port of a loop on which unmodified clients find the streams and the REST
// endpoints of one market.
//
//     let loop = try EventLoop()
//     var configuration = VenueConfiguration(market: .spot, symbols: …, seed: 1)
//     configuration.startUs = now
//     let server = try ExchangeServer(ExchangeServer.live(configuration), on: loop)
//     print("http://127.0.0.1:\(server.port)", "ws://127.0.0.1:\(server.port)")
//     loop.run { isOver }
//
// Why this design: the venue is pure, so all that is left is to tell it the time, to carry data between it
// and the sockets, and to sleep until something is due. Time advances in steps, and what has arrived is sent
// after each step, so that the first due message is not delayed by others due at the same moment.
//
// Invariants
// * A frame never leaves before the venue says that it arrives. It leaves at most `wakeUpUs` and a
//   millisecond later, unless the machine is too slow; `ExchangeCounters.behindUs` says by how much.
// * Nothing is allocated for a message on its way from the venue to the socket.
//
// Bounds: a client's send queue (`queuedBytesMax`, then 1008), connections (the venue's), requests waiting
// for their answers (`answerCountMax`, then 503), one run of the venue (`runNsMax`, then the sockets get
// their turn). What the venue itself bounds is in Venue.swift.
//
// Not carried out here: the fault `pause`, which is a fault of consumers. Not noticed: pings of clients,
// which the library answers itself, so they do not count against the message limit.

import BinanceServing
import BinanceVenue
import LobTransport
import MarketData
import SimulatedExchange

/// A simulated venue that listens on a port. Thread: its loop's. It lives as long as its loop.
package final class ExchangeServer {
    /// How the venue is served.
    package struct Options: Sendable {
        /// Numeric address to listen on; nil means every address, IPv6 and IPv4.
        package var address: String? = "127.0.0.1"
        /// Port; 0 takes a free one.
        package var port = 0
        /// TLS if given.
        package var tls: TLSIdentity?
        /// Venue seconds per second. It speeds up everything: updates, pings, deadlines, minutes.
        package var speed = 1.0
        /// Maximum number of bytes waiting for the socket of a client; a client that reads more slowly is
        /// closed with 1008. Less than the loop's `queueBytesMax`, so that there is room for the close frame.
        package var queuedBytesMax = 2 << 20
        /// Shortest time between two runs of the venue. 0 runs it at the exact moment something is due, at
        /// the cost of a loop that spins through the last millisecond before.
        package var wakeUpUs: Int64 = 1_000
        /// Maximum number of requests waiting for their answers.
        package var answerCountMax = 1_024

        /// Whether a capture is played as fast as its clients read, regardless of its times.
        package var isUnpaced = false
        /// Whether a capture starts at once rather than when the first client subscribes.
        package var playsAtOnce = false
        /// Whether connections and requests are still served when a capture is over; otherwise every client
        /// is closed with 1001.
        package var staysWhenPlayed = false

        /// The defaults: loopback, a free port, real time.
        package init() {}
    }

    /// The port in use.
    package private(set) var port = 0
    /// The market served.
    package let market: Market
    let loop: EventLoop
    let options: Options
    let addresses: AddressBook
    var venue: Venue
    var tally = ExchangeCounters()
    var clients: [StreamClient] = []
    var waitingAnswerCount = 0
    let player: CapturePlayer?
    /// Whether a capture has been played to its end.
    package private(set) var isPlayed = false
    private let clock: VenueClock
    private var timer: LoopTimer?
    private var lastRunNs: Int64 = 0
    private var sweptSecond: Int64 = 0
    private static let heldUpBytes = 256 << 10
    private static let actCountMax = 4
    private static let runNsMax: Int64 = 20_000_000
    private static let vanishedNsMax: UInt64 = 120_000_000_000

    /// Serves a simulated market; listens at once.
    ///
    /// - Parameters:
    ///   - configuration: the configuration of the venue; `live` makes one for clients on this machine.
    ///   - addresses: shared by servers that have a common request budget.
    /// - Throws: `TransportError.cannotListen`.
    package convenience init(
        _ configuration: VenueConfiguration, on loop: EventLoop, options: Options = Options(),
        addresses: AddressBook = AddressBook()
    ) throws(TransportError) {
        // The clock comes first: filling the books of many symbols takes time, which passes at the venue too.
        let clock = VenueClock(startUs: configuration.startUs, speed: options.speed)
        try self.init(Venue(configuration), clock, nil, on: loop, options: options, addresses: addresses)
    }

    /// Serves a captured market; listens at once.
    ///
    /// - Parameters:
    ///   - capture: the capture to play.
    ///   - configuration: the venue around it: limits, latencies, faults of frames, connections and requests.
    ///     It must have no symbols.
    /// - Throws: `CaptureError`, or `TransportError.cannotListen`.
    package convenience init(
        playing capture: CapturedMarket, _ configuration: VenueConfiguration, on loop: EventLoop,
        options: Options = Options(), addresses: AddressBook = AddressBook()
    ) throws {
        precondition(configuration.market == capture.market && configuration.symbols.isEmpty)
        let clock = VenueClock(startUs: configuration.startUs, speed: options.speed)
        // The streams of a capture run at the pace at which they were captured, whatever speed a client
        // names.
        var around = configuration
        around.honoursSpeeds = false
        var venue = Venue(around)
        let player = try CapturePlayer(capture, isUnpaced: options.isUnpaced, into: &venue)
        try self.init(venue, clock, player, on: loop, options: options, addresses: addresses)
    }

    private init(
        _ venue: consuming Venue, _ clock: VenueClock, _ player: CapturePlayer?, on loop: EventLoop,
        options: Options, addresses: AddressBook
    ) throws(TransportError) {
        (self.loop, self.options, self.addresses) = (loop, options, addresses)
        (self.clock, self.player) = (clock, player)
        market = venue.configuration.market
        self.venue = venue
        var listening = HTTPServer.Options()
        listening.address = options.address
        listening.port = options.port
        listening.tls = options.tls
        listening.peerCountMax = self.venue.configuration.connectionCountMax
        listening.messageBytesMax = 256 << 10
        // Only the loop holds the HTTP server, which holds this object.
        port = try HTTPServer(
            on: loop, options: listening,
            handlers: HTTPServer.Handlers(request: { self.answer($0) }, upgrade: { self.decide($0) })
        ).port
        if options.playsAtOnce { player?.start(atUs: self.venue.nowUs) }
        schedule()
    }

    /// A configuration for live clients: real pongs are expected, and the venue shares the clock of this
    /// machine.
    package static func live(_ configuration: VenueConfiguration) -> VenueConfiguration {
        var live = configuration
        live.expectsPongs = true
        live.honoursSpeeds = true
        live.streamLatencyUs = 0...2_000
        live.requestLatencyUs = 1_000...5_000
        live.snapshotLagUs = 0...20_000
        live.snapshotCacheUs = 1_000
        // Of the captured snapshots 57 of 66 (spot) and 14 of 41 (futures) show the end of an update.
        live.wholeSnapshotPerMille = configuration.market == .spot ? 860 : 340
        live.connectionCountMax = 1_024
        return live
    }

    /// The counters so far.
    package var counters: ExchangeCounters {
        var counters = tally
        counters.connectionCount = clients.count
        counters.streamCount = clients.reduce(0) { $0 + venue.subscriptionCount(of: $1.id) }
        counters.usedWeight = addresses.usedWeight(market, atUs: venue.nowUs)
        counters.behindUs = max(clock.venueUs(afterNs: clock.elapsedNs) - venue.nowUs, 0)
        counters.playedCount = player?.playedCount ?? 0
        counters.venue = venue.counters
        return counters
    }

    /// The faults from now on.
    package var faults: FaultPlan {
        get { venue.faults }
        set { venue.faults = newValue }
    }

    /// Calls `body` with the venue itself, for checkers that may know the truth. It must not advance time or
    /// touch connections.
    package func withVenue<R>(_ body: (inout Venue) -> R) -> R { body(&venue) }

    /// Tells every client that the venue goes down, and closes; run the loop until no connection is left.
    package func shutDown() {
        venue.shutDown()
        run()
    }
}

// Time.
extension ExchangeServer {
    /// Executes everything that is due, and sets the timer for what comes next.
    package func run() {
        let startNs = clock.elapsedNs
        let untilUs = clock.venueUs(afterNs: startNs)
        repeat {
            venue.advance(
                toUs: min(max(nextActivityUs, venue.nowUs + 1), untilUs),
                actCountMax: ExchangeServer.actCountMax)
            play()
            deliver()
        } while min(nextActivityUs, venue.nowUs + 1) <= untilUs
            && clock.elapsedNs - startNs < ExchangeServer.runNsMax
        if venue.nowUs / 1_000_000 != sweptSecond { sweep() }
        lastRunNs = startNs
        schedule()
    }

    /// When something happens next, at the venue or in the capture; not before congested clients have read.
    private var nextActivityUs: Int64 {
        guard let dueUs = player?.nextUs, !isHeldUp else { return venue.nextActivityUs }
        return min(venue.nextActivityUs, max(dueUs, venue.nowUs))
    }

    /// Whether unpaced play waits for a client to read.
    private var isHeldUp: Bool {
        options.isUnpaced && clients.contains { $0.peer.queuedBytes > ExchangeServer.heldUpBytes }
    }

    /// Plays what is due of a capture, and ends when it is over, unless the server stays.
    private func play() {
        guard let player, !isPlayed else { return }
        if player.isWaiting && clients.contains(where: { venue.subscriptionCount(of: $0.id) > 0 }) {
            player.start(atUs: venue.nowUs)
        }
        if !isHeldUp {
            _ = player.play(
                untilUs: venue.nowUs, countMax: ExchangeServer.actCountMax * 4, into: &venue)
        }
        if player.isOver {
            isPlayed = true
            if !options.staysWhenPlayed {
                venue.closeAll(ConnectionClose(code: 1001, reason: "The capture is over"))
            }
        }
    }

    /// Hands what has arrived to the sockets.
    private func deliver() {
        var isAnyGone = false
        for client in clients {
            guard let dueUs = venue.nextArrivalUs(client.id), dueUs <= venue.nowUs else { continue }
            venue.poll(client.id) { client.pass($1, $2, counters: &tally) }
            if client.state == .closing {
                venue.disconnect(client.id)
                isAnyGone = true
            }
        }
        if isAnyGone { clients.removeAll { $0.state == .closing } }
    }

    /// Once a second: connections that have vanished become deaf, and are cut off much later, when nobody can
    /// still be waiting for them.
    private func sweep() {
        sweptSecond = venue.nowUs / 1_000_000
        for client in clients where client.state == .open && venue.hasVanished(client.id) {
            client.vanish()
            loop.after(ExchangeServer.vanishedNsMax) { [weak client] in client?.close(code: 1006, reason: "")
            }
        }
    }

    private func schedule() {
        if let timer { loop.cancel(timer) }
        let nowNs = clock.elapsedNs
        let dueNs = max(
            clock.elapsedNs(atVenueUs: nextActivityUs), lastRunNs + options.wakeUpUs * 1_000)
        var delayNs = max(dueNs - nowNs, 0)
        // The loop sleeps whole milliseconds and spins for the rest, so the rest is rounded away.
        if options.wakeUpUs > 0 { delayNs = (delayNs + 999_999) / 1_000_000 * 1_000_000 + 20_000 }
        timer = loop.after(UInt64(delayNs)) { [unowned self] in
            timer = nil
            run()
        }
    }

    /// Nanoseconds until the venue's time has come.
    func delayNs(untilVenueUs venueUs: Int64) -> UInt64 {
        UInt64(max(clock.elapsedNs(atVenueUs: venueUs) - clock.elapsedNs, 0))
    }
}
