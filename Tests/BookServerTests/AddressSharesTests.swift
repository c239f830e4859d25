// Who holds how much, by address.

import Testing

@testable import BookServer

@Suite struct AddressSharesTests {
    @Test(
        arguments: [
            ("127.0.0.1", "127.0.0.1"), ("::ffff:10.0.0.7", "10.0.0.7"), ("::1", "0:0:0:0::"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"), ("2001:db8::5", "2001:db8:0:0::"),
            ("2001:db8:0:1::", "2001:db8:0:1::"), ("fe80::1%eth0", "fe80:0:0:0::"), ("", ""),
            ("::", "0:0:0:0::"), ("a:b:c:d:e:f:1:2:3::4", "a:b:c:d::"),
        ] as [(String, String)])
    func anAddressHasAnOwner(_ address: String, _ owner: String) {
        #expect(AddressShares.owner(address) == owner)
    }

    @Test func aShareIsWhatIsHeldAtATime() {
        var shares = AddressShares()
        for place in 1...3 {
            #expect(shares.admits("2001:db8::\(place)", most: 3))
            shares.take("2001:db8::\(place)")
        }
        #expect(!shares.admits("2001:db8::4", most: 3), "one network")
        #expect(shares.admits("2001:db8:1::4", most: 3) && shares.admits("10.0.0.1", most: 3))
        shares.giveBack("2001:db8::9")
        #expect(shares.admits("2001:db8::4", most: 3))
        shares.giveBack("2001:db8::1")
        shares.giveBack("2001:db8::1")
        #expect(shares.count == 0, "nothing is kept of whoever holds nothing")
        shares.giveBack("10.0.0.1")
        #expect(shares.count == 0 && !shares.admits("10.0.0.1", most: 0))
    }
}
