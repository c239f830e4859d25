// What a feed asks of whatever carries a connection: a socket, or a simulated venue. What happens to it goes
// the other way, into `DepthFeed.opened`, `received`, `ponged`, `pinged`, `probed` and `ended`.

/// The far end of a connection. Nothing is reported from inside a call of it, nor from inside the call that
/// made it.
public protocol FeedLink: AnyObject {
    /// Sends a text. One that cannot be sent is one that is not answered.
    func send(_ text: String)

    /// Pings the peer; false if that cannot be sent.
    func ping() -> Bool

    /// Begins to close. `DepthFeed.ended` follows.
    func close()

    /// Ends it at once: nobody is there to answer a close. `DepthFeed.ended` follows.
    func abort()
}
