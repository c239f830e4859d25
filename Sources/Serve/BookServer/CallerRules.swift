// Access by what a browser says about the requesting page. A page of another site must not read a local
// server, neither directly nor under a name of its own that it points here (DNS rebinding).
//
//     header   | value                                               | answer
//     ---------|-----------------------------------------------------|----------
//     Host     | loopback, or the listening address                  | admitted
//     Host     | none                                                | admitted
//     Host     | any numeric address, if listening on all addresses  | admitted
//     Host     | anything, with TLS or if tokens are required        | admitted
//     Host     | anything else                                       | 403
//     Origin   | none: not a page                                    | admitted
//     Origin   | a page of loopback or of the listening address      | admitted
//     Origin   | anything else                                       | 403
//     Fetch    | cross-site without an origin, but not a navigation  | 403
//
// Fetch stands for `Sec-Fetch-Site` and `Sec-Fetch-Dest`, by which browsers tell where a request comes from
// that has no origin, such as that for a picture. Those must not use up the pace of this machine's bots.
//
// A server cannot know its names. No site can make a numeric address point here, none has a token, and none
// has a name that this server's certificate proves; any other name may be that of a page that has moved its
// own name here.

/// Requirements on a request's headers.
struct CallerRules {
    /// The listening address; nil for all.
    let address: String?
    /// Whether a page that has moved its name here gets nothing anyway: requests must carry a token, or a
    /// certificate proves the server's names.
    let isProtected: Bool

    init(_ options: BookServer.Options) {
        address = options.address
        isProtected = !options.tokens.isEmpty || options.tls != nil
    }

    /// Whether a request with these headers is admitted.
    ///
    /// - Parameter fetch: the values of `Sec-Fetch-Site` and `Sec-Fetch-Dest`.
    func admits(host: String?, origin: String?, fetch: (site: String?, goal: String?) = (nil, nil)) -> Bool {
        if let host, !isNamed(CallerRules.name(host)) { return false }
        guard let origin else { return fetch.site != "cross-site" || fetch.goal == "document" }
        guard let scheme = origin.firstRange(of: "://") else { return false }
        return isOwn(CallerRules.name(String(origin[scheme.upperBound...])))
    }

    private func isNamed(_ name: String) -> Bool {
        if isProtected || isOwn(name) { return true }
        return address == nil && (name.contains(":") || CallerRules.numbers(name) != nil)
    }

    private func isOwn(_ name: String) -> Bool {
        name == "localhost" || name == "::1" || name == address || CallerRules.numbers(name)?.first == 127
    }

    /// The four numbers of an IPv4 address; nil if it is not one.
    private static func numbers(_ name: String) -> [UInt8]? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { UInt8($0) }
        return parts.count == 4 && numbers.count == 4 ? numbers : nil
    }

    /// The name in `name:port`, in lower case; a numeric IPv6 address without its brackets.
    private static func name(_ host: String) -> String {
        let host = host.lowercased()
        if host.hasPrefix("[") { return String(host.dropFirst().prefix { $0 != "]" }) }
        return String(host.prefix { $0 != ":" })
    }
}
