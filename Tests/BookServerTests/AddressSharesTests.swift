// Who holds how much, by owner of the address.

import LobTransport
import Testing

@testable import BookServer

@Suite struct AddressSharesTests {
    @Test func aShareIsWhatIsHeldAtATime() {
        var shares = AddressShares()
        for _ in 1...3 { shares.take("2001:db8::/64") }
        shares.take("10.0.0.1", 40)
        #expect(shares.held(by: "2001:db8::/64") == 3 && shares.held(by: "10.0.0.1") == 40)
        #expect(shares.held(by: "10.0.0.2") == 0 && shares.count == 2)
        shares.giveBack("2001:db8::/64", 2)
        shares.giveBack("10.0.0.1", 40)
        #expect(shares.held(by: "2001:db8::/64") == 1 && shares.count == 1)
        shares.giveBack("2001:db8::/64")
        shares.giveBack("10.0.0.9")
        shares.take("10.0.0.3", 0)
        #expect(shares.count == 0, "nothing is kept of whoever holds nothing")
    }

    /// Listening address, what was asked for, and what this machine and another address may hold of 200.
    @Test(
        arguments: [
            ("127.0.0.1", 50, nil, 200, 100), ("::1", 50, nil, 200, 100), ("10.0.0.1", 50, nil, 180, 100),
            (nil, 25, nil, 180, 50), (nil, 0, 70, 140, 2), ("127.0.0.1", 500, 500, 200, 200),
            ("127.0.0.1", 50, -3, 2, 100),
        ] as [(String?, Int, Int?, Int, Int)])
    func whatOneMayHold(
        _ address: String?, _ percent: Int, _ loopbackPercent: Int?, _ ofLoopback: Int, _ ofAnother: Int
    ) {
        var options = BookServer.Options()
        (options.address, options.addressPercentMax) = (address, percent)
        options.loopbackPercentMax = loopbackPercent
        let rules = ShareRules(options)
        #expect(rules.share(of: 200, for: loopbackOwner) == ofLoopback)
        #expect(rules.share(of: 200, for: "10.0.0.9") == ofAnother)
        #expect(rules.share(of: 0, for: "10.0.0.9") == 1 && rules.share(of: -1, for: loopbackOwner) == 1)
        #expect(rules.share(of: .max, for: "10.0.0.9") > 0)
    }
}
