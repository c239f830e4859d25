// The taps of a feed: further rings that get the same frames as the book's ring, each after it.
//
// Invariants
// * The book's ring has its copy of a message, and its thread has been notified, before any tap gets it.
// * A tap added late starts with the connections then in service; a message in progress on one of them counts
//   as lost for the tap.
// * A tap can lose what the book does not, and vice versa; each says so in its own ring.

import LobHandoff
import MarketData

extension DepthFeed {
    /// Adds a tap, before the feed starts or while it runs. Thread: the feed's; others use
    /// `FeedHandle.add`.
    ///
    /// - Complexity: from now on one more copy of each message.
    package func add(_ tap: FrameTap) {
        if taps.contains(where: { $0 === tap }) { return }
        taps.append(tap)
        let atNs = clock.realtimeNs
        for (id, _, refused) in serving {
            tap.offer(.connected, source: id, receivedAtNs: atNs, refused)
        }
        for connection in connections.values where !connection.sender.isIdle { tap.joinLate(connection.id) }
    }

    /// Removes a tap; it gets nothing more. Its reader may still consume its ring.
    package func remove(_ tap: FrameTap) { taps.removeAll { $0 === tap } }

    /// Forwards a piece of a message to the taps. With the last piece, `counted` has the time of the message.
    @inline(never)
    func tapped(_ bytes: Span<UInt8>, isFinal: Bool, on connection: FeedConnection) {
        let atNs = counted.lastMessageAtNs
        for tap in taps { tap.receive(bytes, isFinal: isFinal, source: connection.id, receivedAtNs: atNs) }
    }

    /// Drops a connection's message in progress.
    func abandon(_ connection: FeedConnection) {
        outbox.abandon(&connection.sender)
        for tap in taps { tap.abandon(connection.id) }
    }
}
