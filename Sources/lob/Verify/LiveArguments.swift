// Which live book is compared with which venue.

import ArgumentParser
import BinanceVenue
import LobTransport
import MarketData

/// Arguments of `lob verify --live`.
struct LiveArguments: ParsableArguments {
    @Option(help: ArgumentHelp("Compare this symbol's served book with the venue's.", valueName: "symbol"))
    var live: String?

    @Option(help: ArgumentHelp("With --live: address of the server.", valueName: "host:port"))
    var server = "127.0.0.1:9443"

    @Option(help: "Market of captures, or of the server of --live: auto (there spot), spot, usdm or coinm.")
    var market = MarketArgument.auto

    @Option(help: "With --live: the venue's environment: production, dataOnly, testnet or demo.")
    var environment = VenueEnvironment.production

    @Option(help: ArgumentHelp("With --live: send the venue's requests here instead.", valueName: "url"))
    var restUrl: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("With --live: levels per side.", valueName: "n"))
    var depth = 1_000

    @Option(parsing: .unconditional, help: ArgumentHelp("With --live: wait this long.", valueName: "s"))
    var wait = 30.0

    @Option(
        help: ArgumentHelp(
            "With --live: a file whose first word is the token that the server asks for.", valueName: "file"))
    var token: String?

    @Option(
        help: ArgumentHelp(
            "With --live: PEM file of the authorities to trust instead of the system's, the venue's as well.",
            valueName: "file"))
    var ca: String?

    func validate() throws { _ = try verification() }

    /// What to compare; nil if nothing live was asked for.
    func verification() throws -> LiveVerification? {
        guard let live else {
            if token != nil || ca != nil { throw ValidationError("--token and --ca are for --live.") }
            return nil
        }
        guard let symbol = SymbolName(argument: live) else {
            throw ValidationError("\(live): no symbol has such a name.")
        }
        if !(16...5000).contains(depth) { throw ValidationError("--depth must be 16 … 5000.") }
        if !(wait > 0 && wait <= 1e6) { throw ValidationError("--wait must be above 0 and at most 1000000.") }
        let market = market.market ?? .spot
        guard var venue = Endpoints(market: market, environment: environment) else {
            throw ValidationError("\(market.name) has no environment \(environment.rawValue).")
        }
        if let restUrl { venue.restBase = try LiveArguments.base(restUrl, "--rest-url") }
        let base = try LiveArguments.base(server, "--server")
        let served = Endpoints(
            market: market, streamBase: "ws" + base.dropFirst("http".count), restBase: base)
        if let ca, contents(ofFile: ca, bytesMax: 1 << 24) == nil {
            throw ValidationError("--ca \(ca): cannot be read.")
        }
        return LiveVerification(
            symbol: symbol, server: served, venue: venue, depth: depth, limit: wait,
            token: try token.map(LiveArguments.token), authorityPath: ca)
    }

    /// The first word of a file.
    private static func token(of path: String) throws -> String {
        guard let bytes = contents(ofFile: path, bytesMax: 1 << 16) else {
            throw ValidationError("--token \(path): cannot be read.")
        }
        let word = String(decoding: bytes, as: UTF8.self).split { $0.isWhitespace }.first
        guard let word, HTTPHeader("Authorization", "Bearer \(word)") != nil else {
            throw ValidationError("--token \(path): no token in it.")
        }
        return String(word)
    }

    /// Scheme, host and port, without a trailing slash.
    private static func base(_ text: String, _ option: String) throws -> String {
        let url = text.contains("://") ? text : "http://\(text)"
        if !url.hasPrefix("http://") && !url.hasPrefix("https://") {
            throw ValidationError("\(option) \(text): begins with neither http:// nor https://.")
        }
        do throws(TransportError) {
            _ = try ServiceURL(url)
        } catch {
            throw ValidationError("\(option) \(text): \(error).")
        }
        return url.hasSuffix("/") ? String(url.dropLast()) : url
    }
}
