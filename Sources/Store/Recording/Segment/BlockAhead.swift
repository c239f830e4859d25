// A block of a segment that another thread reads and unpacks while the caller works on the one before.
//
// SAFETY: `result` is written once, before the group is left, and read only behind its wait.

import Dispatch

/// A block being read.
final class BlockAhead: @unchecked Sendable {
    /// What reading a block gives.
    typealias Found = Result<(header: BlockHeader, frames: FrameCursor)?, SegmentError>

    /// Its position.
    let offset: Int
    private let group = DispatchGroup()
    private var result: Found = .success(nil)

    /// Starts to read.
    ///
    /// - Parameter read: runs on another thread.
    init(offset: Int, _ read: @escaping @Sendable () -> Found) {
        self.offset = offset
        DispatchQueue.global().async(group: group) { [self] in result = read() }
    }

    /// Waits for the block.
    func wait() -> Found {
        group.wait()
        return result
    }
}
