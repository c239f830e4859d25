// What other threads may do with a loop: hand it commands, wake it, read its counters.

import CTransport

/// A loop as seen from any thread. It may outlive the loop; commands posted then are never run.
public final class LoopRemote: @unchecked Sendable {
    /// A piece of work for the loop's thread.
    public typealias Command = @Sendable (EventLoop) -> Void

    private let handle: RemoteHandle
    private let commandCountMax: Int
    /// Touched under the lock of `handle` only.
    private var commands: [Command] = []

    init(_ handle: RemoteHandle, commandCountMax: Int) {
        (self.handle, self.commandCountMax) = (handle, commandCountMax)
    }

    /// Hands a command to the loop's thread and wakes it.
    ///
    /// - Returns: false if the queue is full; the command was not taken.
    public func post(_ command: @escaping Command) -> Bool {
        let (isTaken, isFirst) = handle.locked {
            let isTaken = commands.count < commandCountMax
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

    /// Thread: the loop's.
    func run(on loop: EventLoop) {
        let batch = handle.locked {
            defer { commands = [] }
            return commands
        }
        for command in batch { command(loop) }
    }

    /// Thread: the loop's.
    func count(_ counter: ct_counter, _ increment: Int = 1) { handle.count(counter, increment) }
}
