// Legal options of a feed's sockets. A time beyond `TimeLimit.longestMs` is clamped to it, so `.max` means
// never.

import LobTransport
import MarketData

extension WebSocketClient.Options {
    /// Defaults for a feed: a ping after 15 s of silence, given up 10 s later.
    package static var feed: WebSocketClient.Options {
        var options = WebSocketClient.Options()
        options.pingAfterMs = 15_000
        options.pongLimitMs = 10_000
        return options
    }

    /// Checks every field.
    ///
    /// - Throws: `ConfigurationError` of the first field with an illegal value, prefixed by `socket.`.
    package func validate() throws(ConfigurationError) {
        try ConfigurationError.check(
            "socket.backends", "\(backends)", !backends.isEmpty && Set(backends).count == backends.count,
            "one backend or more, each once")
        try ConfigurationError.check("socket.messageBytesMax", messageBytesMax, 1...1 << 30)
        try ConfigurationError.check("socket.openLimitMs", openLimitMs, 1...Int.max)
        try ConfigurationError.check("socket.closeLimitMs", closeLimitMs, 1...Int.max)
        try ConfigurationError.check("socket.pongLimitMs", pongLimitMs, 1...Int.max)
        if let pingAfterMs { try ConfigurationError.check("socket.pingAfterMs", pingAfterMs, 1...Int.max) }
        if let silenceLimitMs {
            try ConfigurationError.check("socket.silenceLimitMs", silenceLimitMs, 1...Int.max)
        }
    }

    /// The same with times clamped so that they can be added.
    var saturated: WebSocketClient.Options {
        var same = self
        same.openLimitMs = TimeLimit.ms(openLimitMs)
        same.closeLimitMs = TimeLimit.ms(closeLimitMs)
        same.pongLimitMs = TimeLimit.ms(pongLimitMs)
        same.pingAfterMs = pingAfterMs.map { TimeLimit.ms($0) }
        same.silenceLimitMs = silenceLimitMs.map { TimeLimit.ms($0) }
        return same
    }
}
