// What a server remembers of an address: weights of the minute, limits, bans, attempts to connect.

import BinanceVenue
import MarketData
import Testing

@testable import BinanceServing

private let second: Int64 = 1_000_000

@Test func budgetsEndWithTheMinute() {
    var budget = AddressBudget(ServingRules(.spot))
    let startUs = 60 * second * 1_000_000
    #expect(budget.request(weight: 6_000, atUs: startUs + 15 * second) == .admitted)
    for count in 1...5 {
        #expect(budget.request(weight: 1, atUs: startUs + 15 * second) == .limited(retryAfterSeconds: 45))
        #expect(budget.usedWeight == 6_000 + count)
    }
    #expect(budget.usedWeight(atUs: startUs + 60 * second) == 0)
    var obedient = budget
    #expect(
        obedient.request(weight: 250, atUs: startUs + 60 * second) == .admitted && obedient.usedWeight == 250)
    #expect(budget.request(weight: 1, atUs: startUs + 16 * second) == .banned(retryAfterSeconds: 120))
    #expect(budget.request(weight: 1, atUs: startUs + 135 * second) == .banned(retryAfterSeconds: 1))
    #expect(budget.request(weight: 1, atUs: startUs + 136 * second) == .admitted && budget.banCount == 1)
}

@Test func bansGrow() {
    var budget = AddressBudget(ServingRules(.usdm))
    var timeUs: Int64 = 0
    var bans: [Int] = []
    while bans.count < 8 {
        switch budget.request(weight: 2_401, atUs: timeUs) {
        case .admitted: Issue.record("2401 fit into 2400")
        case .limited(let seconds): #expect(seconds <= 60)
        case .banned(let seconds):
            bans.append(seconds)
            timeUs += Int64(seconds) * 1_000_000
        }
    }
    #expect(bans == [120, 360, 1_080, 3_240, 9_720, 29_160, 87_480, 259_200])
}

@Test func attemptsAreCounted() throws {
    var spot = ClientAddress(ServingRules(.spot))
    for count in 0..<300 { try spot.attempt(atUs: Int64(count)) }
    #expect(throws: ConnectionRefusal.tooManyAttempts(retryAtUs: 300 * second)) {
        try spot.attempt(atUs: 300 * second - 1)
    }
    try spot.attempt(atUs: 300 * second)
    #expect(throws: ConnectionRefusal.tooManyAttempts(retryAtUs: 300 * second + 1)) {
        try spot.attempt(atUs: 300 * second)
    }
    var futures = ClientAddress(ServingRules(.coinm))
    for _ in 0..<1_000 { try futures.attempt(atUs: 0) }
}
