// The memory that all buffers of an engine share.

import LobHandoff

/// The bytes that all buffers of an engine hold together, and how many they may.
final class BufferBudget {
    private(set) var byteCount = 0
    let bytesMax: Int

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// Reserves bytes; false if there are not enough.
    func take(_ count: Int) -> Bool {
        if count > bytesMax - byteCount { return false }
        byteCount += count
        return true
    }

    func giveBack(_ count: Int) { byteCount -= count }
}
