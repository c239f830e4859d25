// A value that only its loop's thread may touch.

import LobTransport

/// A reference to an object that only its loop's thread may touch.
final class LoopConfined<Value: AnyObject>: @unchecked Sendable {
    private weak var value: Value?

    init(_ value: Value) { self.value = value }

    /// Runs `body` with the object on its loop's thread, if it is still alive then.
    ///
    /// - Returns: false if the loop's queue is full or the loop closed; nothing will happen.
    func post(_ remote: LoopHandle, _ body: @escaping @Sendable (Value) -> Void) -> Bool {
        remote.post { [self] _ in if let value { body(value) } }
    }
}
