// Analytics of a book as shown by `/v1`: exact sums over the known levels, and fractions rounded once, half
// to even, to the decimals stated here.
//
//     spread                     price decimals, exact
//     mid                        price decimals and one, exact
//     microprice, averagePrice   price decimals and four
//     imbalance                  six
//     notional                   price decimals and quantity decimals, exact

import DepthBook
import MarketData

/// The answers to a query about one book. A book that may not be shown answers null.
struct AnalyticsDocument {
    private let served: ServedBook
    private let analysis: APIRequest.Analysis
    /// Nil if the book may not be shown.
    private let scales: SymbolScales?

    init(_ document: BookDocument, _ analysis: APIRequest.Analysis) {
        (served, self.analysis) = (document.served, analysis)
        scales = document.standing.isServed ? document.served.book.scales : nil
    }

    /// Writes all of it.
    ///
    /// - Throws: if a decimal has more digits than the book's numbers.
    func write(_ json: inout JSONWriter) throws(APIProblem) {
        prices(&json)
        let quantity = try read("quantity", analysis.quantity) { text, scales in try? scales.quantity(text) }
        let price = try read("price", analysis.price) { text, scales in try? scales.price(text) }
        let notional = try read("notional", analysis.notional) { text, scales in
            WideDecimal(text, decimals: AnalyticsDocument.notionalDecimals(scales))
        }
        fills(&json, "quantity", analysis.quantity) { side in
            quantity.map { served.book.fill($0, from: side) }
        }
        fills(&json, "notional", analysis.notional) { side in
            notional.map { served.book.fill(notional: $0.mantissa, from: side) }
        }
        sums(&json, "price", analysis.price) { side in
            price.map { served.book.available(side, within: $0) }
        }
        let basisPoints = analysis.basisPoints
        sums(&json, "basisPoints", basisPoints.map { "\($0)" }) { side in
            guard scales != nil, let basisPoints else { return nil }
            return served.book.available(side, withinBasisPoints: UInt32(basisPoints))
        }
    }

    private static func notionalDecimals(_ scales: SymbolScales) -> Int {
        Int(scales.priceDecimals) + Int(scales.quantityDecimals)
    }

    private func read<Value>(
        _ name: String, _ text: String?, _ parse: (String, SymbolScales) -> Value?
    ) throws(APIProblem) -> Value? {
        guard let text, let scales else { return nil }
        guard let value = parse(text, scales) else {
            throw .badParameter(name, "a decimal with no more digits than those of the symbol")
        }
        return value
    }

    private func prices(_ json: inout JSONWriter) {
        let book: ServedBook? = scales == nil ? nil : served
        json.level("bid", book?.book.best(.bid), scales)
        json.level("ask", book?.book.best(.ask), scales)
        json.member("spread", book?.book.spread.flatMap { spread in scales?.text(spread) })
        json.member("mid", text(book?.book.mid, 1))
        json.member("microprice", text(book?.book.microprice, 4))
        json.object("imbalance") { json in
            json.member("levels", analysis.levelCount)
            let ratio = book?.book.imbalance(levelCount: analysis.levelCount)
            let rounded = ratio?.rounded(decimals: 6, .toNearestOrEven)
            json.member("value", rounded.map { "\(WideDecimal($0, decimals: 6))" })
            for side in Side.allCases {
                sum(
                    &json, side == .bid ? "bids" : "asks",
                    book?.book.cumulative(side, levelCount: analysis.levelCount))
            }
        }
    }

    /// A price with further decimals.
    private func text(_ ratio: ExactRatio?, _ further: Int) -> String? {
        guard let ratio, let scales, let rounded = ratio.rounded(decimals: further, .toNearestOrEven) else {
            return nil
        }
        return "\(WideDecimal(rounded, decimals: Int(scales.priceDecimals) + further))"
    }

    /// What an order of this size would get at once; nothing if not requested.
    private func fills(
        _ json: inout JSONWriter, _ name: String, _ asked: String?, _ answer: (Side) -> DepthFill?
    ) {
        guard let asked else { return }
        json.object(name) { json in
            json.member("asked", asked)
            for side in [Side.ask, .bid] {
                let key = side == .ask ? "buy" : "sell"
                switch answer(side) {
                case nil: json.nothing(key)
                case .whole(let found): sum(&json, key, found, isFilled: true)
                case .part(let found): sum(&json, key, found, isFilled: false)
                }
            }
        }
    }

    /// The book's contents up to a bound; nothing if not requested.
    private func sums(
        _ json: inout JSONWriter, _ name: String, _ asked: String?, _ answer: (Side) -> DepthSum?
    ) {
        guard let asked else { return }
        json.object(name) { json in
            json.member("asked", asked)
            for side in Side.allCases { sum(&json, side == .bid ? "bids" : "asks", answer(side)) }
        }
    }

    /// - Parameter isFilled: whether everything requested is there; nil if nothing is to be filled.
    private func sum(
        _ json: inout JSONWriter, _ key: String, _ sum: DepthSum?, isFilled: Bool? = nil
    ) {
        guard let sum, let scales else { return json.nothing(key) }
        json.object(key) { json in
            json.member("complete", sum.isExact)
            if let isFilled { json.member("isFilled", isFilled) }
            json.member("levels", sum.levelCount)
            json.member("quantity", "\(WideDecimal(sum.quantity, decimals: Int(scales.quantityDecimals)))")
            let decimals = AnalyticsDocument.notionalDecimals(scales)
            json.member("notional", "\(WideDecimal(sum.notional, decimals: decimals))")
            json.member("averagePrice", text(sum.averagePrice, 4))
            json.member("worstPrice", sum.worst.map { scales.text($0) })
        }
    }
}
