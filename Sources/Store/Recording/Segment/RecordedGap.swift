// A hole of a recording: nobody shall take it for silence.
//
// It is written when it opens, without an end, and again when it ends; the two have the same beginning, so a
// recording that was cut between them still says that something is missing.

/// What is missing, why and when.
package struct RecordedGap: Hashable, Sendable {
    /// Why something is missing. The numbers are never reused.
    package enum Cause: UInt8, CaseIterable, Sendable {
        /// A cause of a later version.
        case unknown = 0
        /// No book has been joined yet.
        case starting = 1
        /// Messages found no room in the recorder's ring.
        case droppedAtTap = 2
        /// The connection ended, and the book was in doubt until it had proven itself again.
        case reconnect = 3
        /// The stream was silent or late.
        case stall = 4
        /// An update was missing, or the venue contradicted the book: it was built again.
        case resync = 5
        /// A message could not be read.
        case unreadable = 6
        /// The disk was too slow: whole blocks were not written.
        case diskSlow = 7
        /// The disk refused: whole blocks were not written.
        case diskError = 8
        /// Nothing was recording.
        case notRunning = 9
        /// Found when reading: blocks are damaged or missing.
        case damaged = 10
        /// A message was longer than a block can be.
        case tooLong = 11
    }

    /// Why.
    package var cause: Cause
    /// Whose; empty if it is of every symbol.
    package var symbol: [UInt8]
    /// When it began, in nanoseconds since 1970.
    package var fromNs: Int64
    /// When it ended; 0 while it lasts.
    package var toNs: Int64 = 0
    /// The last update id before it; 0 if none is known.
    package var idBefore: Int64 = 0
    /// The first update id behind it; 0 if none is known.
    package var idAfter: Int64 = 0
    /// Frames that were not written.
    package var lostFrames: UInt64 = 0
    /// Blocks that were not written.
    package var lostBlocks: UInt64 = 0
    /// What is worth saying, for people.
    package var detail: [UInt8] = []

    /// A hole of these parts.
    ///
    /// - Parameters:
    ///   - cause: why.
    ///   - symbol: whose; empty for every symbol's.
    ///   - fromNs: when it began.
    ///   - idBefore: the last update id before it.
    package init(_ cause: Cause, of symbol: [UInt8] = [], fromNs: Int64, idBefore: Int64 = 0) {
        (self.cause, self.symbol, self.fromNs, self.idBefore) = (cause, symbol, fromNs, idBefore)
    }

    /// The hole as bytes.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = [cause.rawValue, 0]
        for number in [fromNs, toNs, idBefore, idAfter] { bytes.append(little: number) }
        bytes.append(little: lostFrames)
        bytes.append(little: lostBlocks)
        bytes.append(counted: symbol)
        bytes.append(counted: detail)
        return bytes
    }

    /// The hole that a cursor stands at; nil if it is none.
    package init?(_ cursor: inout ByteCursor) {
        guard let cause = cursor.next(UInt8.self), cursor.next(UInt8.self) != nil,
            let fromNs = cursor.next(Int64.self), let toNs = cursor.next(Int64.self),
            let idBefore = cursor.next(Int64.self), let idAfter = cursor.next(Int64.self),
            let lostFrames = cursor.next(UInt64.self), let lostBlocks = cursor.next(UInt64.self),
            let symbol = cursor.nextCounted(), let detail = cursor.nextCounted(),
            SegmentLayout.timesNs.contains(fromNs), SegmentLayout.timesNs.contains(toNs)
        else { return nil }
        self.init(Cause(rawValue: cause) ?? .unknown, of: symbol, fromNs: fromNs, idBefore: idBefore)
        (self.toNs, self.idAfter, self.lostFrames, self.lostBlocks) = (toNs, idAfter, lostFrames, lostBlocks)
        self.detail = detail
    }
}

/// The holes of a recording, each once, in the order in which they began.
package struct GapList: Sendable {
    /// Most holes that are kept; of further ones only the number.
    package static let countMax = 100_000

    private struct Key: Hashable {
        var cause: RecordedGap.Cause
        var symbol: [UInt8]
        var fromNs: Int64
    }

    /// The holes.
    package private(set) var gaps: [RecordedGap] = []
    /// Holes beyond `countMax`.
    package private(set) var uncounted = 0
    private var places: [Key: Int] = [:]
    /// Places of those that last.
    private var lasting: Set<Int> = []

    /// No hole.
    package init() {}

    /// Adds a hole, or what is newly known of one.
    package mutating func add(_ gap: RecordedGap) {
        let key = Key(cause: gap.cause, symbol: gap.symbol, fromNs: gap.fromNs)
        if let place = places[key] {
            if gap.toNs != 0 || gaps[place].toNs == 0 { gaps[place] = gap }
            if gap.toNs != 0 { lasting.remove(place) }
            return
        }
        if gaps.count >= GapList.countMax {
            uncounted += 1
            return
        }
        places[key] = gaps.count
        if gap.toNs == 0 { lasting.insert(gaps.count) }
        gaps.append(gap)
    }

    /// Whether the end of this hole is known already.
    package func isEnded(_ gap: RecordedGap) -> Bool {
        let key = Key(cause: gap.cause, symbol: gap.symbol, fromNs: gap.fromNs)
        return places[key].map { gaps[$0].toNs != 0 } ?? false
    }

    /// Ends every hole that lasts: nothing goes beyond the end of a run.
    ///
    /// - Parameters:
    ///   - atNs: when they ended at the latest.
    ///   - kept: those that last on.
    package mutating func endAll(atNs: Int64, except kept: Set<RecordedGap> = []) {
        for place in lasting where !kept.contains(gaps[place]) {
            lasting.remove(place)
            gaps[place].toNs = max(atNs, gaps[place].fromNs, 1)
        }
    }
}
