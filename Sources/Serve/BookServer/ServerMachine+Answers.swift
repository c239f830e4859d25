// What is answered: books, best prices and properties, as they are now.

import BinanceServing
import BinanceVenue
import DepthBook
import MarketData

extension ServerMachine {
    /// Says why a book is stale, in answers that show it anyway.
    private static let staleHeader = "X-Lob-Stale"

    /// The answer to an admitted request.
    func answer(
        _ request: RestRequest, of caller: Caller, atUs timeUs: Int64, isMicroseconds: Bool
    ) throws(RestRefusal) -> RestAnswer {
        switch request {
        case .ping: return RestAnswer("{}")
        case .time: return RestAnswer(rules.timeBody(atUs: timeUs, isMicroseconds: isMicroseconds))
        case .exchangeInfo(let names, let status):
            let listed = try names.map { (names) throws(RestRefusal) in try indexed(names) }
            let indices = (listed ?? Array(places.indices)).filter { has(status, $0) }
            if !texts.members.isEmpty {
                return RestAnswer(
                    rules.exchangeInfoBody(
                        as: texts, symbols: indices.map(words), atUs: timeUs,
                        isMicroseconds: isMicroseconds))
            }
            return RestAnswer(
                rules.exchangeInfoBody(
                    symbols: indices.map(listing), marginAssets: [], atUs: timeUs,
                    isMicroseconds: isMicroseconds))
        case .depth(let name, let limit, let status):
            try check(status, of: name)
            return try depth(name, rules.levelCount(of: limit), caller)
        case .bookTicker(let name, let status):
            try check(status, of: name)
            return RestAnswer(rules.bookTickerBody(try best(try index(of: name))))
        case .bookTickers(let names?, let status):
            var parts: [String] = []
            for index in try indexed(names) where has(status, index) { parts.append(try best(index)) }
            return RestAnswer("[" + parts.joined(separator: ",") + "]")
        case .bookTickers(nil, let status): return bests(of: places.indices.filter { has(status, $0) })
        case .bookTickersOfPair(let pair):
            let ofPair = places.indices.filter { ServingRules.pair(of: symbol($0)) == pair }
            if ofPair.isEmpty { throw .badSymbol }
            return bests(of: ofPair)
        }
    }

    /// The best prices of those of these symbols that can be shown now.
    private func bests(of indices: [Int]) -> RestAnswer {
        let parts = indices.compactMap { try? best($0) }
        return RestAnswer("[" + parts.joined(separator: ",") + "]")
    }

    private func depth(
        _ name: SymbolName, _ levelCount: Int, _ caller: Caller
    ) throws(RestRefusal) -> RestAnswer {
        let index = try index(of: name)
        let why = refusal(of: index)
        // A stale book that does not say so would be taken for a live one.
        let showsStale = options.servesStale && caller.readsHeaders
        if let why, !showsStale || book(index).state == .empty { throw .notServed(why) }
        let key = DepthAnswers.Key(index: index, levelCount: levelCount, version: book(index).version)
        guard let known = depthAnswers.answer(to: key) ?? makeDepth(key) else {
            throw .notServed("the book has no levels")
        }
        var answer = RestAnswer(known.body)
        if let why { answer.headers.append((ServerMachine.staleHeader, why)) }
        if known.cut < levelCount {
            answer.depthLimit = known.cut
            answer.headers.append((ServerMachine.depthLimitHeader, "\(known.cut)"))
        }
        return answer
    }

    private func makeDepth(_ key: DepthAnswers.Key) -> DepthAnswers.Answer? {
        let cut = book(key.index).answer(&snapshot, limit: key.levelCount)
        guard let body = encoded({ (encoder) throws(EncoderError) in try encoder.append(snapshot) }) else {
            return nil
        }
        let answer = DepthAnswers.Answer(body: body, cut: cut)
        depthAnswers.keep(answer, to: key)
        return answer
    }

    private func best(_ index: Int) throws(RestRefusal) -> String {
        if let why = refusal(of: index) { throw .notServed(why) }
        book(index).fill(&snapshot, limit: 1)
        return rules.bestPrices(of: snapshot)
    }

    /// Whether a symbol has a status; without the venue's list all are taken to be trading.
    private func has(_ status: TradingStatus?, _ index: Int) -> Bool {
        guard let status else { return true }
        return status.rawValue == facts[symbol(index)]?.status ?? TradingStatus.trading.rawValue
    }

    private func check(_ status: TradingStatus?, of name: SymbolName) throws(RestRefusal) {
        if !has(status, try index(of: name)) { throw .otherStatus }
    }

    private func symbol(_ index: Int) -> SymbolName {
        let (shard, slot) = places[index]
        return shards[shard].symbols[slot]
    }

    private func index(of name: SymbolName) throws(RestRefusal) -> Int {
        guard let index = indices[name] else { throw .badSymbol }
        return index
    }

    /// Indices without duplicates, in order of first mention.
    private func indexed(_ names: [SymbolName]) throws(RestRefusal) -> [Int] {
        var (found, seen): ([Int], Set<Int>) = ([], [])
        for name in names {
            let index = try index(of: name)
            if seen.insert(index).inserted { found.append(index) }
        }
        return found
    }

    /// A symbol's object in `exchangeInfo`: the venue's own, or generated.
    private func words(_ index: Int) -> [UInt8] {
        texts.symbols[symbol(index)] ?? Array(listing(index).utf8)
    }

    /// The object generated from what is known.
    private func listing(_ index: Int) -> String {
        let symbol = symbol(index)
        let known = facts[symbol]
        var filters: [String] = []
        if let tick = known?.tickSize {
            filters.append("{\"filterType\":\"PRICE_FILTER\",\"tickSize\":\"\(tick)\"}")
        }
        if let step = known?.stepSize {
            filters.append("{\"filterType\":\"LOT_SIZE\",\"stepSize\":\"\(step)\"}")
        }
        var text = "{\"symbol\":\"\(symbol)\""
        if let known, !known.baseAsset.isEmpty { text += ",\"baseAsset\":\"\(known.baseAsset)\"" }
        if let known, !known.quoteAsset.isEmpty { text += ",\"quoteAsset\":\"\(known.quoteAsset)\"" }
        if let kind = known?.contractType { text += ",\"contractType\":\"\(kind)\"" }
        if let known, rules.market != .spot {
            // Positions are held in the quote asset, on COIN-M in the base asset.
            let margin = rules.market == .coinm ? known.baseAsset : known.quoteAsset
            text += ",\"pair\":\"\(ServingRules.pair(of: symbol))\",\"marginAsset\":\"\(margin)\""
        }
        let status = rules.market == .coinm ? "contractStatus" : "status"
        text += ",\"\(status)\":\"\(known?.status ?? "TRADING")\""
        return text + ",\"filters\":[\(filters.joined(separator: ","))]}"
    }
}
