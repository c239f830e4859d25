// The command line: arguments, wiring, exit status. What is done is done in the modules below.
//
// Exit status: 0 done and nothing wrong; 1 it failed; 2 it ran and found a mismatch or a gap it could not
// mend; 64 wrong usage.

import ArgumentParser

/// The `lob` command.
@main
struct Lob: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lob",
        abstract: "Exact local copies of Binance's order books.",
        discussion: "Results go to standard output, everything else to standard error.",
        version: "0.1.0",
        subcommands: [
            RunCommand.self, DemoCommand.self, ReplayCommand.self, SimulateCommand.self, MarketCommand.self,
            ExchangeCommand.self,
        ])
}
