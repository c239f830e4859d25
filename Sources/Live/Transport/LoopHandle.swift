// What other threads may do with a loop: hand it commands, wake it, read its counters.

import CLobTransport

/// A loop as seen from any thread. It may outlive the loop; commands are refused then.
public final class LoopHandle: @unchecked Sendable {
    /// A command for the loop's thread.
    public typealias Command = @Sendable (EventLoop) -> Void

    private let handle: RemoteHandle
    private let commandCountMax: Int
    /// Touched under the lock of `handle` only.
    private var commands: [Command] = []
    private var isClosed = false

    init(_ handle: RemoteHandle, commandCountMax: Int) {
        (self.handle, self.commandCountMax) = (handle, commandCountMax)
    }

    /// Hands a command to the loop's thread and wakes it.
    ///
    /// - Returns: false if the queue is full or the loop closed; the command was not accepted. An accepted
    ///   command is run, at the latest when the loop is closed.
    public func post(_ command: @escaping Command) -> Bool {
        let (isTaken, isFirst) = handle.locked {
            let isTaken = !isClosed && commands.count < commandCountMax
            if isTaken { commands.append(command) }
            return (isTaken, commands.count == 1)
        }
        if isTaken && isFirst { handle.wake() }
        return isTaken
    }

    /// Makes a waiting turn return.
    public func wake() { handle.wake() }

    /// What the loop has done so far.
    public var counters: TransportCounters { TransportCounters(handle) }

    /// Runs the waiting commands. Thread: the loop's.
    func run(on loop: EventLoop) { take(isLast: false).forEach { $0(loop) } }

    /// Runs the waiting commands and refuses later ones. Thread: the loop's.
    func close(on loop: EventLoop) { take(isLast: true).forEach { $0(loop) } }

    private func take(isLast: Bool) -> [Command] {
        handle.locked {
            defer { commands = [] }
            isClosed = isLast
            return commands
        }
    }

    /// Thread: the loop's.
    func count(_ counter: ct_counter, _ increment: Int = 1) { handle.count(counter, increment) }
}
