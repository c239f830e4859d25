// The request weight of one address: clock-aligned minutes, 429, and 418 for clients that ignore it.
//
//     state   | request                                         | answer                        | next
//     --------|-------------------------------------------------|-------------------------------|--------
//     open    | weight fits the minute                          | admitted                      | open
//     open    | weight does not fit                             | 429, until the minute ends    | limited
//     limited | minute is over                                  | as open                       | open
//     limited | fewer than `strikeCountMax` ignored 429s        | 429                           | limited
//     limited | one more                                        | 418, until the ban ends       | banned
//     banned  | ban is not over                                 | 418                           | banned
//     banned  | ban is over                                     | as open                       | open
//
// A refused request's weight counts too. The first ban lasts 2 minutes, each further one three times as long,
// up to three days. A shared budget stays limited instead: it is not one client that ignores its 429s.

/// How a server treats one request.
package enum BudgetVerdict: Hashable, Sendable {
    /// It is answered.
    case admitted
    /// 429 with this `Retry-After`.
    case limited(retryAfterSeconds: Int)
    /// 418 with this `Retry-After`.
    case banned(retryAfterSeconds: Int)
}

/// The request budget of one address and product. USD-M and COIN-M share one.
package struct AddressBudget: Hashable, Sendable {
    /// Weight allowed per minute.
    package let weightMax: Int
    /// Weight used in the current minute.
    package private(set) var usedWeight = 0
    /// How often the address was banned.
    package private(set) var banCount = 0

    private static let minuteUs: Int64 = 60_000_000
    private static let strikeCountMax = 5
    private static let banSecondsMax = 3 * 86_400
    private let isShared: Bool
    private var minute: Int64 = 0
    private var strikes = 0
    private var bannedUntilUs: Int64 = 0

    /// The budget of a market: 6000 for spot, 2400 for the futures together. One that many addresses share
    /// is never banned.
    package init(_ rules: ServingRules, isShared: Bool = false) {
        weightMax = rules.weightMax
        self.isShared = isShared
    }

    /// Judges a request of this weight.
    package mutating func request(weight: Int, atUs timeUs: Int64) -> BudgetVerdict {
        if timeUs < bannedUntilUs {
            return .banned(retryAfterSeconds: AddressBudget.seconds(bannedUntilUs - timeUs))
        }
        count(weight: weight, atUs: timeUs)
        if usedWeight <= weightMax { return .admitted }
        if !isShared { strikes += 1 }
        if strikes <= AddressBudget.strikeCountMax {
            return .limited(
                retryAfterSeconds: AddressBudget.seconds((minute + 1) * AddressBudget.minuteUs - timeUs))
        }
        var seconds = 120
        for _ in 0..<min(banCount, 8) { seconds = min(3 * seconds, AddressBudget.banSecondsMax) }
        banCount += 1
        bannedUntilUs = timeUs + Int64(seconds) * 1_000_000
        return .banned(retryAfterSeconds: seconds)
    }

    /// Counts a request of this weight and no more: where weights are not limited nobody is banned.
    package mutating func count(weight: Int, atUs timeUs: Int64) {
        let now = timeUs / AddressBudget.minuteUs
        if now != minute {
            minute = now
            usedWeight = 0
            strikes = 0
        }
        usedWeight += weight
    }

    /// Weight used in the minute of this time.
    package func usedWeight(atUs timeUs: Int64) -> Int {
        timeUs / AddressBudget.minuteUs == minute ? usedWeight : 0
    }

    /// Whether neither a ban nor the minute of its last request lasts. A minute that has yet to come is none:
    /// the clock was set back.
    func isOver(atUs timeUs: Int64) -> Bool {
        timeUs >= bannedUntilUs && timeUs / AddressBudget.minuteUs != minute
    }

    private static func seconds(_ us: Int64) -> Int { Int((us + 999_999) / 1_000_000) }
}
