import LobRecording
import Testing

@Suite struct PlayingTimeTests {
    private static let times: [Int64] = [.min, .min + 1, -1, 0, 1, 5_000_000_000_000_000_000, .max - 1, .max]
    private static let numbers: [Double] = [
        -.infinity, -.greatestFiniteMagnitude, -0x1p63, -1, -0.0, 0, 1e-308, .leastNonzeroMagnitude, 0.5, 1,
        1e4, 0x1p63,
        1e308, .infinity, .nan,
    ]

    @Test func nothingOverflows() {
        for a in Self.times {
            for b in Self.times {
                #expect(saturatedDifference(a, b) == Int64(clamping: Int128(a) - Int128(b)))
                #expect(saturatedSum(a, b) == Int64(clamping: Int128(a) + Int128(b)))
                for speed in Self.numbers {
                    #expect(playingTime(of: a, first: b, speed: speed) >= 0, "\(a), \(b), \(speed)")
                }
            }
        }
    }

    @Test func theNearestNumber() {
        for number in Self.numbers where number.magnitude < 1e10 {
            #expect(saturated(number) == Int64(number))
        }
        #expect(saturated(.nan) == 0 && saturated(.infinity) == .max && saturated(-.infinity) == .min)
        #expect(saturated(0x1p63) == .max && saturated((0x1p63).nextDown) == 9_223_372_036_854_774_784)
        #expect(saturated(-0x1p63) == .min && saturated(1e300) == .max)
    }

    @Test func speeds() {
        #expect(playingTime(of: 3_000, first: 1_000, speed: 1) == 2_000)
        #expect(playingTime(of: 3_000, first: 1_000, speed: 0.5) == 4_000)
        #expect(playingTime(of: 1_000, first: 3_000, speed: 1) == 0)
        #expect(playingTime(of: .max, first: .min, speed: 1) == .max)
        #expect(playingTime(of: 2, first: 1, speed: 1e-308) == .max)
    }
}
