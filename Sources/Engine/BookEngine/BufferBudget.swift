// The memory shared by all buffers of an engine.

import LobHandoff

/// The memory held by all buffers of an engine, in bytes, and its limit.
final class BufferBudget {
    private(set) var byteCount = 0
    let bytesMax: Int

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// Reserves bytes; false if not enough are left.
    func take(_ count: Int) -> Bool {
        if count > bytesMax - byteCount { return false }
        byteCount += count
        return true
    }

    func giveBack(_ count: Int) { byteCount -= count }
}
