// When to ping a silent peer, and when to give it up. Pure; the shell asks the kernel how long nothing has
// arrived, pings, and waits. So watching costs nothing per message.
//
// | state  | what is found                                   | action                    | next   |
// | ------ | ----------------------------------------------- | ------------------------- | ------ |
// | quiet  | silent for less than `pingAfterMs`              | wait for it               | quiet  |
// | quiet  | silent for longer                               | ping, wait `pongLimitMs`  | pinged |
// | pinged | no byte since the ping, less than `pongLimitMs` | wait for it               | pinged |
// | pinged | no byte since the ping for longer               | give up                   |        |
// | pinged | a byte has come since the ping                  | as quiet                  |        |
// | any    | silent for `limitMs`                            | give up                   |        |
//
// A dead peer is given up after `pongLimitMs` plus the longer of the two other times. The kernel's measure of
// silence is coarse, so a byte counts as received since the ping only if the silence is shorter than it would
// otherwise be, by half of `pingAfterMs`.

/// Watches one peer.
struct KeepAlive {
    enum Action: Hashable {
        /// Check again after this time.
        case wait(ms: Int)
        /// Ping, then check again after this time.
        case ping(thenMs: Int)
        case giveUp
    }

    private let pingAfterMs: Int
    private let pongLimitMs: Int
    private let limitMs: Int
    private var ping: (silentMs: Int, atMs: Int)?

    /// Nil if nothing is to be watched.
    init?(pingAfterMs: Int?, pongLimitMs: Int, limitMs: Int?) {
        if pingAfterMs == nil && limitMs == nil { return nil }
        self.pingAfterMs = max(pingAfterMs ?? .max, 1)
        self.pongLimitMs = max(pongLimitMs, 1)
        self.limitMs = max(limitMs ?? .max, 1)
    }

    /// When to check first.
    var firstMs: Int { min(pingAfterMs, limitMs) }

    /// What to do after this much silence.
    mutating func check(silentMs: Int, nowMs: Int) -> Action {
        if silentMs >= limitMs { return .giveUp }
        if let ping {
            let elapsedMs = nowMs - ping.atMs
            if silentMs + pingAfterMs / 2 >= ping.silentMs + elapsedMs {
                if elapsedMs >= pongLimitMs { return .giveUp }
                return .wait(ms: min(pongLimitMs - elapsedMs, limitMs - silentMs))
            }
            self.ping = nil
        }
        if silentMs < pingAfterMs { return .wait(ms: firstMs - silentMs) }
        ping = (silentMs, nowMs)
        return .ping(thenMs: min(pongLimitMs, limitMs - silentMs))
    }
}
