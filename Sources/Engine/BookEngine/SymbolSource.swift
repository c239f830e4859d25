// The connection whose updates a symbol follows, and what other connections have shown of the symbol
// meanwhile.

import MarketData

/// The source of a symbol's updates.
///
/// ```
/// input            effect
/// moved            another connection, or none; nothing is known of others, except that a resubscription
///                  may have hit one that was already up
/// connectionUp     the source has not been heard since the new connection came up
/// heard            it has
/// notedEarly       a connection that is not up yet has come this far
/// noted            another connection has come this far; it is the latest such
/// beyondSinceNs    the same, and that is beyond the book
/// lost             the same, but how far is unknown
/// gone             another connection is gone
/// leftOut          the stream is known to have omitted something
/// unsubscribed     the connection does not carry it at all, now or once it is the source
/// resubscribed     a resubscription is requested; until it is accepted the stream omits updates
/// subscribedAgain  it is in force, whoever requested it
/// agreed           the venue was in the book's state at that time: settled if under the new subscription
/// agreedEarly      it was so at a time that may precede the connection: to be confirmed
/// tick             the confirmation may be overdue
/// ledOn            an update continued the book: settled, unless it was sent before the new subscription
/// left             it was given up though it is still there: only what continues the book still counts
/// notBelow         a snapshot agrees: what was shown below were stragglers
/// shownBelow       a ticker or partial depth lies behind the book, long after the book came there
/// fellSilent       the connection was busy and went silent, or delivers again
/// ```
struct SymbolSource {
    private static let unknownID = UpdateID(.max)

    /// The connection; nil if there is none.
    private(set) var connection: UInt16?
    /// Whether it was busy and has gone silent.
    private(set) var isSilent = false
    /// Since when the stream has, or may have, omitted something, on the engine's clock; nil if it has not.
    private(set) var leftOutNs: Int64?
    /// The new subscription of the stream; nil until one is requested.
    private var subscription: Subscription?
    /// When a resubscription was last accepted, on the engine's clock.
    private(set) var acceptedNs = Int64.min
    /// A connection on which the venue refused the stream.
    private var refusing: UInt16?
    /// A connection left for a newer one because its stream was dead, or its ids of an earlier epoch, as it
    /// seemed: nothing that it still shows counts but what continues the book.
    private(set) var abandoned: UInt16?
    /// How old the content of a snapshot may be.
    static let snapshotLagNs: Int64 = 1_000_000_000
    /// How long a subscription request may take: batched, sent within the venue's limits, and carried out.
    static let subscribingNs: Int64 = 3_000_000_000
    /// How long its acceptance may take where that is announced: twice the time after which a request counts
    /// as unanswered. One that is not accepted is requested again, and proves nothing.
    static let announcingNs: Int64 = 21_000_000_000
    /// From when on a snapshot must agree once more, because the last one may predate the connection; nil if
    /// none must.
    private(set) var confirmNs: Int64?
    /// Whether that has not happened in time.
    private(set) var isUnconfirmed = false
    /// How long a confirmation may take from when it is due.
    static let confirmingNsMax: Int64 = 2_000_000_000
    /// Another connection that delivered updates, and the highest id it reached.
    private var other: UInt16?
    private var otherLastID = UpdateID(0)
    /// The highest id shown by any other connection, and when.
    private var shownID = UpdateID(0)
    private var shownNs: Int64 = 0
    /// A connection that was not up yet when it delivered, and the highest id it reached.
    private var early: (connection: UInt16, id: UpdateID)?
    /// The first id beyond the book that another connection showed, and when.
    private var beyond: (id: UpdateID, sinceNs: Int64)?
    /// When something behind the book was first and last shown, long after the book came there: unless it is
    /// a straggler, the venue has restarted its ids.
    private var below: (firstNs: Int64, lastNs: Int64)?
    /// For how long that must go on to be no stragglers.
    static let belowNsMin: Int64 = 120_000_000_000
    /// Whether an update of the source arrived since another connection came up.
    private var isHeardBesideNewest = false

    private struct Subscription {
        /// When it was requested.
        let askedNs: Int64
        /// From when on an update shows that the stream omits nothing any more: the subscription is in force.
        /// Nil until its acceptance is announced.
        let inForceNs: Int64?
        /// From when on an agreement shows it: snapshots are no older. Nil likewise.
        let provableNs: Int64?
    }

    /// From when on an agreement shows that the stream omits nothing any more, on the engine's clock. Nil
    /// until a new subscription is requested, and until it is accepted if that is announced.
    var provableNs: Int64? { subscription?.provableNs }

