// The connection whose updates a symbol follows, and what another one has shown of the symbol meanwhile.

import MarketData

/// Where a symbol's updates come from.
///
/// ```
/// input            effect
/// moved            another connection, or none; of others nothing is known
/// connectionUp     the source has shown nothing beside the new connection
/// heard            it has
/// noted            another connection has come so far; it is the latest such
/// lost             the same, but how far is unknown
/// leftOut          the stream is known to have left something out
/// resubscribed     it is to be subscribed again, and leaves something out meanwhile
/// subscribedAgain  it has been
/// agreed           the venue was where the book is at that time: settled if that was under the new
///                  subscription
/// agreedEarly      it was so at a time that may lie before the connection: to be confirmed
/// ledOn            an update of it continued the book: settled, unless it came before the new subscription
/// shownBelow       a ticker or partial depth lies behind the book, long after the book came there
/// fellSilent       the connection was busy and says nothing, or speaks again
/// ```
struct SymbolSource {
    private static let unknownID = UpdateID(.max)

    /// The connection; nil if there is none.
    private(set) var connection: UInt16?
    /// Whether it was busy and has fallen silent.
    private(set) var isSilent = false
    /// Since when the stream has left something out, or may have, on the engine's clock; nil if it has not.
    private(set) var leftOutNs: Int64?
    /// From when on an agreement shows that the stream leaves nothing out any more: its new subscription is
    /// in force, and snapshots are no older. Nil before that was requested.
    private(set) var provableNs: Int64?
    /// From when on an update shows it; nil likewise.
    private var inForceNs: Int64?
    /// How old what a snapshot shows may well be.
    static let snapshotLagNs: Int64 = 1_000_000_000
    /// How long a request to subscribe may take: gathered, sent within the venue's limits, and obeyed.
    static let subscribingNs: Int64 = 3_000_000_000
    /// When a snapshot must agree once more, since the one that did may be older than the connection; nil if
    /// none must.
    private(set) var confirmNs: Int64?
    /// Another connection that brought updates, and the highest id that one of them reached.
    private var other: UInt16?
    private var otherLastID = UpdateID(0)
    /// The highest id that any other one has shown, and when.
    private var shownID = UpdateID(0)
    private var shownNs: Int64 = 0
    /// Whether something behind the book was shown long after the book came there: unless it is a straggler,
    /// the venue has begun its ids anew.
    private(set) var isShownBelow = false
    /// Whether an update of the source came since another connection came up.
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

    /// An update of the source came.
    @inline(__always)
    mutating func heard() { isHeardBesideNewest = true }

    /// An update of the source continued the book. Nothing was left out before it; but if it came before the
    /// new subscription, something may be left out behind it.
    ///
    /// - Parameter atNs: when it came, on the engine's clock.
    @inline(__always)
    mutating func ledOn(atNs: Int64) {
        isShownBelow = false
        confirmNs = nil
        if leftOutNs != nil && atNs >= inForceNs ?? .min { leftOutNs = nil }
    }

    /// The book is what another engine knows to be continued.
    mutating func settled() { (leftOutNs, isShownBelow) = (nil, false) }

    /// Something behind the book was shown, long after the book came there.
    mutating func shownBelow() { isShownBelow = true }

    /// Another connection has lost a message: nobody knows how far it has come.
    mutating func lost(on connection: UInt16) { note(connection, SymbolSource.unknownID) }

    /// Another connection has come so far.
    mutating func noted(_ connection: UInt16, _ id: UpdateID, nowNs: Int64) {
        if id > shownID { (shownID, shownNs) = (id, nowNs) }
        note(connection, id)
    }

    private mutating func note(_ connection: UInt16, _ id: UpdateID) {
        if other != connection { (other, otherLastID) = (connection, UpdateID(0)) }
        otherLastID = max(otherLastID, id)
    }

    /// The stream has left something out.
    mutating func leftOut(nowNs: Int64) { (leftOutNs, provableNs, inForceNs) = (nowNs, nil, nil) }

    /// The stream is to be subscribed again: between its end and its new beginning it leaves out what comes.
    mutating func resubscribed(nowNs: Int64) {
        leftOutNs = leftOutNs ?? nowNs
        inForceNs = nowNs &+ SymbolSource.subscribingNs
        provableNs = inForceNs
    }

    /// The new subscription is in force.
    ///
    /// - Returns: whether one was under way. If not, something has happened to the stream that nobody here
    ///   asked for.
    mutating func subscribedAgain(nowNs: Int64) -> Bool {
        guard leftOutNs != nil, let dueNs = inForceNs, dueNs > nowNs else { return false }
        (inForceNs, provableNs) = (nowNs, nowNs &+ SymbolSource.snapshotLagNs)
        return true
    }

    /// The venue was where the book is at this time. What a stream that is not subscribed again has to do
    /// with that, nobody knows: tickers and snapshots come without it.
    mutating func agreed(atNs: Int64) {
        if let provableNs, atNs >= provableNs { leftOutNs = nil }
        if let confirmNs, atNs >= confirmNs { self.confirmNs = nil }
    }

    /// A snapshot agreed that may be older than the connection: until an update continues the book, another
    /// one has to, from this time on.
    mutating func agreedEarly(untilNs: Int64) { confirmNs = untilNs }

    /// The connection has fallen silent, or speaks again.
    mutating func fellSilent(_ isSilent: Bool) { self.isSilent = isSilent }

    /// How far another connection has come with its updates; nil if it has shown none, or lost one.
    func shownID(by next: UInt16) -> UpdateID? {
        other == next && otherLastID != SymbolSource.unknownID ? otherLastID : nil
    }

    /// Whether the ids have gone back: another connection had shown a later one before the connection came up
    /// that brings this one now.
    func goesBack(_ id: UpdateID, upNs: Int64) -> Bool { id < shownID && shownNs < upNs }

    /// Whether nothing is missing if another connection, which has served the same streams for a while,
    /// replaces this one: it has shown nothing beyond the book, or neither of the two has shown anything.
    ///
    /// - Parameters:
    ///   - id: where the book stands.
    ///   - trustsUnseen: whether it need not have shown anything.
    func isContinued(by next: UInt16, at id: UpdateID, trustsUnseen: Bool) -> Bool {
        other == next ? otherLastID <= id : !isHeardBesideNewest || trustsUnseen
    }
}
