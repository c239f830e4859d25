// The target of a WebSocket client: which streams, in which form.
//
//     path                        market        streams
//     ----------------------------|-------------|------------------------------------------
//     /ws[/<stream>[/<stream>…]]  all           bare
//     /stream[?streams=<s>/<s>…]  all           wrapped
//     /public/…                   USD-M         the same two forms
//     /market/…, /private/…       USD-M         accepted; the streams of books stay silent there
//
// `timeUnit=MICROSECOND` in the query requests times in µs, on spot. Any other path is not served.

/// The streams named by the target of an upgrade.
package struct StreamTarget: Hashable, Sendable {
    /// Names of the streams, as the client wrote them.
    package var names: [String] = []
    /// Whether messages are wrapped.
    package var isCombined: Bool
    /// Whether times are in µs instead of ms.
    package var isMicroseconds = false
    /// Whether book streams stay silent on this path.
    package var isDeaf = false

    /// Nil if the market does not serve the path; answer with `ServingAnswer.noService`.
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
