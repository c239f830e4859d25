// The connections that are up, in order, and when each was last known to deliver.
//
// A connection that was busy and goes silent is not trusted for long: TCP can lose its peer silently, and a
// missing pong takes time to notice. A busy connection is one whose longest usual pause is short; on a quiet
// one silence means nothing.

/// The connections an engine receives from. A handful at most: the current one and its replacement.
struct Connections {
    private struct Connection {
        let source: UInt16
        /// When it came up, on the engine's clock.
        let upNs: Int64
        /// Receive time of its last frame.
        var heardAtNs: Int64
        /// The same moment on the engine's clock.
        var heardNs: Int64
        /// The longest usual pause: a maximum that decays with every message.
        var pauseNs: Int64 = 0
        var messageCount = 0
        var isSilent = false
        /// While it counts as silent, when it was first heard again; nil if it was not.
        var heardAgainNs: Int64?
        /// Since when it has been silent.
        var silentFromNs: Int64 = 0
        /// Silences in a row, with few messages between, that were rests of the market; and the message that
        /// ended the last one.
        var restCount = 0
        var restMessage = 0
        /// Lag of its last update, and when that arrived.
        var lagNs: Int64 = 0
        var lagNotedNs: Int64 = 0
        /// Whether it was late at the last tick.
        var isLate = false

        mutating func resume() { (isSilent, heardAgainNs) = (false, nil) }

        /// An update ended a silence. One that is in time was not kept back: the market rested, and if it
        /// does so again, the connection is no busy one.
        mutating func noteRest(nowNs: Int64) {
            let silenceNs = nowNs &- silentFromNs
            if lagNs > silenceNs / 4 { return }
            if messageCount - restMessage > Connections.messagesMin { restCount = 0 }
            (restCount, restMessage) = (restCount + 1, messageCount)
            if restCount > 1 { pauseNs = max(pauseNs, silenceNs) }
        }
    }

    private var connections: [Connection] = []
    private var last = 0
    private let lagNsMax: Int64
    /// Whether a connection may be late; false only if none is.
    private(set) var hasLate = false
    /// Whether a snapshot has shown since the last late update that a symbol missed nothing.
    private var hasCaughtUp = false
    /// Whether a late update came after that: symbols may be missing something again.
    private var isLateAgain = false

    /// - Parameter lagNsMax: anything later is late; 0: never.
    init(lagNsMax: Int64) { self.lagNsMax = lagNsMax > 0 ? lagNsMax : .max }

    /// Shortest silence of a busy connection that counts.
    static let silenceNsMin: Int64 = 3_000_000_000
    /// Longest usual pause of a busy connection.
    private static let busyPauseNsMax: Int64 = 750_000_000
    /// Messages before a connection's pauses are considered known.
    private static let messagesMin = 32

    /// The connection that came up last, nil if none is up.
    var newest: UInt16? { connections.last?.source }

    /// All that are up, in the order in which they came up.
    var sources: [UInt16] { connections.map(\.source) }

    func contains(_ source: UInt16) -> Bool { connections.contains { $0.source == source } }

    /// Whether `source` came up after `other`. False if either is down.
    func isNewer(_ source: UInt16, than other: UInt16) -> Bool {
        guard let a = connections.firstIndex(where: { $0.source == source }),
            let b = connections.firstIndex(where: { $0.source == other })
        else { return false }
        return a > b
    }

    /// When a connection came up, on the engine's clock; 0 if it is down.
    func upNs(_ source: UInt16) -> Int64 { connections.first { $0.source == source }?.upNs ?? 0 }

    /// Whether a connection was busy and has gone silent.
    func isSilent(_ source: UInt16?) -> Bool { connections.contains { $0.source == source && $0.isSilent } }

    /// Whether a connection has delivered nothing for a second, and nothing since `newer` came up: it may
    /// have died before, and the venue may have restarted its ids since.
    ///
    /// - Parameters:
    ///   - source: the older connection.
    ///   - newer: one that came up later.
    ///   - nowNs: the time, on the engine's clock.
    func isMute(_ source: UInt16, beside newer: UInt16, nowNs: Int64) -> Bool {
        guard let present = connections.first(where: { $0.source == source }) else { return false }
        return present.heardNs < upNs(newer) && nowNs &- present.heardNs > Connections.muteNs
    }

    /// A renewed connection that still works is heard more often, or its few symbols can afford a proof.
    private static let muteNs: Int64 = 1_000_000_000

    /// When a connection was last known to deliver, as a receive time; 0 if it is down.
    func heardAtNs(_ source: UInt16) -> Int64 {
        connections.first { $0.source == source }?.heardAtNs ?? 0
    }

    mutating func add(_ source: UInt16, receivedAtNs: Int64, nowNs: Int64) {
        connections.removeAll { $0.source == source }
        connections.append(Connection(source: source, upNs: nowNs, heardAtNs: receivedAtNs, heardNs: nowNs))
    }