    /// Whether a new subscription has been requested.
    var isRequested: Bool { subscription != nil }

    /// Whether the stream is known to omit updates, so that nothing ahead of the book says anything new.
    func isOmitting(nowNs: Int64) -> Bool {
        if leftOutNs == nil { return false }
        return provableNs.map { nowNs < $0 } ?? true
    }

    /// When a new subscription must be requested; nil if one is in force or soon will be.
    var requestDueNs: Int64? {
        if leftOutNs == nil || provableNs != nil { return nil }
        return subscription.map { $0.askedNs &+ SymbolSource.announcingNs } ?? .min
    }

    /// Updates of this connection count from now on.
    ///
    /// - Parameter upNs: when it came up, on the engine's clock. Resubscriptions are made on the newest
    ///   connection, so one that was up by then may omit something as well.
    mutating func moved(to connection: UInt16?, upNs: Int64, isSilent: Bool) {
        (self.connection, self.isSilent) = (connection, isSilent)
        if connection == abandoned { abandoned = nil }
        confirmed()
        if subscription.map({ $0.askedNs < upNs }) != false { (leftOutNs, subscription) = (nil, nil) }
        if let connection, connection == refusing { leftOut(nowNs: upNs) }
        (other, otherLastID) = (nil, UpdateID(0))
        (shownID, shownNs) = (UpdateID(0), 0)
        (below, beyond) = (nil, nil)
    }

    /// A connection came up.
    mutating func connectionUp() { isHeardBesideNewest = false }

    /// An update of the source arrived.
    @inline(__always)
    mutating func heard() { isHeardBesideNewest = true }

    /// An update of the source continued the book. Nothing was omitted before it; but if it was sent before
    /// the new subscription, something may be omitted after it.
    ///
    /// - Parameter sentNs: its arrival less its lag, on the engine's clock. The venue's replies may overtake
    ///   what its streams sent before.
    @inline(__always)
    mutating func ledOn(sentNs: Int64) {
        below = nil
        if confirmNs != nil { confirmed() }
        if leftOutNs == nil { return }
        if let subscription, sentNs < subscription.inForceNs ?? .max { return }
        endLeftOut()
    }

    private mutating func endLeftOut() { (leftOutNs, subscription) = (nil, nil) }

    /// The book is one that another engine knows to be continued.
    mutating func settled() {
        endLeftOut()
        below = nil
    }

    /// Something behind the book was shown, long after the book came there.
    mutating func shownBelow(nowNs: Int64) { below = (below?.firstNs ?? nowNs, nowNs) }

    /// The venue agrees with the book: those were stragglers.
    mutating func notBelow() { below = nil }

    /// Whether that has happened.
    var isShownBelow: Bool { below != nil }

    /// Whether it goes on.
    var isLongBelow: Bool { below.map { $0.lastNs &- $0.firstNs > SymbolSource.belowNsMin } ?? false }

    /// Another connection is gone: what it has shown says nothing about the next one of that number.
    mutating func gone(_ connection: UInt16) {
        if abandoned == connection { abandoned = nil }
        if other == connection { (other, otherLastID, beyond) = (nil, UpdateID(0), nil) }
        if refusing == connection { refusing = nil }
    }

    /// The connection is left, though it is still there.
    mutating func left(_ connection: UInt16) { abandoned = connection }

    /// Another connection lost a message: its progress is now unknown.
    mutating func lost(on connection: UInt16) { note(connection, SymbolSource.unknownID) }

    /// A connection has come this far before it is up: the venue accepts some of its streams before others.
    mutating func notedEarly(_ connection: UInt16, _ id: UpdateID) {
        let former = early.flatMap { $0.connection == connection ? $0.id : nil }
        early = (connection, max(id, former ?? id))
    }

    /// How far a connection had come when it came up; nil if it had shown nothing. Once.
    mutating func takeEarly(_ connection: UInt16) -> UpdateID? {
        defer { early = nil }
        return early.flatMap { $0.connection == connection ? $0.id : nil }
    }

    /// Another connection has come this far.
    mutating func noted(_ connection: UInt16, _ id: UpdateID, nowNs: Int64) {
        if id > shownID { (shownID, shownNs) = (id, nowNs) }
        note(connection, id)
    }

    private mutating func note(_ connection: UInt16, _ id: UpdateID) {
        if other != connection { (other, otherLastID) = (connection, UpdateID(0)) }
        otherLastID = max(otherLastID, id)
    }

