// What a server remembers of one address: its request budget and its attempts to connect.

/// One client address.
package struct ClientAddress: Hashable, Sendable {
    /// The request budget.
    package var budget: AddressBudget
    private let attemptCountMax: Int
    private var attemptsUs: [Int64] = []

    private static let attemptWindowUs: Int64 = 300_000_000

    /// An address that was never heard of. Spot allows 300 attempts to connect in five minutes; of the
    /// futures no limit is known.
    package init(_ rules: ServingRules) {
        budget = AddressBudget(rules)
        attemptCountMax = rules.attemptCountMax ?? .max
    }

    /// Counts an attempt to connect.
    ///
    /// - Throws: `ConnectionRefusal.tooManyAttempts`; the attempt is then not counted.
    package mutating func attempt(atUs timeUs: Int64) throws(ConnectionRefusal) {
        if attemptCountMax == .max { return }
        attemptsUs.removeAll { $0 <= timeUs - ClientAddress.attemptWindowUs }
        if attemptsUs.count >= attemptCountMax {
            throw .tooManyAttempts(retryAtUs: attemptsUs[0] + ClientAddress.attemptWindowUs)
        }
        attemptsUs.append(timeUs)
    }
}
