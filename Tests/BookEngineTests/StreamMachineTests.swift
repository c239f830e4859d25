// The small machines that watch the stream of one symbol, each by its table.

import BinanceVenue
import BookSync
import DepthBook
import MarketData
import Testing

@testable import BookEngine

private let second: Int64 = 1_000_000_000

/// The answer of a mutating call, which `#expect` cannot make itself.
private func says(_ answer: Bool) -> Bool { answer }

@Suite struct StreamMachineTests {
    @Test func anotherConnectionContinuesWhatItHasShownOrNobodyHas() {
        var source = SymbolSource()
        func isContinued(_ id: Int64, trusts: Bool = false) -> Bool {
            source.isContinued(by: 2, at: UpdateID(id), trustsUnseen: trusts)
        }
        source.moved(to: 1, upNs: 0, isSilent: true)
        #expect(source.connection == 1 && source.isSilent)
        source.fellSilent(false)
        #expect(!source.isSilent)
        source.connectionUp()
        #expect(isContinued(5))
        source.heard()
        #expect(!isContinued(5) && isContinued(5, trusts: true))
        source.noted(2, UpdateID(4), nowNs: 10)
        source.noted(2, UpdateID(3), nowNs: 11)
        #expect(isContinued(4) && !isContinued(3) && !isContinued(3, trusts: true))
        source.noted(3, UpdateID(1), nowNs: 12)
        #expect(!isContinued(5))
        source.moved(to: nil, upNs: .min, isSilent: false)
        #expect(source.connection == nil)
    }

    @Test func aStreamThatLeftSomethingOutIsDoubtedUntilItSpeaks() {
        let inForceNs = 20 + SymbolSource.subscribingNs
        let inputs: [(Bool, (inout SymbolSource) -> Void)] = [
            (false, { $0.heard() }),
            (false, { $0.agreed(atNs: .max) }),
            (false, { $0.resubscribed(nowNs: 20, isAnnounced: false) }),
            (true, { $0.ledOn(sentNs: 0) }),
            (true, { $0.settled() }),
            (true, { $0.moved(to: 2, upNs: 0, isSilent: false) }),
            (
                false,
                {
                    $0.resubscribed(nowNs: 20, isAnnounced: false)
                    $0.agreed(atNs: inForceNs - 1)
                }
            ),
            (
                true,
                {
                    $0.resubscribed(nowNs: 20, isAnnounced: false)
                    $0.agreed(atNs: inForceNs)
                }
            ),
            (
                false,
                {
                    $0.resubscribed(nowNs: 20, isAnnounced: false)
                    $0.resubscribed(nowNs: 21, isAnnounced: false)
                    $0.agreed(atNs: inForceNs)
                }
            ),
            (
                false,
                {
                    $0.resubscribed(nowNs: 20, isAnnounced: false)
                    $0.leftOut(nowNs: 30)
                    $0.agreed(atNs: .max)
                }
            ),
        ]
        expect(inputs)
    }

    /// An update that came before the new subscription says nothing of what comes between the two.
    @Test func anUpdateBeforeANewSubscriptionSettlesNothing() {
        let inForceNs = 20 + SymbolSource.subscribingNs
        expect([
            (
                false,
                {
                    $0.resubscribed(nowNs: 20, isAnnounced: false)
                    $0.ledOn(sentNs: inForceNs - 1)
                }
            ),
            (
                true,
                {
                    $0.resubscribed(nowNs: 20, isAnnounced: false)
                    $0.ledOn(sentNs: inForceNs)
                }
            ),
            (
                false,
                {
                    $0.resubscribed(nowNs: 20, isAnnounced: false)
                    $0.subscribedAgain(nowNs: 25)
                    $0.ledOn(sentNs: 24)
                }
            ),
            (
                true,
                {
                    $0.resubscribed(nowNs: 20, isAnnounced: true)
                    $0.subscribedAgain(nowNs: 25)
                    $0.ledOn(sentNs: 25)
                }
            ),
            (
                false,
                {
                    $0.resubscribed(nowNs: 20, isAnnounced: true)
                    $0.ledOn(sentNs: 20 + SymbolSource.announcingNs - 1)
                    $0.agreed(atNs: 20 + SymbolSource.announcingNs - 1)
                }
            ),
            (
                false,
                {
                    $0.ledOn(sentNs: 24)
                    $0.subscribedAgain(nowNs: 25)
                    $0.agreed(atNs: 24 + SymbolSource.snapshotLagNs)
                }
            ),
            (
                true,
                {
                    $0.subscribedAgain(nowNs: 25)
                    $0.agreed(atNs: 25 + SymbolSource.snapshotLagNs)
                }
            ),
        ])
    }

    @Test func aNewSubscriptionIsADoubt() {
        var source = SymbolSource()
        source.resubscribed(nowNs: 10, isAnnounced: false)
        #expect(source.leftOutNs == 10)
    }

    /// What is subscribed again is the newest connection: one that was up by then may have the same hole.
    @Test func aNewSubscriptionIsOfEveryConnectionThatWasUp() {
        expect([
            (
                false,
                {
                    $0.resubscribed(nowNs: 20, isAnnounced: true)
                    $0.moved(to: nil, upNs: .min, isSilent: false)
                    $0.moved(to: 2, upNs: 20, isSilent: false)
                }
            ),
            (
                true,
                {
                    $0.resubscribed(nowNs: 20, isAnnounced: true)
                    $0.moved(to: 2, upNs: 21, isSilent: false)
                }
            ),
        ])
    }