    /// The stream has omitted something.
    mutating func leftOut(nowNs: Int64) { (leftOutNs, subscription) = (nowNs, nil) }

    /// A connection came up on which the venue refused the stream.
    mutating func unsubscribed(on connection: UInt16, nowNs: Int64) {
        refusing = connection
        if self.connection == connection { leftOut(nowNs: nowNs) }
    }

    /// The venue accepted the stream on a connection after all.
    mutating func accepted(on connection: UInt16) { if refusing == connection { refusing = nil } }

    /// A resubscription is requested: the stream omits what happens between its end and its new start.
    ///
    /// - Parameters:
    ///   - isAnnounced: whether `subscribedAgain` follows once a request is accepted.
    ///   - isCarriedOut: whether this request is.
    mutating func resubscribed(nowNs: Int64, isAnnounced: Bool, isCarriedOut: Bool = true) {
        leftOutNs = leftOutNs ?? nowNs
        let waitNs = isAnnounced ? SymbolSource.announcingNs : SymbolSource.subscribingNs
        let inForceNs = isAnnounced && isCarriedOut ? nil : nowNs &+ waitNs
        subscription = Subscription(askedNs: nowNs, inForceNs: inForceNs, provableNs: inForceNs)
    }

    /// The new subscription is in force. What the stream would have sent before may be missing, also if this
    /// engine did not request it, or it took longer than expected.
    mutating func subscribedAgain(nowNs: Int64) {
        acceptedNs = nowNs
        leftOutNs = leftOutNs ?? nowNs
        subscription = Subscription(
            askedNs: subscription?.askedNs ?? nowNs, inForceNs: nowNs,
            provableNs: nowNs &+ SymbolSource.snapshotLagNs)
    }

    /// The venue was in the book's state at this time. If the stream has not been resubscribed, that says
    /// nothing about it: tickers and snapshots come without it.
    mutating func agreed(atNs: Int64) {
        if leftOutNs != nil, let provableNs, atNs >= provableNs { endLeftOut() }
        if let confirmNs, atNs >= confirmNs { confirmed() }
    }

    /// A snapshot agreed that may predate the connection: unless an update continues the book first, another
    /// one must agree, from this time on.
    mutating func agreedEarly(untilNs: Int64) { confirmNs = untilNs }

    /// When the confirmation is overdue; nil if none is awaited.
    var overdueNs: Int64? { confirmNs.map { $0 &+ SymbolSource.confirmingNsMax } }

    /// Time has passed.
    mutating func tick(nowNs: Int64) { if let overdueNs, nowNs >= overdueNs { isUnconfirmed = true } }

    private mutating func confirmed() { (confirmNs, isUnconfirmed) = (nil, false) }

    /// The connection has gone silent, or delivers again.
    mutating func fellSilent(_ isSilent: Bool) { self.isSilent = isSilent }

    /// Another connection shows an id beyond the book.
    ///
    /// - Returns: since when it has shown one that the book has not reached, on the engine's clock.
    mutating func beyondSinceNs(_ id: UpdateID, own: UpdateID, nowNs: Int64) -> Int64 {
        if let beyond, beyond.id > own { return beyond.sinceNs }
        beyond = (id, nowNs)
        return nowNs
    }

    /// Since when another connection has shown an id that the book has not reached; nil if none has.
    func beyondSinceNs(own: UpdateID) -> Int64? { beyond.flatMap { $0.id > own ? $0.sinceNs : nil } }

    /// How far another connection has come with its updates; nil if it has shown none, or lost one.
    func shownID(by next: UInt16) -> UpdateID? {
        other == next && otherLastID != SymbolSource.unknownID ? otherLastID : nil
    }

    /// Whether another connection has shown updates, or lost one.
    func isShown(by next: UInt16) -> Bool { other == next }

    /// Whether the ids have gone back: another connection showed a later one before the connection delivering
    /// this one came up.
    func goesBack(_ id: UpdateID, upNs: Int64) -> Bool { id < shownID && shownNs < upNs }

    /// Whether nothing is missing if another connection, which has served the same streams for a while,
    /// replaces this one: it has shown nothing beyond the book, or neither has shown anything.
    ///
    /// - Parameters:
    ///   - id: the book's id.
    ///   - trustsUnseen: whether it may have shown nothing.
    func isContinued(by next: UInt16, at id: UpdateID, trustsUnseen: Bool) -> Bool {
        other == next ? otherLastID <= id : !isHeardBesideNewest || trustsUnseen
    }
}
