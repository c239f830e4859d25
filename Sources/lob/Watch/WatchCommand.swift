// `lob watch`: the ladder of a book, from a server's own API.

import ArgumentParser
import Foundation
import LobTransport
import MarketData

struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Watch a book of a running server.",
        discussion: """
            Polls the server of 'lob run --serve' five times a second. In a terminal the ladder fills the \
            window; otherwise each change of the best levels or of the state is a line on standard output, \
            with --json the server's own answer. Ctrl-C ends it.

            A book that is not live keeps its last levels on the screen, dim, below a line that says why.

            Exit status: 0 ended by a signal, by --seconds or by a closed pipe; 1 the server cannot be \
            reached or keeps no such book; 64 wrong usage.
            """)

    @Argument(help: ArgumentHelp("Symbol, such as BTCUSDT.", valueName: "symbol"))
    var symbol: String

    @Option(help: ArgumentHelp("Address of the server.", valueName: "host:port"))
    var server = "127.0.0.1:9443"

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("End after this many seconds.", valueName: "s"))
    var seconds: Double?

    @Flag(help: "The server's answers as JSON, one per line.")
    var json = false

    private static let intervalNs: Int64 = 200_000_000

    func validate() throws {
        if SymbolName(argument: symbol) == nil {
            throw ValidationError("\(symbol): no symbol has such a name.")
        }
        if let seconds, !(seconds > 0 && seconds <= 1e9) {
            throw ValidationError("--seconds must be above 0 and at most 1000000000.")
        }
        _ = try base()
    }

    private func base() throws -> String {
        let url = server.contains("://") ? server : "http://\(server)"
        do throws(TransportError) {
            _ = try ServiceURL(url)
        } catch {
            throw ValidationError("--server \(server): \(error).")
        }
        return url.hasSuffix("/") ? String(url.dropLast()) : url
    }

    func run() throws {
        StopSignals.install()
        let limit = RunLimit(seconds: seconds)
        let loop = try EventLoop()
        defer { loop.close() }
        let isPicture = isatty(1) == 1 && !json
        var watch = Watch(isPicture: isPicture, isJSON: json)
        defer { watch.end() }
        let name = SymbolName(argument: symbol).map { "\($0)" } ?? symbol
        while !StopSignals.isRaised && !limit.isOver && !watch.isOver {
            let clock = Stopwatch()
            let limit = isPicture ? max(Console.pictureSize.rows, 1) : 1
            let answer = WatchCommand.get("\(try base())/v1/books/\(name)?limit=\(limit)", on: loop)
            try watch.take(answer)
            while clock.elapsedNs < WatchCommand.intervalNs && !StopSignals.isRaised { usleep(10_000) }
        }
    }

    /// A server's answer, or why there is none.
    struct Answer {
        var status = 0
        var body = Data()
        var trouble: String?
    }

    private static func get(_ url: String, on loop: EventLoop) -> Answer {
        var answer = Answer()
        var isOver = false
        var handlers = HTTPFetch.Handlers(
            body: { bytes in for index in bytes.indices { answer.body.append(bytes[index]) } },
            finished: { error in
                answer.trouble = error.map { "\($0)" }
                isOver = true
            })
        handlers.answered = { answer.status = $0 }
        var options = HTTPFetch.Options()
        options.limitMs = 3_000
        guard let url = try? ServiceURL(url) else { return answer }
        let fetch = HTTPFetch(url, on: loop, options: options, handlers: handlers)
        loop.run { isOver || StopSignals.isRaised }
        if !isOver { fetch.cancel() }
        return answer
    }
}

/// What has been seen of a book, and where it is shown.
private struct Watch {
    let isPicture: Bool
    let isJSON: Bool
    /// Whether nobody reads the output any more.
    private(set) var isOver = false
    private var screen = WatchScreen(hasColours: ProcessInfo.processInfo.environment["NO_COLOR"] == nil)
    private var last: WatchedBook?
    private var isDrawn = false

    init(isPicture: Bool, isJSON: Bool) { (self.isPicture, self.isJSON) = (isPicture, isJSON) }

    /// Shows an answer.
    ///
    /// - Throws: `ExitCode` 1 if there will be none.
    mutating func take(_ answer: WatchCommand.Answer) throws {
        if StopSignals.isRaised && answer.trouble != nil { return }
        var trouble = answer.trouble.map { "no contact with the server: \($0)" }
        var book: WatchedBook?
        if trouble == nil {
            if answer.status == 404 || answer.status == 400 {
                let refusal = try? JSONDecoder().decode(ServerRefusal.self, from: answer.body)
                try fail(refusal?.detail ?? "the server has no such book")
            }
            book = try? JSONDecoder().decode(WatchedBook.self, from: answer.body)
            if book == nil { trouble = "the server's answer \(answer.status) is no book" }
        }
        if last == nil, let trouble { try fail(trouble) }
        if isPicture {
            draw(book ?? last, trouble)
        } else {
            tell(book, trouble, answer.body)
        }
        last = book ?? last
    }

    private mutating func fail(_ why: String) throws {
        end()
        printError("lob: \(why)")
        throw ExitCode(1)
    }

    private mutating func tell(_ book: WatchedBook?, _ trouble: String?, _ body: Data) {
        guard let book else { return printError("lob: \(trouble ?? "")") }
        if let last, last.looksLike(book) { return }
        let line = isJSON ? String(decoding: body, as: UTF8.self) : "\(utcTimestamp())  \(book.line)"
        Output.write(line)
        isOver = Output.isOver
    }

    private mutating func draw(_ book: WatchedBook?, _ trouble: String?) {
        let size = Console.pictureSize
        let lines = screen.lines(book, trouble: trouble, size: (size.rows, size.columns))
        // The terminal's alternate screen, without a cursor; each line erases what was there.
        var text = isDrawn ? "" : "\u{1B}[?1049h\u{1B}[?25l"
        isDrawn = true
        text += "\u{1B}[H" + lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n") + "\u{1B}[J"
        Output.writePart(text)
        isOver = Output.isOver
    }

    /// Restores the terminal.
    mutating func end() {
        if isDrawn { Output.writePart("\u{1B}[?25h\u{1B}[?1049l") }
        isDrawn = false
    }
}
