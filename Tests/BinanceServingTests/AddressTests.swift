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

/// What is only counted stays countable, however much it is, and is over with its minute.
@Test func unlimitedWeightsAreCounted() {
    var budget = AddressBudget(ServingRules(.spot))
    for number in 1...100 {
        budget.count(weight: 250, atUs: Int64(number))
        #expect(budget.usedWeight(atUs: Int64(number)) == 250 * number)
    }
    #expect(budget.banCount == 0)
    #expect(!budget.isOver(atUs: 59 * second) && budget.isOver(atUs: 60 * second))
    budget.count(weight: 7, atUs: 60 * second)
    #expect(budget.usedWeight(atUs: 60 * second) == 7)
    // No former weight makes the first limited request a strike.
    #expect(budget.request(weight: 1, atUs: 120 * second) == .admitted)
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
    // Those of the future are of a clock that was set back since.
    try spot.attempt(atUs: 0)
    var futures = ClientAddress(ServingRules(.coinm))
    for _ in 0..<1_000 { try futures.attempt(atUs: 0) }
}

/// A full book forgets whoever is free again, and nobody else; the rest share an entry.
@Test func addressesAreForgotten() {
    let book = AddressBook(countMax: 4, sharedCount: 1)
    let charge = { (address: String, market: Market, weight: Int, timeUs: Int64) in
        _ = book[address, market, atUs: timeUs].budget.request(weight: weight, atUs: timeUs)
    }
    let used = { (address: String, timeUs: Int64) in
        book[address, .spot, atUs: timeUs].budget.usedWeight(atUs: timeUs)
    }
    let startUs = 60 * second * 1_000_000
    charge("idle", .spot, 7, startUs)
    for _ in 0..<7 { charge("banned", .spot, 6_001, startUs) }
    try? book["connected", .spot, atUs: startUs].attempt(atUs: startUs)
    charge("busy", .spot, 5, startUs + 59 * second)
    charge("new", .spot, 11, startUs + 59 * second)
    #expect(book.count == 5 && used("new", startUs + 59 * second) == 11)
    #expect(used("newer", startUs + 59 * second) == 11, "they share one")
    // The minute is over for all, the ban and the attempt are not.
    let laterUs = startUs + 61 * second
    charge("new", .spot, 13, laterUs)
    #expect(used("new", laterUs) == 13 && used("newer", laterUs) == 0)
    #expect(book["banned", .spot, atUs: laterUs].budget.banCount == 1 && book.count == 3)
    #expect(book["connected", .spot, atUs: laterUs] != ClientAddress(ServingRules(.spot)))
    // Gone through once a second.
    for number in 0..<9 { charge("\(number)", .usdm, 1, laterUs) }
    #expect(book.count == 5)
    let farUs = startUs + 400 * second
    charge("0", .spot, 1, farUs)
    for number in 1..<4 { charge("\(number)", .spot, 1, farUs + 2 * second) }
    #expect(book.count == 4)
    // A clock that was set back does not keep it full.
    charge("back", .spot, 3, startUs)
    #expect(book.count == 1 && used("back", startUs) == 3)
}

/// Who finds the book full shares limits, but no ban, and not with everybody.
@Test func sharedEntriesAreNotBanned() {
    let book = AddressBook(countMax: 0)
    let startUs = 60 * second * 1_000_000
    for _ in 0..<50 {
        let verdict = book["greedy", .spot, atUs: startUs].budget.request(weight: 6_001, atUs: startUs)
        #expect(verdict == .limited(retryAfterSeconds: 60))
    }
    let isFree = { (number: Int) in
        book["\(number)", .spot, atUs: startUs].budget.usedWeight(atUs: startUs) == 0
    }
    #expect((0..<200).count { isFree($0) } > 100)
    let nextUs = startUs + 60 * second
    #expect(book["greedy", .spot, atUs: nextUs].budget.request(weight: 1, atUs: nextUs) == .admitted)
    for number in 0..<1_000 {
        _ = book["\(number)", .spot, atUs: nextUs].budget.request(weight: 1, atUs: nextUs)
    }
    #expect(book.count <= AddressBook.sharedCount)
}
