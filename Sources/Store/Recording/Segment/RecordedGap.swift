// A gap in a recording, so that it cannot be mistaken for silence.
//
// Written when it begins, without an end, and again when it ends; both have the same beginning, so a
// recording truncated between them still says that something is missing.

/// What is missing, why and when.
package struct RecordedGap: Hashable, Sendable {
    /// Why something is missing. The numbers are never reused.
    package enum Cause: UInt8, CaseIterable, Sendable {
        /// A cause of a later version.
        case unknown = 0
        /// No book has been joined yet.
        case starting = 1
        /// Messages dropped for lack of room in the recorder's ring.
        case droppedAtTap = 2
        /// The connection ended, and the book was in doubt until proven again.
        case reconnect = 3
        /// The stream was silent or late.
        case stall = 4
        /// An update was missing, or the venue contradicted the book: it was rebuilt.
        case resync = 5
        /// A message could not be parsed.
        case unreadable = 6
        /// The disk was too slow: whole blocks were not written.
        case diskSlow = 7
        /// The disk refused: whole blocks were not written.
        case diskError = 8
        /// No recorder was running.
        case notRunning = 9
        /// Found when reading: blocks are damaged or missing.
        case damaged = 10
        /// A message exceeded the size of a block.
        case tooLong = 11
    }

    /// The cause.
    package var cause: Cause
    /// Its symbol; empty if it concerns all.
    package var symbol: [UInt8]
    /// When it began, in nanoseconds since 1970.
    package var fromNs: Int64
    /// When it ended; 0 while it is open.
    package var toNs: Int64 = 0
    /// The last update id before it; 0 if none is known.
    package var idBefore: Int64 = 0
    /// The first update id after it; 0 if none is known.
    package var idAfter: Int64 = 0
    /// Frames not written.
    package var lostFrames: UInt64 = 0
    /// Blocks not written.
    package var lostBlocks: UInt64 = 0
    /// A remark for display.
    package var detail: [UInt8] = []

    /// A gap with these values.
    ///
    /// - Parameters:
    ///   - cause: the cause.
    ///   - symbol: its symbol; empty for all.
    ///   - fromNs: when it began.
    ///   - idBefore: the last update id before it.
    package init(_ cause: Cause, of symbol: [UInt8] = [], fromNs: Int64, idBefore: Int64 = 0) {
        (self.cause, self.symbol, self.fromNs, self.idBefore) = (cause, symbol, fromNs, idBefore)
    }

    /// The gap in bytes.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = [cause.rawValue, 0]
        for number in [fromNs, toNs, idBefore, idAfter] { bytes.append(little: number) }
        bytes.append(little: lostFrames)
        bytes.append(little: lostBlocks)
        bytes.append(counted: symbol)
        bytes.append(counted: detail)
        return bytes
    }

    /// Parses the gap at a cursor; nil if invalid.
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

/// The gaps of a recording, each once, in the order in which they began.
package struct GapList: Sendable {
    /// Most gaps kept; further ones are only counted.
    package static let countMax = 100_000

    private struct Key: Hashable {
        var cause: RecordedGap.Cause
        var symbol: [UInt8]
        var fromNs: Int64
    }

    /// The gaps.
    package private(set) var gaps: [RecordedGap] = []
    /// Gaps beyond `countMax`.
    package private(set) var uncounted = 0
    private var places: [Key: Int] = [:]
    /// Indices of the open ones.
    private var lasting: Set<Int> = []

    /// No gaps.
    package init() {}

    /// Adds a gap, or news of one.
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

    /// Whether the end of this gap is already known.
    package func isEnded(_ gap: RecordedGap) -> Bool {
        let key = Key(cause: gap.cause, symbol: gap.symbol, fromNs: gap.fromNs)
        return places[key].map { gaps[$0].toNs != 0 } ?? false
    }

    /// Ends every open gap: none extends beyond the end of a run.
    ///
    /// - Parameters:
    ///   - atNs: the latest time at which they ended.
    ///   - kept: those that remain open.
    package mutating func endAll(atNs: Int64, except kept: Set<RecordedGap> = []) {
        for place in lasting where !kept.contains(gaps[place]) {
            lasting.remove(place)
            gaps[place].toNs = max(atNs, gaps[place].fromNs, 1)
        }
    }
}
