// What a checker reads from a frame by itself: symbol, stream, id and time.
//
// It does not parse: it looks for the names and numbers that the simulated venue writes. So the facts of a
// frame that the engine cannot read are still known here, as far as its bytes tell.
//
// SAFETY: bytes are read inside the bounds of the frame, during the call that lends them.

import LobHandoff

/// What a frame says about itself.
struct FrameFacts {
    /// The kind of stream a message belongs to.
    enum Stream: Hashable, Sendable {
        case depth, partialDepth, ticker, unknown
    }

    /// Index of the symbol, if it belongs to the plan.
    private(set) var index: Int?
    /// Index of another symbol that it names inside, if that belongs to the plan.
    private(set) var otherIndex: Int?
    /// Whether the wrapper names one symbol and the message another.
    private(set) var isMisnamed = false
    /// Whether the frame names a symbol, known or not.
    private(set) var isNamed = false
    private(set) var stream = Stream.unknown
    /// Last update id, nil if there is none.
    private(set) var lastID: Int64?
    /// The id that a depth update follows, nil if there is none.
    private(set) var previousID: Int64?
    /// Event time in microseconds, nil if there is none.
    private(set) var eventUs: Int64?

    /// The facts of a message, or of a frame that begins like one.
    init(message frame: Frame) {
        readWrapper(frame)
        readInside(frame)
        if stream == .unknown && FrameFacts.place(of: "\"depthUpdate\"", in: frame) != nil { stream = .depth }
        lastID =
            FrameFacts.number(behind: "\"u\":", in: frame)
            ?? FrameFacts.number(behind: "\"lastUpdateId\":", in: frame)
        previousID =
            FrameFacts.number(behind: "\"pu\":", in: frame)
            ?? FrameFacts.number(behind: "\"U\":", in: frame).map { $0 - 1 }
        eventUs = FrameFacts.number(behind: "\"E\":", in: frame).map { $0 * 1000 }
        // It is not known whose ids they are.
        if isMisnamed { (lastID, previousID) = (nil, nil) }
    }

    /// The facts of a frame that begins with the envelope of a symbol.
    init(envelope frame: Frame) {
        readName(frame, at: 0, "SIM", "USDT")
        lastID = FrameFacts.number(behind: "\"lastUpdateId\":", in: frame)
    }

    /// Whether it may have been an update of the depth stream.
    var mayBeDepth: Bool { stream == .depth || stream == .unknown && !isNamed }

    /// Whether it names this symbol, in either place.
    func names(_ index: Int) -> Bool { self.index == index || otherIndex == index }

    private mutating func readInside(_ frame: Frame) {
        guard let place = FrameFacts.place(of: "\"s\":\"", in: frame) else { return }
        let (outer, isWrapped) = (index, isNamed)
        (index, isNamed) = (nil, false)
        readName(frame, at: place, "SIM", "USDT\"")
        isMisnamed = isWrapped && isNamed && index != outer
        if isMisnamed { otherIndex = index }
        if isWrapped { (index, isNamed) = (outer, true) }
    }

    private mutating func readWrapper(_ frame: Frame) {
        // This also works if the bracket before it is destroyed.
        guard let start = FrameFacts.place(of: "\"stream\":\"", in: frame) else { return }
        if FrameFacts.has("stranger", at: start, in: frame) { isNamed = true }
        readName(frame, at: start, "sim", "usdt@")
        // This also works after a damaged name.
        guard let end = FrameFacts.place(of: "@", in: frame) else { return }
        if FrameFacts.has("bookTicker", at: end, in: frame) {
            stream = .ticker
        } else if FrameFacts.has("depth@", at: end, in: frame)
            || FrameFacts.has("depth\"", at: end, in: frame)
        {
            stream = .depth
        } else if FrameFacts.has("depth", at: end, in: frame) {
            stream = .partialDepth
        }
    }

    /// Reads the name of a symbol of the plan.
    private mutating func readName(
        _ frame: Frame, at start: Int, _ before: StaticString, _ behind: StaticString
    ) {
        if FrameFacts.has("STRANGER", at: start, in: frame) { isNamed = true }
        guard FrameFacts.has(before, at: start, in: frame) else { return }
        var place = start + before.utf8CodeUnitCount
        guard let number = FrameFacts.digits(&place, in: frame) else { return }
        guard FrameFacts.has(behind, at: place, in: frame) else { return }
        isNamed = true
        index = Int(number)
    }

    private static func number(behind key: StaticString, in frame: Frame) -> Int64? {
        guard var place = place(of: key, in: frame) else { return nil }
        return digits(&place, in: frame)
    }

    /// Reads up to 18 digits; nil if there is none, or more.
    private static func digits(_ place: inout Int, in frame: Frame) -> Int64? {
        var value: Int64 = 0
        let start = place
        while unsafe place < frame.bytes.count, unsafe (0x30...0x39).contains(frame.bytes[place]) {
            if place - start == 18 { return nil }
            unsafe value = value * 10 + Int64(frame.bytes[place] - 0x30)
            place += 1
        }
        return place > start ? value : nil
    }

    /// The offset after a text that begins within the first 256 bytes; nil if there is none.
    private static func place(of text: StaticString, in frame: Frame) -> Int? {
        let end = unsafe min(frame.bytes.count, 256)
        for start in 0..<end where has(text, at: start, in: frame) { return start + text.utf8CodeUnitCount }
        return nil
    }

    private static func has(_ text: StaticString, at start: Int, in frame: Frame) -> Bool {
        let count = text.utf8CodeUnitCount
        if unsafe start + count > frame.bytes.count { return false }
        for index in 0..<count
        where unsafe frame.bytes[start + index] != text.utf8Start[index] { return false }
        return true
    }
}
