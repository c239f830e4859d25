import Glibc
import LobRecording
import MarketData
import Synchronization
import Testing

@testable import BookRecording

/// Where a gap ends, whatever was lost on the way.
@Suite struct GapEndTests {
    private static func options(_ folder: RecordFolder) -> RecorderOptions {
        var options = RecorderOptions(folder: folder.path)
        options.blockNsMax = 20_000_000
        options.segmentEveryNs = 1 << 60
        options.retryEveryNs = 20_000_000
        return options
    }

    /// A run that ends without a book: its gap ends with it, and is not there in the next one.
    @Test func aGapEndsWithItsRun() throws {
        let folder = RecordFolder()
        var ends: [Int64] = []
        // The second run is longer: both begin at the same time of the venue.
        for steps in [100, 150] {
            let harness = try RecorderHarness(GapEndTests.options(folder))
            let traffic = Traffic(harness.tap, seed: UInt64(steps))
            traffic.connect()
            for _ in 0..<steps { traffic.step(hasTrouble: false) }
            traffic.disconnect()
            ends.append(traffic.atNs)
            _ = harness.stop()
        }
        let stream = try RecordedStream.all(at: folder.path)[0]
        let gaps = try Replayed(folder.path).gaps
        #expect(Set(stream.gaps.gaps) == Set(gaps))
        let (ended, lasting) = (gaps.filter { $0.fromNs == ends[0] }, gaps.filter { $0.toNs == 0 })
        #expect(ended.contains { $0.cause == .reconnect } && lasting.contains { $0.cause == .reconnect })
        #expect(ended.allSatisfy { $0.toNs == ends[0] || $0.cause == .notRunning }, "\(ended)")
        #expect(lasting.allSatisfy { $0.fromNs > ends[0] }, "\(lasting)")
    }
}
