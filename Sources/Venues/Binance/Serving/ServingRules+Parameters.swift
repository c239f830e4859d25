// Request parameters and their checks. Spot refuses unknown parameters and lower-case symbols; futures ignore
// the former and accept the latter.

import MarketData

extension ServingRules {
    /// Spot answers only if it knows every parameter.
    func allow(_ names: Set<String>, of target: RequestTarget) throws(RestRefusal) {
        if market != .spot { return }
        let read = target.parameters.count { names.contains($0.name) }
        if read < target.parameters.count {
            throw .unread(readCount: read, of: target.parameters.count)
        }
    }

    func exchangeInfo(_ target: RequestTarget) throws(RestRefusal) -> RestRequest {
        if market != .spot { return .exchangeInfo(nil) }
        try allow(["symbol", "symbols", "permissions", "showPermissionSets", "symbolStatus"], of: target)
        let (names, status) = (try symbols(target), try status(target))
        if names != nil && status != nil { throw .badCombination }
        return .exchangeInfo(names, status: status)
    }

    func bookTicker(_ target: RequestTarget) throws(RestRefusal) -> RestRequest {
        try allow(["symbol", "symbols", "symbolStatus"], of: target)
        if market == .spot && target.value("symbols") != nil {
            return .bookTickers(try symbols(target), status: try status(target))
        }
        let pair = market == .coinm ? target.value("pair") : nil
        switch (target.value("symbol"), pair) {
        case (nil, nil): return .bookTickers(nil, status: try status(target))
        case (.some, .some): throw .badCombination
        case (let text?, nil): return .bookTicker(try symbol(text), status: try status(target))
        case (nil, let text?):
            if text.isEmpty { throw .missing("pair") }
            return .bookTickersOfPair(ServingRules.upper(text))
        }
    }

    func depth(_ target: RequestTarget) throws(RestRefusal) -> RestRequest {
        try allow(["symbol", "limit", "symbolStatus"], of: target)
        guard let text = target.value("symbol"), !text.isEmpty else { throw .missing("symbol") }
        let name = try symbol(text)
        let status = try status(target)
        guard let limitText = target.value("limit") else { return .depth(name, limit: nil, status: status) }
        guard !limitText.isEmpty, limitText.utf8.count <= 20,
            limitText.utf8.allSatisfy({ $0 &- 0x30 <= 9 })
        else { throw .illegal("limit", legal: "^[0-9]{1,20}$") }
        let limit = Int(limitText) ?? .max
        let request = RestRequest.depth(name, limit: limit, status: status)
        if depthLimits?.contains(limit) ?? (limit >= 1) { return request }
        throw .badLimit(limit, weight: weight(of: request))
    }

    /// The symbols in `symbol` or `symbols`; nil if the request names none.
    private func symbols(_ target: RequestTarget) throws(RestRefusal) -> [SymbolName]? {
        switch (target.value("symbol"), target.value("symbols")) {
        case (nil, nil): return nil
        case (.some, .some): throw .badCombination
        case (let one?, nil): return [try symbol(one)]
        case (nil, let many?):
            guard let names = namesOfList(many), !names.isEmpty else {
                throw .illegal(
                    "symbols", legal: #"^\[("[\w\-._&&[^a-z]]{1,50}"(,"[\w\-._&&[^a-z]]{1,50}"){0,}){0,1}\]$"#
                )
            }
            var found: [SymbolName] = []
            for name in names { found.append(try symbol(name)) }
            return found
        }
    }

    /// The status asked for, which only spot has.
    private func status(_ target: RequestTarget) throws(RestRefusal) -> TradingStatus? {
        guard market == .spot, let text = target.value("symbolStatus") else { return nil }
        guard let status = TradingStatus(rawValue: text) else { throw .badStatus }
        return status
    }

    private func symbol(_ text: String) throws(RestRefusal) -> SymbolName {
        if text.isEmpty { throw .missing("symbol") }
        if market != .spot {
            guard let name = SymbolName(ServingRules.upper(text)) else { throw .badSymbol }
            return name
        }
        let isLegal = text.utf8.allSatisfy { byte in
            byte >= 0x80 || byte &- 0x30 <= 9 || (byte >= 0x41 && byte <= 0x5A)
                || [0x2D, 0x2E, 0x5F].contains(byte)
        }
        if !isLegal { throw .illegal("symbol", legal: #"^[\w\-._&&[^a-z]]{1,50}$"#) }
        guard let name = SymbolName(text) else { throw .badSymbol }
        return name
    }

    /// ASCII letters in upper case.
    private static func upper(_ text: String) -> String {
        String(decoding: text.utf8.map { $0 >= 0x61 && $0 <= 0x7A ? $0 ^ 0x20 : $0 }, as: UTF8.self)
    }
}
