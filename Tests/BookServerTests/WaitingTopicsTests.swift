// The queue of streams whose last message a client has not got, beside a naive one.

import LobTransport
import MarketData
import TestSupport
import Testing

@testable import BookServer

@Suite struct WaitingTopicsTests {
    @Test func asANaiveQueue() throws {
        let loop = try EventLoop()
        defer { loop.close() }
        let topics = (0..<40).map { (number: Int) in
            StreamTopic(
                StreamTopic.Key(name: "s\(number)", isMicroseconds: false), .best, symbol: number,
                intervalNs: 0,
                summary: UpdateSummary(since: UpdateID(0), isLinked: false), on: loop)
        }
        var random = SeededRandom(seed: 3)
        var queue = WaitingTopics()
        var naive: [String] = []
        for step in 0..<50_000 {
            let topic = topics[random.below(topics.count)]
            switch random.below(step % 5_000 < 2_500 ? 4 : 3) {
            case 0:
                let first = queue.takeFirst()?.key.name
                #expect(first == naive.first)
                if !naive.isEmpty { naive.removeFirst() }
            case 1:
                queue.remove(topic.key.name)
                naive.removeAll { $0 == topic.key.name }
            default:
                queue.append(topic)
                if !naive.contains(topic.key.name) { naive.append(topic.key.name) }
            }
            #expect(queue.count == naive.count)
            #expect(queue.placeCount <= 2 * naive.count + 16, "no more than is needed")
        }
    }
}
