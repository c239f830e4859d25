// What a server remembers of one address: its request budget and its connection attempts.

/// One client address.
package struct ClientAddress: Hashable, Sendable {
    /// The request budget.
    package var budget: AddressBudget
    private let attemptCountMax: Int
    private var attemptsUs: [Int64] = []

    private static let attemptWindowUs: Int64 = 300_000_000

    /// A new address. Spot allows 300 connection attempts in five minutes; no limit is known for futures.
    /// One record may stand for many addresses.
    package init(_ rules: ServingRules, isShared: Bool = false) {
        budget = AddressBudget(rules, isShared: isShared)
        attemptCountMax = rules.attemptCountMax ?? .max
    }

    /// Whether nothing that it did limits it any more.
    func isOver(atUs timeUs: Int64) -> Bool {
        budget.isOver(atUs: timeUs)
            && !attemptsUs.contains { ClientAddress.isRecent($0, atUs: timeUs) }
    }

    /// Whether an attempt still counts. One of the future does not: the clock was set back.
    private static func isRecent(_ attemptUs: Int64, atUs timeUs: Int64) -> Bool {
        attemptUs > timeUs - attemptWindowUs && attemptUs <= timeUs
    }

    /// Counts a connection attempt.
    ///
    /// - Throws: `ConnectionRefusal.tooManyAttempts`; the attempt is then not counted.
    package mutating func attempt(atUs timeUs: Int64) throws(ConnectionRefusal) {
        if attemptCountMax == .max { return }
        attemptsUs.removeAll { !ClientAddress.isRecent($0, atUs: timeUs) }
        if attemptsUs.count >= attemptCountMax {
            throw .tooManyAttempts(retryAtUs: attemptsUs[0] + ClientAddress.attemptWindowUs)
        }
        attemptsUs.append(timeUs)
    }
}
