// A reusable, growing run of price levels in raw memory: the parser fills it, the book reads it.
//
// Why not an array: the parser writes levels through a pointer, several at a time, and one buffer serves
// every message; an array would be copied, reference-counted and bounds-checked. Capacity only grows, up to
// `capacityMax`, so a stream allocates only until it has met its largest message.
//
// SAFETY: the struct owns `base`, frees it in `deinit`, and cannot be copied. `count <= capacity` always:
// only this module sets it.

/// A reusable run of price levels. Not copyable; frees itself.
@safe
public struct LevelBuffer: ~Copyable {
    /// First level; valid for `capacity` levels plus `slack` more that kernels may overwrite.
    @usableFromInline
    package private(set) var base: UnsafeMutablePointer<PriceLevel>
    /// Number of levels held; at most `capacity`.
    @inlinable
    public var count: Int { held }
    @usableFromInline
    var held: Int
    /// Number of levels that fit without growing.
    public private(set) var capacity: Int

    /// Largest capacity in levels (32 MB); `reserve` refuses more.
    public static var capacityMax: Int { 1 << 21 }
    /// Levels past `capacity` that a kernel writing several at once may touch.
    public static var slack: Int { 8 }

    /// An empty buffer with room for `capacity` levels, at least 1 and at most `capacityMax`.
    public init(capacity: Int = 256) {
        self.capacity = min(max(capacity, 1), LevelBuffer.capacityMax)
        held = 0
        unsafe base = .allocate(capacity: self.capacity + LevelBuffer.slack)
        unsafe base.initialize(repeating: PriceLevel(0, 0), count: self.capacity + LevelBuffer.slack)
    }

    deinit { unsafe base.deallocate() }

    /// Makes room for `wanted` levels in all, keeping those held.
    ///
    /// - Returns: false if `wanted` exceeds `capacityMax`; the buffer is then unchanged.
    /// - Complexity: O(1) if they fit; otherwise one allocation at least twice the present one, and a copy.
    @inlinable
    @inline(__always)
    public mutating func reserve(_ wanted: Int) -> Bool { wanted <= capacity || grow(wanted) }

    @usableFromInline
    @inline(never)
    mutating func grow(_ wanted: Int) -> Bool {
        if wanted > LevelBuffer.capacityMax { return false }
        let larger = min(max(wanted, capacity * 2), LevelBuffer.capacityMax)
        let room: UnsafeMutablePointer<PriceLevel> = .allocate(capacity: larger + LevelBuffer.slack)
        unsafe room.initialize(repeating: PriceLevel(0, 0), count: larger + LevelBuffer.slack)
        unsafe room.update(from: base, count: count)
        unsafe base.deallocate()
        unsafe base = unsafe room
        capacity = larger
        return true
    }

    /// Appends one level, growing if needed; false, with nothing appended, beyond `capacityMax`.
    @inlinable
    @discardableResult
    public mutating func append(_ level: PriceLevel) -> Bool {
        if count == capacity && !reserve(count + 1) { return false }
        unsafe base[count] = level
        held += 1
        return true
    }

    /// Adds to `count` the levels a kernel has written past the last one; there must be room for them.
    @inlinable
    @inline(__always)
    package mutating func noteWritten(_ written: Int) {
        precondition(written >= 0 && written <= capacity - count, "levels written beyond the buffer")
        held += written
    }

    /// Removes all levels, keeping the memory.
    @inlinable
    public mutating func removeAll() { held = 0 }

    /// The level at `index`, `0 ..< count`.
    @inlinable
    public subscript(index: Int) -> PriceLevel {
        get {
            precondition(index >= 0 && index < count, "level index out of range")
            return unsafe base[index]
        }
        set {
            precondition(index >= 0 && index < count, "level index out of range")
            unsafe base[index] = newValue
        }
    }

    /// The levels as an array, for tests and tools.
    public func array() -> [PriceLevel] { unsafe Array(UnsafeBufferPointer(start: base, count: count)) }

    /// Replaces the contents with an array of at most `capacityMax` levels, for tests and tools.
    public mutating func assign(_ levels: [PriceLevel]) {
        precondition(levels.count <= LevelBuffer.capacityMax, "too many levels")
        removeAll()
        for level in levels { append(level) }
    }
}
