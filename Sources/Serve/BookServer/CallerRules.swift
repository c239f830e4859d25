// Who may ask, by what a browser says of the page that asks. A page of another site must not read a local
// server, neither directly nor under a name of its own that it lets point here.
//
//     header   | value                                               | answer
//     ---------|-----------------------------------------------------|----------
//     Host     | loopback, or the address listened on                | goes on
//     Host     | none                                                | goes on
//     Host     | any numeric address, where every one is listened on | goes on
//     Host     | any name, where that is so and tokens are asked for | goes on
//     Host     | anything else                                       | 403
//     Origin   | none: no page asks                                  | goes on
//     Origin   | a page of loopback or of the address listened on    | goes on
//     Origin   | anything else                                       | 403
//
// A server that listens on every address cannot know its names. No site can let a numeric address point here,
// and none has a token; a name without one may be that of a page that has moved its own name here.

/// What is demanded of the headers of a request.
struct CallerRules {
    /// The address listened on; nil is every one.
    let address: String?
    /// Whether requests must bring a token.
    var asksForTokens = false

    /// Whether a request with these headers is answered.
    func admits(host: String?, origin: String?) -> Bool {
        if let host, !isNamed(CallerRules.name(host)) { return false }
        guard let origin else { return true }
        guard let scheme = origin.firstRange(of: "://") else { return false }
        return isOwn(CallerRules.name(String(origin[scheme.upperBound...])))
    }

    private func isNamed(_ name: String) -> Bool {
        if isOwn(name) { return true }
        return address == nil && (asksForTokens || name.contains(":") || CallerRules.numbers(name) != nil)
    }

    private func isOwn(_ name: String) -> Bool {
        name == "localhost" || name == "::1" || name == address || CallerRules.numbers(name)?.first == 127
    }

    /// The four numbers of an IPv4 address; nil if it is none.
    private static func numbers(_ name: String) -> [UInt8]? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { UInt8($0) }
        return parts.count == 4 && numbers.count == 4 ? numbers : nil
    }

    /// The name of `name:port`, in lower case; of a numeric IPv6 address without its brackets.
    private static func name(_ host: String) -> String {
        let host = host.lowercased()
        if host.hasPrefix("[") { return String(host.dropFirst().prefix { $0 != "]" }) }
        return String(host.prefix { $0 != ":" })
    }
}
