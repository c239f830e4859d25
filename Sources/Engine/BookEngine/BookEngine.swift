// The pipeline: frame → parse → synchronise → apply → publish. Live traffic, recordings, simulations and
// benchmarks all go through `step`, and nothing else changes a book.
//
// Invariants
// * The engine is deterministic in its frames and configuration: it reads no clock, draws no random numbers
//   and does no I/O. Time is what the frames say.
// * Trouble with one symbol touches no other: a message that is unreadable, or was dropped before the engine,
//   puts its own symbol in doubt, and all symbols of its connection only if its owner cannot be determined.
// * `step` allocates only when a symbol is added, a snapshot is checked, a candidate starts, a message cannot
//   be parsed, or a book or buffer meets its largest load.
// * A tick looks at a few symbols only; see `looksPerTick`.
//
// Used by one thread, the book thread; readers on other threads get views through mailboxes.

import BinanceVenue
import DepthBook
import LobHandoff
import MarketData

/// Keeps the books of many symbols under one set of rules, from one ordered stream of frames. Not copyable.
///
/// One thread uses it at a time, the book thread; other threads may read the mailboxes of `views(of:)`,
/// `statuses(of:)` and `counterReadings()`. Frames come from a ring by `doWork`, or one by one by `connect`,
/// `receive`, `receiveSnapshot`, `snapshotFailed`, `tick` and `disconnect`; after each batch `takeRequests`
/// says what to fetch, and `publish` rings the bell.
public struct BookEngine: ~Copyable {
    /// The configuration.
    public let configuration: EngineConfiguration
    /// Counters over all symbols.
    public internal(set) var counters = EngineCounters()
    /// Why the last malformed message was rejected, nil if none was.
    public internal(set) var lastParseError: ParseError?
    /// Receive time of the last frame taken by `doWork`.
    package private(set) var lastReceivedAtNs: Int64 = 0
    var parser = MessageParser()
    var table = SymbolTable()
    var books: [SymbolBook] = []
    let shared: EngineShared
    private let bell: Bell?
    /// Whether something was published since the bell last rang.
    private var isUntold = false
    private let publishesEachMessage: Bool
    /// When each symbol is next due for a look, on the engine's clock; by slot.
    var wakes: [Int64] = []
    /// Slots whose view changed since it was published.
    var due: [Int] = []
    /// Where the memory of each symbol lies, by slot; see `BookEngine+LookAhead`.
    var hot: [HotLines] = []
    var hints = SymbolHints()
    /// The slot that the present frame seems to be for, or -1.
    var hintedSlot = -1
    /// The same of the frame behind it, and where that lies.
    var aheadSlot = -1
    var aheadPlace: UInt = 0

    /// Due symbols looked at per tick; more if more are due, so that each has its turn within this many
    /// ticks.
    static let wakesPerTick = 6
    /// See `wakesPerTick`.
    static let ticksPerWake = 4
    /// A look that finds nothing to do costs this fraction of one that does.
    static let glancesPerLook = 8
    /// Symbols looked at per tick in rotation, at some 5 µs each with cold caches.
    static let looksPerTick = 3
    var nextLook = 0
    var nextWake = 0
    /// Looks per tick until few symbols are due.
    var wakeQuota = BookEngine.wakesPerTick
    var statusNs: Int64 = 0
    var countersWriter: LatestValueWriter<EngineCounters>
    let countersReader: LatestValueReader<EngineCounters>

    /// An engine without symbols.
    ///
    /// - Parameters:
    ///   - configuration: its configuration, fixed for its life.
    ///   - bell: rung by `publish` when there is something new for readers.
    public init(_ configuration: EngineConfiguration, bell: Bell? = nil) {
        self.init(configuration, bell: bell, defect: EngineDefect())
    }

    package init(_ configuration: EngineConfiguration, bell: Bell? = nil, defect: EngineDefect) {
        let configuration = configuration.saturated
        self.configuration = configuration
        self.bell = bell
        publishesEachMessage = configuration.publication == .perMessage
        shared = EngineShared(configuration, defect)
        let mailbox = LatestValue(EngineCounters())
        countersReader = mailbox.reader
        countersWriter = mailbox.writer
    }

    /// Processes one frame, the engine's only input.
    public mutating func step(_ frame: Frame) {
        counters.frames &+= 1
        let isHeardAgain = hear(frame)
        switch frame.kind {
        case .message: message(frame)
        case .depthSnapshot: snapshot(frame)
        case .snapshotFailed: snapshotFailed(frame)
        case .snapshotRequested: snapshotRequested(frame)
        case .connected: connected(frame)
        case .disconnected: disconnected(frame.source)
        case .retired: retired(frame.source)
        case .dropped: dropped(frame)
        case .resubscribed: resubscribed(frame)
        case .tick: tick(frame)
        }
        if isHeardAgain { heardAgain(frame.source) }
        if publishesEachMessage { publishViews() }
    }

    /// Processes the frames now in a ring, at most `limit`, and publishes what changed.
    /// - Returns: number of frames taken; 0 means that the ring was empty.
    @discardableResult
    public mutating func doWork(_ ring: inout FrameConsumer, limit: Int = 256) -> Int {
        let looksAhead = books.count >= BookEngine.lookAheadCountMin
        let taken = ring.pollAhead(limit: limit) { frame, next in
            if looksAhead { lookAhead(frame, next) }
            lastReceivedAtNs = frame.receivedAtNs
            step(frame)
        }
        hintedSlot = -1
        if taken > 0 { publish() }
        return taken
    }

    /// Publishes changed views, and rings the bell if there is anything new since it last rang. `doWork` does
    /// this for its batch.
    public mutating func publish() {
        publishViews()
        if !isUntold { return }
        isUntold = false
        bell?.ring()
    }

    private mutating func publishViews() {
        if due.isEmpty { return }
        isUntold = true
        for slot in due { books[slot].publish() }
        due.removeAll(keepingCapacity: true)
    }

    /// Delivers the slots with unpublished changes, instead of publishing them.
    package mutating func takeChanged(_ body: (Int) -> Void) {
        for slot in due {
            books[slot].mailboxes.taken()
            body(slot)
        }
        due.removeAll(keepingCapacity: true)
    }

    /// Delivers the requests issued since the last call, oldest first. Among very many, those replaced by
    /// later ones are omitted.
    public mutating func takeRequests(_ body: (EngineRequest) -> Void) {
        for request in shared.requests.all { body(request) }
        shared.requests.removeAll()
    }
}