    private func expect(_ inputs: [(Bool, (inout SymbolSource) -> Void)]) {
        for (settles, input) in inputs {
            var source = SymbolSource()
            source.leftOut(nowNs: 9)
            #expect(source.leftOutNs == 9)
            input(&source)
            #expect((source.leftOutNs == nil) == settles)
        }
    }

    /// A new connection ends the patience with a quiet stream, and none with requests that nobody obeyed.
    @Test func patienceIsOfASubscription() {
        let limits = EngineConfiguration(rules: Market.spot.rules)
        func patienceNs(_ inputs: (inout SilenceWatch) -> Void) -> Int64 {
            var silence = SilenceWatch()
            silence.heard(nowNs: second)
            inputs(&silence)
            return silence.dueNs(nowNs: 5 * second, limits) - 5 * second
        }
        let quiet = patienceNs { for _ in 0..<3 { $0.foundQuiet(nowNs: 5 * second) } }
        #expect(quiet == 240 * second)
        let renewed = patienceNs {
            for _ in 0..<3 { $0.foundQuiet(nowNs: 5 * second) }
            $0.subscribed()
        }
        #expect(renewed == 30 * second)
        let requested = patienceNs {
            for _ in 0..<3 { $0.wantedSubscription(nowNs: 5 * second) }
            $0.subscribed()
        }
        #expect(requested == 240 * second)
        let left = patienceNs {
            for _ in 0..<3 { $0.foundQuiet(nowNs: 5 * second) }
            $0.wantedSubscription(nowNs: 5 * second)
            $0.leftBehind(nowNs: 5 * second)
        }
        #expect(left == 60 * second)
    }

    /// Where another connection takes over, the usual pace of the symbol says how long it may be silent.
    @Test(
        arguments: [
            (0, 30 * second), (second / 100, second), (second, 3 * second), (60 * second, 30 * second),
            (Int64.max / 2, 30 * second),
        ] as [(Int64, Int64)])
    func whereAnotherTakesOverItIsSoonChecked(_ intervalNs: Int64, _ patienceNs: Int64) {
        let limits = EngineConfiguration(rules: Market.spot.rules)
        var silence = SilenceWatch()
        silence.heard(nowNs: 1)
        if intervalNs > 0 { silence.heard(nowNs: 1 + intervalNs) }
        silence.takenOver()
        #expect(silence.dueNs(nowNs: 7, limits) - 7 == patienceNs)
        var heard = silence
        heard.heard(nowNs: 7)
        #expect(heard.dueNs(nowNs: 7, limits) - 7 >= 30 * second)
        #expect(silence.isTelling(nowNs: 8, limits) == (intervalNs == 0))
        #expect(silence.isTelling(nowNs: 7 + 30 * second, limits))
        silence.foundQuiet(nowNs: 7)
        #expect(silence.dueNs(nowNs: 7, limits) - 7 == 2 * patienceNs)
        silence.wantedSubscription(nowNs: 7)
        #expect(silence.isTelling(nowNs: 8, limits))
        #expect(silence.dueNs(nowNs: 7, limits) - 7 == 120 * second)
    }

    @Test func aSubscriptionIsRequestedAgainLaterEachTime() {
        let limits = EngineConfiguration(rules: Market.spot.rules)
        var silence = SilenceWatch()
        #expect(silence.subscribableNs(limits) == .min)
        for seconds in [10, 20, 40] as [Int64] {
            silence.wantedSubscription(nowNs: second)
            #expect(silence.subscribableNs(limits) == (1 + seconds) * second)
        }
        silence.foundQuiet(nowNs: second)
        #expect(silence.subscribableNs(limits) == 41 * second)
        // Accepted and dead, while the venue moves on.
        silence.leftBehind(nowNs: second)
        #expect(silence.subscribableNs(limits) == 41 * second)
        // Delivering, but perhaps too late to be of use.
        silence.heard(nowNs: second)
        #expect(silence.subscribableNs(limits) == 41 * second)
        silence.lasted(nowNs: second)
        #expect(silence.subscribableNs(limits) == 11 * second)
        silence.lasted(nowNs: 2 * second)
        #expect(silence.subscribableNs(limits) == 6 * second)
    }

    @Test func whatAStreamCameBackFromIsNoEvidence() {
        var ahead = AheadEvidence()
        #expect(!says(ahead.cameBack(to: UpdateID(1), seenBeforeNs: .max)))
        ahead.note(UpdateID(10), nowNs: 100)
        #expect(!says(ahead.cameBack(to: UpdateID(10), seenBeforeNs: 101)))
        #expect(!says(ahead.cameBack(to: UpdateID(9), seenBeforeNs: 100)))
        ahead.note(UpdateID(12), nowNs: 200)
        #expect(says(ahead.cameBack(to: UpdateID(9), seenBeforeNs: 150)))
        #expect(ahead.oldestID == UpdateID(12) && ahead.sinceNs == 200)
        #expect(says(ahead.cameBack(to: UpdateID(9), seenBeforeNs: 201)))
        #expect(ahead.oldestID == nil)
        // What comes now counts again, however low.
        ahead.note(UpdateID(11), nowNs: 300)
        #expect(ahead.oldestID == UpdateID(11))
    }
}
