// The command line: arguments, wiring, exit status. The work is done in the modules below.
//
// Exit status: 0 done and nothing wrong; 1 it failed, or its results could not be written; 2 it ran and found
// a mismatch or a gap it could not mend; 64 wrong usage.

import ArgumentParser
import Glibc

/// The `lob` command.
@main
struct Lob: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lob",
        abstract: "Exact local copies of Binance's order books.",
        discussion: "Results go to standard output, everything else to standard error.",
        version: "0.1.0",
        subcommands: [
            RunCommand.self, DemoCommand.self, ReplayCommand.self, VerifyCommand.self,
            RecordInfoCommand.self, ConvertCommand.self,
            ExportCommand.self, SimulateCommand.self, MarketCommand.self,
            ExchangeCommand.self, WatchCommand.self, HistoryCommand.self,
        ])

    /// Runs a command. Wrong usage that shows only when it runs is answered with the usage of that command.
    static func main() {
        do {
            var command = try parseAsRoot()
            do {
                try command.run()
                try checkOutput()
            } catch let error as ValidationError {
                printError("Error: \(error.message)\nUsage: \(usageString(for: type(of: command)))")
                throw ExitCode.validationFailure
            } catch {
                try checkOutput()
                throw error
            }
        } catch {
            exit(withError: error)
        }
    }

    private static func checkOutput() throws {
        if Output.isCut { throw ExitCode(130) }
        guard let failure = Output.failure else { return }
        printError("lob: standard output cannot be written: \(failure)")
        throw ExitCode(1)
    }
}
