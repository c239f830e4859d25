// Answers outside the endpoints' own answers and refusals.

/// An HTTP answer with a JSON body.
package struct ServingAnswer: Sendable {
    /// HTTP status.
    package var status: Int
    /// Headers other than content type and length.
    package var headers: [(name: String, value: String)] = []
    /// The body.
    package var json = "{}"

    /// No WebSocket service at this path.
    package static let noService = ServingAnswer(status: 404)
    /// The request comes from a web page of another origin; the proxy in front of the venue refuses it like
    /// this.
    package static let stranger = ServingAnswer(status: 403)
    /// The server is overloaded.
    package static let overloaded = ServingAnswer(status: 503)
}
