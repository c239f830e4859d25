// What a run records, and how long the recording is kept.

import ArgumentParser
import BookRecording
import BookService
import Logging

/// Arguments for the recorder.
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
        try KeptLimits.validate("record", gib: recordKeep, days: recordDays)
    }

    /// The same as recorder options; nil if nothing is recorded.
    var options: RecorderOptions? {
        guard let record else { return nil }
        var options = RecorderOptions(folder: record)
        options.keptBytesMax = KeptLimits.bytes(gib: recordKeep)
        options.keptNsMax = KeptLimits.ns(days: recordDays)
        return options
    }
}

extension BookRecorder {
    /// Starts recording a service, and logs it.
    static func start(
        _ service: BookService, _ options: RecorderOptions, _ logger: Logger
    ) throws(RecorderError) -> BookRecorder {
        try BookRecorder(service, options) { event in
            logger.log(level: event.isTrouble ? .error : .info, "\(event)")
        }
    }
}

extension RecorderSummary {
    /// One line for the terminal.
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
