// What a feed needs from the link that carries a connection: a socket or a simulated venue. Events travel the
// other way, to `DepthFeed.opened`, `received`, `ponged`, `pinged`, `probed` and `ended`.

/// The far end of a connection. It reports nothing from inside a call to it, nor from inside the call that
/// created it.
package protocol FeedLink: AnyObject {
    /// Sends a text. One that cannot be sent counts as unanswered.
    func send(_ text: String)

    /// Pings the peer; false if that cannot be sent.
    func ping() -> Bool

    /// Starts closing. `DepthFeed.ended` follows.
    func close()

    /// Ends it at once, without a close handshake. `DepthFeed.ended` follows.
    func abort()
}
