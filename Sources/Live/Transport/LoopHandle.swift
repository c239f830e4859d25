// What other threads may do with a loop: hand it commands, wake it, read its counters.

import CLobTransport
import LobHandoff

/// A loop as seen from any thread. It may outlive the loop; commands are refused then.
package final class LoopHandle: Sendable {
    /// A piece of work for the loop's thread.
    package typealias Command = @Sendable (EventLoop) -> Void

    private let handle: RemoteHandle
    private let commands: CommandQueue<Command>

    init(_ handle: RemoteHandle, commandCountMax: Int) {
        self.handle = handle
        commands = CommandQueue(capacity: commandCountMax)
    }

    /// Hands a command to the loop's thread and wakes it.
    ///
    /// - Returns: false if the queue is full or the loop closed; the command was not accepted. An accepted
    ///   command is run, at the latest when the loop is closed.
    package func post(_ command: @escaping Command) -> Bool {
        if !commands.post(command) { return false }
        handle.wake()
        return true
    }

    /// Makes a waiting turn return.
    package func wake() { handle.wake() }

    /// What the loop has done so far.
    package var counters: TransportCounters { TransportCounters(handle) }

    /// Runs what waits. Thread: the loop's.
    func run(on loop: EventLoop) {
        for command in commands.take() { command(loop) }
    }

    /// Runs what waits and refuses whatever comes later. Thread: the loop's.
    func close(on loop: EventLoop) {
        for command in commands.close() { command(loop) }
    }

    /// Thread: the loop's.
    func count(_ counter: ct_counter, _ increment: Int = 1) { handle.count(counter, increment) }
}
