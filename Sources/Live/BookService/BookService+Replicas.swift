// What a service provides for a replica of a shard: the shard's frames, and answers from its book thread. The
// replica itself, its ring and its thread belong to the caller.
//
//     let ring = try FrameRing()
//     let tap = FrameTap(ring.producer, signal: news, carriesSnapshots: false)
//     var consumer = ring.consumer
//     var replica = ReplicaEngine(service.configuration.engine)
//     for symbol in service.symbols(ofShard: 0) { replica.addSymbol(symbol) }
//     _ = service.add(tap, toShard: 0)
//     …
//     replica.doWork(&consumer)
//     if let question = replica.takeQuestion(),
//         !service.answer(question, byShard: 0, { _ = answers.post($0) })
//     {
//         replica.receive(nil)
//     }
//     for answer in answers.take() { replica.receive(answer) }
//
// A shard has its own connections and ticks, so a replica belongs to a single shard.

import BookEngine
import LobHandoff
import MarketData

extension BookService {
    /// Number of shards. They are numbered from 0, as in `shardStatuses`.
    public var shardCount: Int { machine.shards.count }

    /// The symbols of a shard; none if there is no such shard.
    public func symbols(ofShard number: Int) -> [SymbolName] { shard(number)?.symbols ?? [] }

    /// Writes a shard's frames to a further ring from now on, starting with the connections in service. For
    /// any thread; the tap belongs to the feed's thread from now on.
    ///
    /// - Returns: false if there is no such shard, it is too busy (retry), or the service has stopped.
    public func add(_ tap: FrameTap, toShard number: Int) -> Bool { shard(number)?.feed.add(tap) ?? false }

    /// Stops writing to a tap. Frames may still arrive until the feed's thread has handled this.
    ///
    /// - Returns: as `add`.
    public func remove(_ tap: FrameTap, fromShard number: Int) -> Bool {
        shard(number)?.feed.remove(tap) ?? false
    }

    /// Answers a replica on the shard's book thread, between two frames; see `BookEngine.answer`.
    ///
    /// - Parameters:
    ///   - question: from `ReplicaEngine.takeQuestion`.
    ///   - number: the shard.
    ///   - use: receives the answer, on the book thread.
    /// - Returns: false if there is no such shard, too many questions are waiting, or it has stopped;
    ///   otherwise the question will be answered.
    public func answer(
        _ question: ReplicaQuestion, byShard number: Int, _ use: @escaping @Sendable (ReplicaAnswer) -> Void
    ) -> Bool {
        shard(number)?.ask { use($0.answer(question)) } ?? false
    }

    private func shard(_ number: Int) -> BookShard? {
        machine.shards.indices.contains(number) ? machine.shards[number] : nil
    }
}
