// Who may ask, by what a browser says of the page that asks. A page of another site must not read a local
// server, neither directly nor under a name of its own that it lets point here.
//
//     header   | value                                   | answer
//     ---------|-----------------------------------------|----------
//     Host     | loopback, or the address listened on    | goes on
//     Host     | none                                    | goes on
//     Host     | anything else                           | 403
//     Origin   | none: no page asks                      | goes on
//     Origin   | a page of a host that may be asked for  | goes on
//     Origin   | anything else                           | 403
//
// A server that listens on every address cannot know its names, so only `Origin` counts there.

/// What is demanded of the headers of a request.
struct CallerRules {
    /// The address listened on; nil is every one.
    let address: String?

    /// Whether a request with these headers is answered.
    func admits(host: String?, origin: String?) -> Bool {
        if let host, address != nil, !isOwn(CallerRules.name(host)) { return false }
        guard let origin else { return true }
        guard let scheme = origin.firstRange(of: "://") else { return false }
        return isOwn(CallerRules.name(String(origin[scheme.upperBound...])))
    }

    private func isOwn(_ name: String) -> Bool {
        if name == "localhost" || name == "::1" || name == address { return true }
        let numbers = name.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return numbers.count == 4 && numbers[0] == 127 && !numbers.contains(nil)
    }

    /// The name of `name:port`, in lower case; of a numeric IPv6 address without its brackets.
    private static func name(_ host: String) -> String {
        let host = host.lowercased()
        if host.hasPrefix("[") { return String(host.dropFirst().prefix { $0 != "]" }) }
        return String(host.prefix { $0 != ":" })
    }
}
