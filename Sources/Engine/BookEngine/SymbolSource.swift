// The connection whose updates a symbol follows, and what other connections have shown of the symbol
// meanwhile.

import MarketData

/// The source of a symbol's updates.
///
/// ```
/// input            effect
/// moved            another connection, or none; nothing is known of others
/// connectionUp     the source has not been heard since the new connection came up
/// heard            it has
/// noted            another connection has come this far; it is the latest such
/// lost             the same, but how far is unknown
/// leftOut          the stream is known to have omitted something
/// resubscribed     a resubscription is requested; until then the stream omits updates
/// subscribedAgain  it is in force
/// agreed           the venue was in the book's state at that time: settled if under the new subscription
/// agreedEarly      it was so at a time that may precede the connection: to be confirmed
/// ledOn            an update continued the book: settled, unless it preceded the new subscription
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
    /// From when on an agreement shows that the stream omits nothing any more: its new subscription is in
    /// force, and snapshots are no older. Nil until it is requested.
    private(set) var provableNs: Int64?
    /// From when on an update shows it; nil likewise.
    private var inForceNs: Int64?
    /// How old the content of a snapshot may be.
    static let snapshotLagNs: Int64 = 1_000_000_000
    /// How long a subscription request may take: batched, sent within the venue's limits, and carried out.
    static let subscribingNs: Int64 = 3_000_000_000
    /// When a snapshot must agree once more, because the last one may predate the connection; nil if none
    /// must.
    private(set) var confirmNs: Int64?
    /// Another connection that delivered updates, and the highest id it reached.
    private var other: UInt16?
    private var otherLastID = UpdateID(0)
    /// The highest id shown by any other connection, and when.
    private var shownID = UpdateID(0)
    private var shownNs: Int64 = 0
    /// Whether something behind the book was shown long after the book came there: unless it is a straggler,
    /// the venue has restarted its ids.
    private(set) var isShownBelow = false
    /// Whether an update of the source arrived since another connection came up.
    private var isHeardBesideNewest = false

    /// Updates of this connection count from now on.
    mutating func moved(to connection: UInt16?, isSilent: Bool) {
        (self.connection, self.isSilent) = (connection, isSilent)
        (leftOutNs, provableNs, inForceNs, confirmNs) = (nil, nil, nil, nil)
        (other, otherLastID) = (nil, UpdateID(0))
        (shownID, shownNs) = (UpdateID(0), 0)
        isShownBelow = false
    }

    /// A connection came up.
    mutating func connectionUp() { isHeardBesideNewest = false }

    /// An update of the source arrived.
    @inline(__always)
    mutating func heard() { isHeardBesideNewest = true }

    /// An update of the source continued the book. Nothing was omitted before it; but if it preceded the new
    /// subscription, something may be omitted after it.
    ///
    /// - Parameter atNs: when it arrived, on the engine's clock.
    @inline(__always)
    mutating func ledOn(atNs: Int64) {
        isShownBelow = false
        confirmNs = nil
        if leftOutNs != nil && atNs >= inForceNs ?? .min { leftOutNs = nil }
    }

    /// The book is one that another engine knows to be continued.
    mutating func settled() { (leftOutNs, isShownBelow) = (nil, false) }

    /// Something behind the book was shown, long after the book came there.
    mutating func shownBelow() { isShownBelow = true }

    /// Another connection lost a message: its progress is now unknown.
    mutating func lost(on connection: UInt16) { note(connection, SymbolSource.unknownID) }

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
    mutating func leftOut(nowNs: Int64) { (leftOutNs, provableNs, inForceNs) = (nowNs, nil, nil) }

    /// A resubscription is requested: the stream omits what happens between its end and its new start.
    mutating func resubscribed(nowNs: Int64) {
        leftOutNs = leftOutNs ?? nowNs
        inForceNs = nowNs &+ SymbolSource.subscribingNs
        provableNs = inForceNs
    }

    /// The new subscription is in force.
    ///
    /// - Returns: whether one was pending. If not, something happened to the stream that this engine did not
    ///   request.
    mutating func subscribedAgain(nowNs: Int64) -> Bool {
        guard leftOutNs != nil, let dueNs = inForceNs, dueNs > nowNs else { return false }
        (inForceNs, provableNs) = (nowNs, nowNs &+ SymbolSource.snapshotLagNs)
        return true
    }

    /// The venue was in the book's state at this time. If the stream has not been resubscribed, that says
    /// nothing about it: tickers and snapshots come without it.
    mutating func agreed(atNs: Int64) {
        if let provableNs, atNs >= provableNs { leftOutNs = nil }
        if let confirmNs, atNs >= confirmNs { self.confirmNs = nil }
    }

    /// A snapshot agreed that may predate the connection: unless an update continues the book first, another
    /// one must agree, from this time on.
    mutating func agreedEarly(untilNs: Int64) { confirmNs = untilNs }

    /// The connection has gone silent, or delivers again.
    mutating func fellSilent(_ isSilent: Bool) { self.isSilent = isSilent }

    /// How far another connection has come with its updates; nil if it has shown none, or lost one.
    func shownID(by next: UInt16) -> UpdateID? {
        other == next && otherLastID != SymbolSource.unknownID ? otherLastID : nil
    }

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