    mutating func remove(_ source: UInt16) { connections.removeAll { $0.source == source } }

    /// A connection delivered something. True if it counts as silent, as it does until `hasResumed`.
    @inline(__always)
    mutating func hear(_ source: UInt16, receivedAtNs: Int64, nowNs: Int64) -> Bool {
        if last >= connections.count || connections[last].source != source {
            guard let index = connections.firstIndex(where: { $0.source == source }) else { return false }
            last = index
        }
        let isSilent = connections[last].isSilent
        // What ended in a silence was no usual pause.
        if !isSilent {
            let pauseNs = connections[last].pauseNs
            connections[last].pauseNs = max(nowNs &- connections[last].heardNs, pauseNs &- pauseNs &>> 5)
        }
        connections[last].heardAtNs = receivedAtNs
        connections[last].heardNs = nowNs
        connections[last].messageCount &+= 1
        if isSilent && connections[last].heardAgainNs == nil { connections[last].heardAgainNs = nowNs }
        return isSilent
    }

    /// Whether a silent connection that has just been heard counts as delivering again: what it delivers
    /// first may have waited for as long as it was silent, so not before an update has shown how late it is.
    mutating func hasResumed(_ source: UInt16, nowNs: Int64) -> Bool {
        guard let index = connections.firstIndex(where: { $0.source == source && $0.isSilent }),
            connections[index].lagNotedNs == nowNs
        else { return false }
        connections[index].noteRest(nowNs: nowNs)
        connections[index].resume()
        return true
    }

    /// The silent connections that have been heard for a while without an update that shows how late they
    /// are.
    mutating func resumedUntimed(nowNs: Int64) -> [UInt16] {
        var resumed: [UInt16] = []
        for index in connections.indices where connections[index].isSilent {
            let connection = connections[index]
            guard let heardAgainNs = connection.heardAgainNs else { continue }
            if nowNs &- connection.heardNs > Connections.busyPauseNsMax {
                // A stray message.
                connections[index].heardAgainNs = nil
            } else if nowNs &- heardAgainNs > Connections.untimedNsMax {
                connections[index].resume()
                resumed.append(connection.source)
            }
        }
        return resumed
    }

    /// How long a busy connection may deliver without an update that has a time.
    private static let untimedNsMax: Int64 = 1_000_000_000

    /// Records the lag of an update on the connection heard last.
    @inline(__always)
    mutating func noteLag(_ lagNs: Int64, nowNs: Int64) {
        if last >= connections.count { return }
        let formerLagNs = connections[last].lagNs
        connections[last].lagNs = lagNs
        connections[last].lagNotedNs = nowNs
        if lagNs > lagNsMax {
            hasLate = true
            // Books were judged live one by one while it was nearly in time.
            if hasCaughtUp || formerLagNs <= lagNsMax { (hasCaughtUp, isLateAgain) = (false, true) }
        }
    }

    /// A symbol of some connection is level with the venue, however late its updates came.
    mutating func caughtUp() { hasCaughtUp = true }

    /// Lag of the last update delivered by a connection since then; nil if there was none.
    func lagNs(_ source: UInt16?, sinceNs: Int64) -> Int64? {
        connections.first { $0.source == source && $0.lagNotedNs > sinceNs }?.lagNs
    }

    /// When a connection last delivered an update with a lag, on the engine's clock; 0 if it never did.
    func lagNotedNs(_ source: UInt16?) -> Int64 { connections.first { $0.source == source }?.lagNotedNs ?? 0 }

    /// Whether books must be judged again: since the last call a connection has become late or has caught up,
    /// or a late update came after a symbol had caught up by itself. A connection counts as caught up only
    /// when well in time, so that one at the limit does not flap.
    mutating func lateHaveChanged() -> Bool {
        if !hasLate { return false }
        hasLate = false
        var haveChanged = isLateAgain
        isLateAgain = false
        for index in connections.indices {
            let lagNs = connections[index].lagNs
            let isLate = connections[index].isLate ? lagNs > lagNsMax / 2 : lagNs > lagNsMax
            if isLate != connections[index].isLate { haveChanged = true }
            connections[index].isLate = isLate
            if isLate || lagNs > lagNsMax { hasLate = true }
        }
        return haveChanged
    }

    /// The connections that have gone silent since the last call.
    mutating func newlySilent(nowNs: Int64) -> [UInt16] {
        var silent: [UInt16] = []
        for index in connections.indices where !connections[index].isSilent {
            let connection = connections[index]
            if connection.messageCount < Connections.messagesMin { continue }
            if connection.pauseNs > Connections.busyPauseNsMax { continue }
            if nowNs &- connection.heardNs <= Connections.silenceNsMin { continue }
            (connections[index].isSilent, connections[index].silentFromNs) = (true, connection.heardNs)
            silent.append(connection.source)
        }
        return silent
    }
}
