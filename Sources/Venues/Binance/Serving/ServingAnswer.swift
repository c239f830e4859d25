// Answers to requests that are neither answered nor refused in the words of an endpoint.

/// An HTTP answer with a JSON body.
package struct ServingAnswer: Sendable {
    /// HTTP status.
    package var status: Int
    /// Headers beside those of its type and length.
    package var headers: [(name: String, value: String)] = []
    /// The body.
    package var json = "{}"

    /// No WebSocket service at this path.
    package static let noService = ServingAnswer(status: 404)
    /// The request comes from a page of elsewhere; what stands in front of the venue refuses like this.
    package static let stranger = ServingAnswer(status: 403)
    /// The server has too much to do.
    package static let overloaded = ServingAnswer(status: 503)
}
