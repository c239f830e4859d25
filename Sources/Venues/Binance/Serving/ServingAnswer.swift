// Answers to requests that are neither answered nor refused in the words of an endpoint.

/// An HTTP answer with a JSON body.
public struct ServingAnswer: Sendable {
    /// HTTP status.
    public var status: Int
    /// Headers beside those of its type and length.
    public var headers: [(name: String, value: String)] = []
    /// The body.
    public var json = "{}"

    /// No WebSocket service at this path.
    public static let noService = ServingAnswer(status: 404)
    /// The request comes from a page of elsewhere; what stands in front of the venue refuses like this.
    public static let stranger = ServingAnswer(status: 403)
    /// The server has too much to do.
    public static let overloaded = ServingAnswer(status: 503)
}
