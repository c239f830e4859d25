// What of a run is recorded, and how long that is kept.

import ArgumentParser
import BookRecording
import BookService
import Logging

/// Arguments of the recorder.
struct RecordArguments: ParsableArguments {
    @Option(help: ArgumentHelp("Record everything received into this folder.", valueName: "dir"))
    var record: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Keep the newest segments, up to this many GiB.", valueName: "GiB"))
    var recordKeep: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Keep this many days of the folder.", valueName: "days"))
    var recordDays: Double?

    func validate() throws {
        if record == nil && (recordKeep != nil || recordDays != nil) {
            throw ValidationError("--record-keep and --record-days need --record.")
        }
        for (name, value) in [("keep", recordKeep), ("days", recordDays)] {
            guard let value else { continue }
            if !(value > 0 && value <= 1_000_000) {
                throw ValidationError("--record-\(name) must be above 0 and at most 1000000.")
            }
        }
    }

    /// The same for a recorder; nil if nothing is recorded.
    var options: RecorderOptions? {
        guard let record else { return nil }
        var options = RecorderOptions(folder: record)
        options.keptBytesMax = recordKeep.map { Int($0 * Double(1 << 30)) }
        options.keptNsMax = recordDays.map { Int64(min($0 * 86_400e9, 1e18)) }
        return options
    }
}

extension BookRecorder {
    /// Starts to record a service, and says so in the log.
    static func start(
        _ service: BookService, _ options: RecorderOptions, _ logger: Logger
    ) throws(RecorderError) -> BookRecorder {
        try BookRecorder(service, options) { event in
            logger.log(level: event.isTrouble ? .error : .info, "\(event)")
        }
    }
}

extension RecorderSummary {
    /// One line for people.
    var text: String {
        let ratio = bytes == 0 ? 0 : Double(unpackedBytes) / Double(bytes)
        let parts = [
            "recorded \(counted(writtenFrames, "frame")) in \(counted(blocks, "block")) of "
                + "\(counted(segments, "segment")), \(byteText(bytes))",
            "\(fixed(ratio, 1)) times smaller than unpacked", counted(gaps, "gap"),
            "\(counted(lostFrames, "frame")) not written",
            "books compared with their readers' \(viewsAgreed)/\(viewsCompared)",
        ]
        return parts.joined(separator: "; ")
    }
}
