// A book as `/v1/books/{symbol}` of a server returns it.

/// The answer of a server.
struct WatchedBook: Decodable, Equatable {
    struct Levels: Decodable, Equatable {
        var levels: [[String]]?

        /// Price and quantity of a level; nil if there is none.
        subscript(_ rank: Int) -> (price: String, quantity: String)? {
            guard let levels, levels.indices.contains(rank), levels[rank].count == 2 else { return nil }
            return (levels[rank][0], levels[rank][1])
        }
    }

    var symbol: String
    var state: String
    var reason: String?
    var isServed: Bool
    var lastUpdateId: Int?
    var bids: Levels
    var asks: Levels

    /// Whether both show the same best prices in the same state.
    func looksLike(_ other: WatchedBook) -> Bool {
        state == other.state && reason == other.reason && isServed == other.isServed
            && bids.levels?.first == other.bids.levels?.first
            && asks.levels?.first == other.asks.levels?.first
    }

    /// State and reason in a word or two.
    var stateText: String {
        if state == "live" && !isServed { return "live, being bridged" }
        return reason.map { "\(state), \($0)" } ?? state
    }

    /// One line: state, update id and the best levels.
    var line: String {
        func text(_ level: (price: String, quantity: String)?) -> String {
            level.map { "\($0.price) x \($0.quantity)" } ?? "-"
        }
        let id = lastUpdateId.map { "\($0)" } ?? "-"
        return "\(symbol)  \(stateText)  \(id)  \(text(bids[0])) | \(text(asks[0]))"
    }
}

/// Why a server refused, in the form of RFC 9457.
struct ServerRefusal: Decodable {
    var detail: String
}
