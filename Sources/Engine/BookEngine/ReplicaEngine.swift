// A second engine for readers that must not hold up the book: it runs on its own thread over a tap of the
// same frames, and its snapshots are copies of the primary's served books, not the venue's.
//
// It may start late, lose frames and recover without a single request to the venue. Whatever it shows live,
// the primary shows or has shown at that id. A copy takes the place in the stream that a venue snapshot would
// have had. The two threads read the same frames at different speeds; the ticks among them are the marks by
// which they agree on a position:
//
//     tick a     the replica keeps everything from here on, and asks
//     tick b     the primary answers after processing tick a: with its book after tick b, its latest
//     tick b     the replica has read as far and adopts the copy; a is at or before b
//
// Invariants
// * No update lies between a copy and what the replica has kept for it.
// * Only live books are copied, only their proven levels, and a copy never claims more.
// * Once the primary has given up a symbol's book, no older book of it continues here: the replica gives up
//   its own within a tick plus the time of an answer. Until then a level from a false venue snapshot may
//   still stand here; nothing else can differ.
//
// Bounds: one question at a time; one copy per symbol; the engine's own. Worst case: a frame costs what it
// costs in the engine plus one comparison; a tick costs O(symbols that need a copy).
//
// Wiring: add the tap to the feed whose ring the primary reads. After each `doWork`, pass the result of
// `takeQuestion` to the primary's book thread, call `BookEngine.answer` there between two frames, and bring
// the answer back to the replica's thread.

import DepthBook
import FeedPlan
import LobHandoff
import MarketData

/// Maintains copies of another engine's books from a tap of its frames. Not copyable; used by one thread at a
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
    /// The underlying engine: status, views, counters and books as of any engine.
    public private(set) var engine: BookEngine
    private var wanted: [ReplicaQuestion.Wanted] = []
    /// Copies whose position the tap has not reached yet, with the request each answers.
    private var copies: [(copy: BookCopy, wanted: ReplicaQuestion.Wanted)] = []
    /// The last of the primary's losses known here.
    package private(set) var knownLossCount = 0
    /// The last of the primary's deepenings known here.
    private var knownDeepeningCount = 0
    private var question: ReplicaQuestion?
    private var isAsking = false

    /// A replica without symbols.
    ///
    /// - Parameter configuration: that of the primary. The replica requests more depth when the primary has
    ///   it, and keeps nothing for a copy before requesting it.
    public init(_ configuration: EngineConfiguration) {
        var configuration = configuration
        configuration.requestsAreAnnounced = true
        configuration.resubscribes = false
        configuration.provenLevelCountMin = 0
        engine = BookEngine(configuration)
    }

    /// Adds a symbol; see `BookEngine.addSymbol`.
    @discardableResult
    public mutating func addSymbol(_ name: SymbolName) -> Int? { engine.addSymbol(name) }

    /// Processes one frame of the tap. The venue's answers to the primary are ignored.
    public mutating func step(_ frame: Frame) {
        switch frame.kind {
        case .message, .connected, .disconnected, .retired, .dropped, .resubscribed: engine.step(frame)
        case .depthSnapshot, .snapshotFailed, .snapshotRequested: return
        case .tick:
            engine.step(frame)
            turn()
        }
    }

    /// Processes the frames now in the tap's ring, at most `limit`, and publishes what changed.
    /// - Returns: number of frames taken; 0 means that the ring was empty.
    @discardableResult
    public mutating func doWork(_ ring: inout FrameConsumer, limit: Int = 256) -> Int {
        let taken = ring.poll(limit: limit) { step($0) }
        if taken > 0 { engine.publish() }
        return taken
    }

    /// Returns the question for the primary, at most once a tick, and none while one is unanswered. The
    /// caller must then call `receive`, whatever happens to the question.
    public mutating func takeQuestion() -> ReplicaQuestion? {
        guard let due = question.take() else { return nil }
        isAsking = true
        return due
    }

    /// Takes the answer to the question; nil if there will be none, in which case the next tick asks again.
    public mutating func receive(_ answer: ReplicaAnswer?) {
        take(answer)
        engine.publish()
    }

    /// The same without telling readers.
    package mutating func take(_ answer: ReplicaAnswer?) {
        isAsking = false
        guard let answer else { return }
        knownLossCount = answer.lossCount
        // Of those given up here, everything collected from here on is requested again.
        let distrusted = Set(answer.lost.filter { engine.distrust($0) })
        let lost = Set(answer.lost)
        let outdated = copies.map(\.wanted).filter { lost.contains($0.symbol) }
        copies.removeAll { lost.contains($0.wanted.symbol) }
        wanted = (wanted + outdated).filter { !distrusted.contains($0.symbol) }
        let found = Dictionary(answer.copies.map { ($0.symbol, $0) }) { first, _ in first }
        for wanted in wanted {
            if let copy = found[wanted.symbol] { copies.append((copy, wanted)) }
        }
        wanted.removeAll { found[$0.symbol] != nil }
        knownDeepeningCount = answer.deepeningCount
        for symbol in answer.deepened { engine.deepen(symbol) }
    }

    /// Delivers the slots whose book or verdict has changed, instead of publishing their views: for an owner
    /// without readers. A slot is the index of a symbol in order of addition.
    package mutating func takeChanged(_ body: (Int) -> Void) { engine.takeChanged(body) }

    /// Handles a tick: requests, copies whose position this is, and the next question.
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
        // The last one of each symbol counts; nil is a cancellation.
        var asked: [SymbolName: SnapshotPriority?] = [:]
        for request in requests {
            switch request {
            case .ask(let symbol, let purpose, _): asked[symbol] = .some(purpose)
            case .cancel(let symbol): asked[symbol] = .some(nil)
            // The streams are the primary's.
            case .resubscribe: break
            }
        }
        if asked.isEmpty { return }
        wanted.removeAll { asked[$0.symbol] != nil }
        copies.removeAll { asked[$0.wanted.symbol] != nil }
        for request in requests {
            guard case .ask(let symbol, _, _) = request else { continue }
            guard let purpose = asked.removeValue(forKey: symbol) ?? nil else { continue }
            wanted.append(ReplicaQuestion.Wanted(symbol: symbol, purpose: purpose))
        }
    }
}
