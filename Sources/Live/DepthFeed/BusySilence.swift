// When a busy connection that has gone silent counts as lost. The socket's own watch pings only after a long
// silence, since a quiet market is silent for long; a busy one never is, so a second is enough there.
//
// | state    | what a look finds                                    | action   | next     |
// | -------- | ---------------------------------------------------- | -------- | -------- |
// | any      | something was heard                                  |          | hearing  |
// | hearing  | silent for long, as busy as it was                   | ping     | pinged   |
// | pinged   | nothing for `pongLimitMs` since the ping             | replace  | replaced |
// | replaced | nothing for `goneAfterMs` since the ping             | give up  | given up |
// | any      | pongs, and no message for `emptyAfterMs`: once       | replace  | hearing  |
// | any      | otherwise                                            |          |          |
//
// Silent for long: for `pingAfterMs`, and for five times the message interval while it was busy. A ping
// always comes first, so a process that was itself stopped does not take a connection for lost.
//
// What answers pings may be a front behind which nothing is left. Only a connection on which messages have
// long come without a pause of a second is suspected of that: a market may rest, its connection is fine.

/// How soon a silent connection that was busy is suspected. `pingAfterMs` of `.max`: never.
public struct BusySilence: Hashable, Sendable {
    /// A connection with this many messages a second is busy.
    public var messagesPerSecondMin = 2
    /// Silence after which it is pinged.
    public var pingAfterMs: Int64 = 1_000
    /// Time from the ping for anything to arrive before its replacement is opened.
    public var pongLimitMs: Int64 = 2_000
    /// Time from the ping for anything to arrive before it counts as gone.
    public var goneAfterMs: Int64 = 8_000
    /// Time without a message, though pings are answered, before its replacement is opened.
    public var emptyAfterMs: Int64 = 10_000

    /// The defaults.
    public init() {}
}

/// Watches one connection. Evaluated on every tick.
struct BusyWatch {
    enum Action: Hashable {
        case ping, replace, giveUp
    }

    private enum State: Hashable {
        case hearing
        case pinged(atMs: Int64)
        case replaced(pingedAtMs: Int64)
        case givenUp
    }

    /// Time constant of the rate's smoothing.
    private static let smoothingMs = 5_000.0

    private let limits: BusySilence
    private var state = State.hearing
    private var heard = 0
    private var messages = 0
    private var heardAtMs: Int64
    private var lookedAtMs: Int64
    /// Messages per second, as of the last look that found some.
    private(set) var messagesPerSecond = 0.0
    /// When the last message came, and the longest usual pause: a maximum that decays with every look that
    /// finds messages. Starts so high that half a minute of steady traffic comes first.
    private var messageAtMs: Int64
    private var pauseMs: Int64 = 60_000
    private static let busyPauseMsMax: Int64 = 1_000
    /// Whether it was replaced because it delivers no more messages.
    private var isEmptied = false

    init(_ limits: BusySilence, nowMs: Int64) {
        self.limits = limits
        (heardAtMs, lookedAtMs, messageAtMs) = (nowMs, nowMs, nowMs)
    }

    /// How long nothing has been heard, or no message if that is what is wrong, as of the last look.
    var silentMs: Int64 { lookedAtMs - (isEmptied ? messageAtMs : heardAtMs) }

    /// - Parameters:
    ///   - heard: count of everything received: pieces, pings, pongs.
    ///   - messages: count of messages.
    mutating func look(heard: Int, messages: Int, nowMs: Int64) -> Action? {
        lookedAtMs = nowMs
        if heard != self.heard {
            let hasMessages = messages != self.messages
            measure(messages, sinceMs: heardAtMs, nowMs)
            self.heard = heard
            heardAtMs = nowMs
            state = .hearing
            if hasMessages {
                pauseMs = max(nowMs - messageAtMs, pauseMs - pauseMs / 32)
                (messageAtMs, isEmptied) = (nowMs, false)
            }
            return isEmpty ? empty() : nil
        }
        switch state {
        case .hearing:
            if heardAtMs > messageAtMs && isEmpty { return empty() }
            if messagesPerSecond < Double(limits.messagesPerSecondMin) { return nil }
            let unusualMs = Int64(5_000 / messagesPerSecond)
            if silentMs < max(limits.pingAfterMs, unusualMs) { return nil }
            state = .pinged(atMs: nowMs)
            return .ping
        case .pinged(let atMs):
            if nowMs - atMs < limits.pongLimitMs { return nil }
            state = .replaced(pingedAtMs: atMs)
            return .replace
        case .replaced(let pingedAtMs):
            if nowMs - pingedAtMs < max(limits.goneAfterMs, limits.pongLimitMs) { return nil }
            state = .givenUp
            return .giveUp
        case .givenUp: return nil
        }
    }

    /// Whether it was busy, and only pongs come.
    private var isEmpty: Bool {
        !isEmptied && pauseMs <= BusyWatch.busyPauseMsMax
            && lookedAtMs - messageAtMs >= max(limits.emptyAfterMs, limits.pingAfterMs)
    }

    private mutating func empty() -> Action {
        isEmptied = true
        return .replace
    }

    private mutating func measure(_ messages: Int, sinceMs: Int64, _ nowMs: Int64) {
        let spanMs = Double(max(nowMs - sinceMs, 1))
        let now = Double(messages - self.messages) * 1_000 / spanMs
        messagesPerSecond += (now - messagesPerSecond) * min(spanMs / BusyWatch.smoothingMs, 1)
        self.messages = messages
    }
}
