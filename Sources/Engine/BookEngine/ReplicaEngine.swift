// A second engine for whoever must not stand in front of the book: it runs on its own thread over a tap of
// the same frames, and its snapshots are copies of the primary's served books, not the venue's.
//
// So it may start late, lose frames and come back without a single request to the venue, and whatever it
// shows live is what the primary shows, or has shown, at that id. A copy is put where a snapshot of the venue
// would have stood in the stream. The two threads read the same frames at different speeds; the ticks among
// these frames are the marks by which they agree on a place:
//
//     tick a     the replica keeps what comes from here on, and asks
//     tick b     the primary answers when it has taken tick a: with its book behind tick b, the last it took
//     tick b     the replica has read as far, and takes the copy in; a is at or before b
//
// Invariants
// * No update lies between a copy and what the replica has kept for it.
// * A copy is taken only of a live book, only what is proven of it, and never claims more.
// * Of a symbol whose book the primary has given up since, no book of before goes on: the replica's is given
//   up within a tick and the time of an answer. Between the two a level that a false snapshot of the venue
//   brought may still stand here; nothing else can differ.
//
// Bounds: one question under way; one copy for each symbol; the engine's. Worst case: a frame costs what it
// costs in the engine and one comparison; a tick costs O(symbols that want a copy).
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
    /// Copies that the tap has not come to yet, with what they were asked for.
    private var copies: [(copy: BookCopy, wanted: ReplicaQuestion.Wanted)] = []
    /// Up to which of the primary's losses it was told.
    package private(set) var knownLossCount = 0
    private var question: ReplicaQuestion?
    private var isAsking = false

    /// A replica without symbols.
    ///
    /// - Parameter configuration: as the primary's. It neither asks for more depth, which comes with its
    ///   audits, nor keeps anything for a copy before that is asked for.
    public init(_ configuration: EngineConfiguration) {
        var configuration = configuration
        configuration.requestsAreAnnounced = true
        configuration.provenLevelCountMin = 0
        engine = BookEngine(configuration)
    }

    /// Adds a symbol; see `BookEngine.addSymbol`.
    @discardableResult
    public mutating func addSymbol(_ name: SymbolName) -> Int? { engine.addSymbol(name) }

    /// Takes one frame of the tap. What the venue answered to the primary is not for this engine.
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

    /// Gives away what the primary is to be asked, at most once a tick, and nothing while a question is under
    /// way. Whoever takes it calls `receive`, whatever becomes of it.
    public mutating func takeQuestion() -> ReplicaQuestion? {
        guard let due = question.take() else { return nil }
        isAsking = true
        return due
    }

    /// Takes the answer to the question under way; nil if there will be none, and the next tick asks again.
    public mutating func receive(_ answer: ReplicaAnswer?) {
        isAsking = false
        guard let answer else { return }
        knownLossCount = answer.lossCount
        for symbol in answer.lost {
            let outdated = copies.filter { $0.wanted.symbol == symbol }.map(\.wanted)
            copies.removeAll { $0.wanted.symbol == symbol }
            if engine.distrust(symbol) {
                // What is collected from here on is asked for anew.
                wanted.removeAll { $0.symbol == symbol }
            } else {
                wanted += outdated
            }
        }
        for copy in answer.copies {
            guard let index = wanted.firstIndex(where: { $0.symbol == copy.symbol }) else { continue }
            copies.append((copy, wanted.remove(at: index)))
        }
        engine.publish()
    }

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
        question = ReplicaQuestion(wanted: urgent + rest, lossCount: knownLossCount)
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
