// A replica beside the engine of a run: a tap with a small ring, a reader that starts late and pauses now and
// then, and a slow path to the primary's book thread.
//
// It has its own random generator: adding a replica does not change the run.

import BookEngine
import LobHandoff
import MarketData
import SimulatedExchange

/// The tap, the replica and its reader.
final class ReplicaRun {
    var replica: ReplicaEngine
    var consumer: FrameConsumer
    let tap: FrameTap
    var random: SeededRandom
    /// When the tap is added.
    let beginsUs: Int64
    private var isTapped = false
    var restsUntilUs: Int64 = 0
    var nextSecond: Int64 = 0
    var question: (dueUs: Int64, question: ReplicaQuestion)?
    /// From the book thread.
    let answers = CommandQueue<ReplicaAnswer>(capacity: 4)
    var answer: (dueUs: Int64, answer: ReplicaAnswer)?
    /// The marks of replica and primary that were last compared, by symbol.
    var compared: [Int: [BookMark]] = [:]
    /// The replica's mark that was last compared with the truth.
    var followed: [Int: BookMark] = [:]

    /// The smallest ring there is: a few seconds of one symbol.
    private static let ringBytes = 1 << 16

    init(_ configuration: EngineConfiguration, _ symbols: [SymbolName], seed: UInt64, nowUs: Int64) throws {
        let ring = try FrameRing(capacityBytes: ReplicaRun.ringBytes)
        consumer = ring.consumer
        tap = FrameTap(ring.producer)
        replica = ReplicaEngine(configuration)
        for symbol in symbols { replica.addSymbol(symbol) }
        random = SeededRandom(seed, purpose: 0x4E11_CA00)
        beginsUs = nowUs + random.within(0...20_000_000)
    }

    /// Whether it is time to add the tap; true once.
    func begins(nowUs: Int64) -> Bool {
        if isTapped || nowUs < beginsUs { return false }
        isTapped = true
        return true
    }

    /// Whether the reader reads now; it pauses for up to ten seconds, one second in ten.
    func reads(nowUs: Int64, mayRest: Bool) -> Bool {
        if nowUs >= nextSecond * 1_000_000 {
            nextSecond = nowUs / 1_000_000 + 1
            if mayRest && random.below(10) == 0 { restsUntilUs = nowUs + random.within(0...10_000_000) }
        }
        return nowUs >= restsUntilUs
    }
}
