// Decision on a WebSocket upgrade request.

import CLobTransport

/// What to do with a WebSocket upgrade request.
package enum UpgradeAnswer {
    /// Upgrade; the closure gets the connection once it is open and returns its handlers.
    case accept((WebSocketPeer) -> WebSocketPeer.Handlers)
    /// Answer with this instead.
    case refuse(HTTPResponse)
}
