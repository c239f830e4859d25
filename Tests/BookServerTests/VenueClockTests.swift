import Testing

@testable import BookServer

@Suite struct VenueClockTests {
    /// The venue's time goes on by itself, and a time of the far future is not its.
    @Test func timesThatCannotBeAreNotTaken() {
        var clock = VenueClock()
        #expect(clock.timeUs(nowNs: 5) == nil)
        let nowUs: Int64 = 1_800_000_000_000_000
        clock.hear(.max, receivedAtNs: nowUs * 1_000, nowNs: 1_000)
        clock.hear(-1, receivedAtNs: nowUs * 1_000, nowNs: 1_000)
        #expect(clock.timeUs(nowNs: 5) == nil)
        clock.hear(nowUs - 50, receivedAtNs: nowUs * 1_000, nowNs: 1_000)
        #expect(clock.timeUs(nowNs: 1_000) == nowUs - 50)
        #expect(clock.timeUs(nowNs: 0) == nowUs - 50)
        #expect(clock.timeUs(nowNs: 8_000_000_000) == nowUs - 50 + 7_999_999)
        clock.hear(nowUs + 86_400_000_000, receivedAtNs: nowUs * 1_000, nowNs: 2_000)
        #expect(clock.timeUs(nowNs: 1_000) == nowUs - 50)
        clock.hear(nowUs - 40, receivedAtNs: .max, nowNs: 2_000)
        #expect(clock.timeUs(nowNs: 2_000) == nowUs - 40)
    }
}
