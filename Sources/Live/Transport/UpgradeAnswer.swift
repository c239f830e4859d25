// What happens to a request for a WebSocket.

import CLobTransport

/// What to do with a request to upgrade to WebSocket.
package enum UpgradeAnswer {
    /// Upgrade; the closure gets the connection once it is open and returns its handlers.
    case accept((WebSocketPeer) -> WebSocketPeer.Handlers)
    /// Answer with this instead.
    case refuse(HTTPResponse)
}
