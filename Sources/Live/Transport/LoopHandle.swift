// What other threads may do with a loop: post commands, wake it, read its counters.

import CLobTransport
import LobHandoff

/// A loop as seen from any thread. May outlive the loop; commands are then refused.
package final class LoopHandle: Sendable {
    /// A piece of work for the loop's thread.
    package typealias Command = @Sendable (EventLoop) -> Void

    private let handle: RemoteHandle
    private let commands: CommandQueue<Command>

    init(_ handle: RemoteHandle, commandCountMax: Int) {
        self.handle = handle
        commands = CommandQueue(capacity: commandCountMax)
    }

    /// Posts a command to the loop's thread and wakes it.
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

    /// Totals of the loop so far.
    package var counters: TransportCounters { TransportCounters(handle) }

    /// Runs the waiting commands. Thread: the loop's.
    func run(on loop: EventLoop) {
        for command in commands.take() { command(loop) }
    }

    /// Runs the waiting commands and refuses all later ones. Thread: the loop's.
    func close(on loop: EventLoop) {
        for command in commands.close() { command(loop) }
    }

    /// Thread: the loop's.
    func count(_ counter: ct_counter, _ increment: Int = 1) { handle.count(counter, increment) }
}
