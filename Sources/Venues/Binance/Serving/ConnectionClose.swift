// How a server ends a connection: code and reason of its close frame.
//
//     code  reason                   when
//     -----|------------------------|-----------------------------------------
//     1001                           end of its life, or the server goes down
//     1008  Pong timeout             pings were not answered in time
//     1008  Too many requests        more messages of the client in a second than the market allows
//     1008  Too many subscriptions   the stream that would be the 1025th
//     1008                           it reads too slowly

/// A close frame.
package struct ConnectionClose: Hashable, Sendable {
    /// Status code of RFC 6455.
    package var code: Int
    /// Text, may be empty.
    package var reason: String

    /// A close frame.
    package init(code: Int, reason: String = "") { (self.code, self.reason) = (code, reason) }

    /// The end of its life, or of the server.
    package static let goingAway = ConnectionClose(code: 1001)
    /// Pings were not answered in time.
    package static let pongTimeout = ConnectionClose(code: 1008, reason: "Pong timeout")
    /// Too many messages of the client in a second.
    package static let tooManyMessages = ConnectionClose(code: 1008, reason: "Too many requests")
    /// More streams than a connection may carry.
    package static let tooManyStreams = ConnectionClose(code: 1008, reason: "Too many subscriptions")
    /// What waits for the client has become too much.
    package static let tooSlow = ConnectionClose(code: 1008)
}
