// How a server ends a connection: code and reason of its close frame.
//
//     code  reason                   when
//     -----|------------------------|-----------------------------------------
//     1001                           end of its life, or the server is shutting down
//     1008  Pong timeout             pings were not answered in time
//     1008  Too many requests        more client messages in a second than the market allows
//     1008  Too many subscriptions   the 1025th stream
//     1008                           it reads too slowly

/// A close frame.
package struct ConnectionClose: Hashable, Sendable {
    /// Status code of RFC 6455.
    package var code: Int
    /// Text, may be empty.
    package var reason: String

    /// A close frame.
    package init(code: Int, reason: String = "") { (self.code, self.reason) = (code, reason) }

    /// End of the connection's life, or server shutdown.
    package static let goingAway = ConnectionClose(code: 1001)
    /// Pings were not answered in time.
    package static let pongTimeout = ConnectionClose(code: 1008, reason: "Pong timeout")
    /// Too many client messages in a second.
    package static let tooManyMessages = ConnectionClose(code: 1008, reason: "Too many requests")
    /// More streams than a connection may carry.
    package static let tooManyStreams = ConnectionClose(code: 1008, reason: "Too many subscriptions")
    /// Too much is queued for the client.
    package static let tooSlow = ConnectionClose(code: 1008)
}
