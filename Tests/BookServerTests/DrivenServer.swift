// A server on the loop of the test: it works only when the test lets it, so its state can be looked at
// between two steps.

import BinanceVenue
import LobHandoff
import LobTransport
import MarketData
import TestSupport
import Testing
import VenueSupport

@testable import BookServer

/// A second server over the service of a stack.
final class DrivenServer {
    let stack: Stack
    let machine: ServerMachine

    init(
        _ market: Market = .spot, _ configure: (inout BookServer.Options) -> Void = { _ in }
    ) throws {
        stack = try Stack(market)
        var options = BookServer.Options()
        options.dialect = .classic(market)
        configure(&options)
        let service = stack.service
        let shards = try (0..<service.shardCount).map {
            try ServedShard(
                $0, of: service, ringBytes: 1 << 20, passesGaps: options.passesGaps, wake: WakeSwitch())
        }
        machine = try ServerMachine(service, shards, options, on: stack.loop)
    }

    /// Turns server and loop until the condition holds.
    func drive(
        _ what: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation, until condition: () -> Bool
    ) {
        stack.drive(what, sourceLocation: sourceLocation) {
            _ = machine.turn(isStopping: false)
            return condition()
        }
    }

    /// Until the first book is shown.
    func begin() { drive("a book") { machine.isShown(0) } }

    func client(_ path: String) -> RawClient { RawClient(machine.port, path: path) }

    func stop() {
        stack.drive("the end") { machine.turn(isStopping: true) }
        stack.loop.close()
        stack.stop()
    }
}
