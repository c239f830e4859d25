// A second engine, for readers that must not stand in front of the book: it runs on its own thread over a tap
// of the same frames, and its snapshots are copies of the primary's served books, not the venue's.
//
// It may start late, lose frames and recover without a single request to the venue. Whatever it shows live is
// what the primary shows, or has shown, at that id. A copy takes the place in the stream where a snapshot of
// the venue would have stood. The two threads read the same frames at different speeds; the ticks among these
// frames are the marks by which they agree on a place:
//
//     tick a     the replica keeps what comes from here on, and asks
//     tick b     the primary answers when it has taken tick a: with its book after tick b, the last it took
//     tick b     the replica has read as far, and adopts the copy; a is at or before b
//
// Invariants
// * No update lies between a copy and what the replica has kept for it.
// * A copy is made only of a live book and only of what is proven of it, and never claims more.
// * If the primary has given up a symbol's book since, no older book of it goes on here: the replica gives up
//   its own within a tick plus the time of an answer. Until then a level that came from a false snapshot of
//   the venue may still stand here; nothing else can differ.
//
// Bounds: one question at a time; one copy for each symbol; the engine's. Worst case: a frame costs what it
// costs in the engine plus one comparison; a tick costs O(symbols that want a copy).
//
// Wiring: the tap is added to the feed whose ring the primary reads. After each `doWork`, hand what
// `takeQuestion` gives to the primary's book thread, call `BookEngine.answer` there between two frames, and
// bring the answer back to the replica's thread.

import DepthBook
import FeedPlan
import LobHandoff
import MarketData

/// Keeps copies of another engine's books from a tap of its frames. Not copyable; used by one thread at a
/// time; readers on other threads use the mailboxes of `engine`.
///
/// ```swift
/// replica.doWork(&tapConsumer)
/// if let question = replica.takeQuestion() {
///     let isAsked = askPrimary { primary in answers.post(primary.answer(question)) }
///     if !isAsked { replica.receive(nil) }
/// }
/// for answer in answers.take() { replica.receive(answer) }
/// ```
public struct ReplicaEngine: ~Copyable {
    /// The engine beneath: status, views, counters and books as of any engine.
    public private(set) var engine: BookEngine
    private var wanted: [ReplicaQuestion.Wanted] = []
    /// Copies whose place the tap has not reached yet, with what they were requested for.
    private var copies: [(copy: BookCopy, wanted: ReplicaQuestion.Wanted)] = []
    /// The last of the primary's losses that it knows of.
    package private(set) var knownLossCount = 0
    /// The last of the primary's deepenings that it knows of.
    private var knownDeepeningCount = 0
    private var question: ReplicaQuestion?
    private var isAsking = false

    /// A replica without symbols.
    ///
    /// - Parameter configuration: that of the primary. The replica requests more depth when the primary has
    ///   it, and keeps nothing for a copy before that is requested.
    public init(_ configuration: EngineConfiguration) {
        var configuration = configuration
        configuration.requestsAreAnnounced = true
        configuration.provenLevelCountMin = 0
        engine = BookEngine(configuration)
    }

    /// Adds a symbol; see `BookEngine.addSymbol`.
    @discardableResult
    public mutating func addSymbol(_ name: SymbolName) -> Int? { engine.addSymbol(name) }

    /// Takes one frame of the tap. The venue's answers to the primary are not for this engine.
    public mutating func step(_ frame: Frame) {
        switch frame.kind {
        case .message, .connected, .disconnected, .retired, .dropped: engine.step(frame)
        case .depthSnapshot, .snapshotFailed, .snapshotRequested: return
        case .tick:
            engine.step(frame)
            turn()
        }
    }

    /// Takes the frames that are in the tap's ring now, at most `limit`, and publishes what changed.
    /// - Returns: number of frames taken; 0 means that the ring was empty.
    @discardableResult
    public mutating func doWork(_ ring: inout FrameConsumer, limit: Int = 256) -> Int {
        let taken = ring.poll(limit: limit) { step($0) }
        if taken > 0 { engine.publish() }
        return taken
    }

    /// Returns the question for the primary, at most once a tick, and none while one is unanswered. The
    /// caller then calls `receive`, whatever happens to the question.
    public mutating func takeQuestion() -> ReplicaQuestion? {
        guard let due = question.take() else { return nil }
        isAsking = true
        return due
    }

    /// Takes the answer to the question; nil if there will be none, and the next tick asks again.
    public mutating func receive(_ answer: ReplicaAnswer?) {
        take(answer)
        engine.publish()
    }

    /// The same without telling readers.
    package mutating func take(_ answer: ReplicaAnswer?) {
        isAsking = false
        guard let answer else { return }
        knownLossCount = answer.lossCount
        for symbol in answer.lost {
            let outdated = copies.filter { $0.wanted.symbol == symbol }.map(\.wanted)
            copies.removeAll { $0.wanted.symbol == symbol }
            if engine.distrust(symbol) {
                // What is collected from here on is requested again.
                wanted.removeAll { $0.symbol == symbol }
            } else {
                wanted += outdated
            }
        }
        for copy in answer.copies {
            guard let index = wanted.firstIndex(where: { $0.symbol == copy.symbol }) else { continue }
            copies.append((copy, wanted.remove(at: index)))
        }
        knownDeepeningCount = answer.deepeningCount
        for symbol in answer.deepened { engine.deepen(symbol) }
    }

    /// Delivers the slots whose book or verdict has changed since, in place of publishing their views: for an
    /// owner that has no readers. A slot is the place of a symbol among those added.
    package mutating func takeChanged(_ body: (Int) -> Void) { engine.takeChanged(body) }

    /// A tick has passed: requests, copies whose place this is, and the next question.
    private mutating func turn() {
        takeRequests()
        let tickNs = engine.shared.clock.tickNs
        let due = copies.filter { $0.copy.tickNs <= tickNs }
        copies.removeAll { $0.copy.tickNs <= tickNs }
        for (copy, _) in due { engine.receive(copy) }
        takeRequests()
        if isAsking { return }
        for index in wanted.indices where wanted[index].sinceTickNs == nil {
            wanted[index].sinceTickNs = tickNs
            engine.copyRequested(of: wanted[index].symbol)
        }
        let urgent = wanted.filter { $0.purpose < .deepen }
        let rest = wanted.filter { $0.purpose >= .deepen }
        question = ReplicaQuestion(
            wanted: urgent + rest, lossCount: knownLossCount, deepeningCount: knownDeepeningCount)
    }

    private mutating func takeRequests() {
        var requests: [EngineRequest] = []
        engine.takeRequests { requests.append($0) }
        for request in requests {
            switch request {
            case .ask(let symbol, let purpose, _):
                forget(symbol)
                wanted.append(ReplicaQuestion.Wanted(symbol: symbol, purpose: purpose))
            case .cancel(let symbol): forget(symbol)
            // The streams are the primary's.
            case .resubscribe: break
            }
        }
    }

    private mutating func forget(_ symbol: SymbolName) {
        wanted.removeAll { $0.symbol == symbol }
        copies.removeAll { $0.wanted.symbol == symbol }
    }
}
