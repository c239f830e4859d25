// Where a WebSocket client connects to: which streams, in which shape.
//
//     path                        market        streams
//     ----------------------------|-------------|------------------------------------------
//     /ws[/<stream>[/<stream>…]]  all           bare
//     /stream[?streams=<s>/<s>…]  all           wrapped
//     /public/…                   USD-M         the same two forms
//     /market/…, /private/…       USD-M         accepted; the streams of books stay silent there
//
// `timeUnit=MICROSECOND` in the query asks for times in µs, on spot. Any other path is no service.

/// The streams that the target of an upgrade names.
package struct StreamTarget: Hashable, Sendable {
    /// Names of the streams, as the client wrote them.
    package var names: [String] = []
    /// Whether messages come in the wrapper.
    package var isCombined: Bool
    /// Whether times are in µs instead of ms.
    package var isMicroseconds = false
    /// Whether streams of books stay silent on this path.
    package var isDeaf = false

    /// Nil if the path is no service of the market; `ServingAnswer.noService` says so.
    package init?(_ target: RequestTarget, _ rules: ServingRules) {
        var parts = target.path.split(separator: "/")
        if rules.market == .usdm, let first = parts.first, ["public", "market", "private"].contains(first) {
            isDeaf = first != "public"
            parts.removeFirst()
        }
        switch parts.first {
        case "ws":
            isCombined = false
            names = parts.dropFirst().map(String.init)
        case "stream" where parts.count == 1:
            isCombined = true
            let streams = target.value("streams") ?? ""
            names = streams.split(separator: "/").map(String.init)
        default: return nil
        }
        isMicroseconds = rules.asksForMicroseconds(target.value("timeUnit"))
    }
}
