// Lines that hold no message, and what to do about them.

/// An unusable line of a capture. Lines of one kind are counted together.
package enum ForeignLine: Hashable, Sendable {
    /// Comma- or tab-separated values.
    case table
    /// A row of a table with a column of JSON.
    case tableOfJSON
    /// A Python dictionary.
    case python
    /// An array of messages.
    case array
    /// An array containing a message beside other values, such as a time or a stream name.
    case row
    /// Part of JSON that spans several lines.
    case spread
    /// Several objects on one line.
    case glued
    /// A text before the message.
    case prefix
    /// An HTML page.
    case page
    /// Text of another kind.
    case text
    /// Depth of European options.
    case options
    /// Depth of the book that includes retail price improvement orders.
    case retail
    /// A depth update without its event type.
    case untypedEvent
    /// A book as printed by ccxt.
    case unifiedBook
    /// An object with several members that hold messages.
    case ambiguous
    /// An object of unknown shape.
    case unknown

    /// Whether such lines among its messages mean that a capture is damaged.
    package var isFault: Bool {
        switch self {
        case .retail, .unknown, .options: false
        case _: true
        }
    }

    /// A description of this many lines, without details of the first.
    func words(_ count: Int) -> String {
        let plural = count != 1
        switch self {
        case .table: return plural ? "rows of CSV" : "row of CSV"
        case .tableOfJSON:
            return plural ? "rows of CSV with a column of JSON" : "row of CSV with a column of JSON"
        case .python: return plural ? "Python reprs (single quotes)" : "Python repr (single quotes)"
        case .array: return plural ? "lines of a JSON array" : "line of a JSON array"
        case .row:
            return plural ? "JSON arrays with a message in each" : "JSON array with a message in it"
        case .spread: return plural ? "lines of JSON spread over several" : "line of JSON spread over several"
        case .glued: return plural ? "lines of several objects" : "line of several objects"
        case .prefix:
            return plural ? "lines with text before the message" : "line with text before the message"
        case .page: return plural ? "lines of HTML" : "line of HTML"
        case .text: return plural ? "lines of other text" : "line of other text"
        case .options:
            return (plural ? "events" : "event")
                + " of type `depth` as European options have them; options are not supported"
        case .retail:
            return (plural ? "events" : "event") + " of rpiDepth streams, which are no part of the book"
        case .untypedEvent: return plural ? "depth updates without \"e\"" : "depth update without \"e\""
        case .unifiedBook: return plural ? "books as ccxt gives them" : "book as ccxt gives it"
        case .ambiguous: return (plural ? "objects" : "object") + " with several messages in it"
        case .unknown: return (plural ? "objects" : "object") + " of no known shape"
        }
    }

    /// How to make such lines readable; `FILE` stands for the file.
    var advice: String? {
        switch self {
        case .table: "lob reads lines of JSON"
        case .tableOfJSON:
            "lob reads lines of JSON; take the column out: python3 -c \"import csv,sys; "
                + "csv.field_size_limit(1<<30); [print(r[-1]) for r in csv.reader(open(sys.argv[1]))]\" FILE "
                + "| lob replay -"
        case .python:
            "convert it: python3 -c \"import ast,json,sys; [print(json.dumps(ast.literal_eval("
                + "l[l.index('{'):]))) for l in open(sys.argv[1])]\" FILE | lob replay -"
        case .array: "lob reads one message a line: jq -c '.[]' FILE | lob replay -"
        case .row: "lob reads one message a line: jq -c '.[] | objects' FILE | lob replay -"
        case .spread, .glued: "lob reads one message a line: jq -c . FILE | lob replay -"
        case .prefix: "cut it off: sed 's/^[^{]*//' FILE | lob replay -"
        case .untypedEvent: "add it: jq -c '{e:\"depthUpdate\"} + .' FILE | lob replay -"
        case .unifiedBook: "lob needs lastUpdateId and levels as the venue sends them"
        case .page, .text, .options, .retail, .ambiguous, .unknown: nil
        }
    }
}

/// The unusable lines of a file: the first of each kind, and how many.
package struct ForeignLineTally: Sendable {
    /// The lines of one kind.
    package struct Entry: Sendable {
        /// Their kind.
        package internal(set) var kind: ForeignLine
        /// Number of the first line.
        package let line: Int
        /// Details of the first one: its members, its columns, its beginning.
        package let detail: String
        /// How many there are.
        package internal(set) var count = 1
    }

    /// By kind, in the order of their first lines.
    package private(set) var entries: [Entry] = []

    /// No unusable lines.
    package init() {}

    /// Counts a line.
    package mutating func note(_ kind: ForeignLine, line: Int, detail: @autoclosure () -> String) {
        if let index = entries.firstIndex(where: { $0.kind == kind }) {
            entries[index].count += 1
        } else if kind == .tableOfJSON, let index = entries.firstIndex(where: { $0.kind == .table }) {
            // The preceding lines are the column names.
            entries[index].kind = .tableOfJSON
            entries[index].count += 1
        } else {
            entries.append(Entry(kind: kind, line: line, detail: detail()))
        }
    }
}

extension ForeignLineTally.Entry {
    /// A sentence about them.
    ///
    /// - Parameter file: the file's name.
    package func sentence(_ file: String) -> String {
        var text = "\(file): \(count) \(kind.words(count))"
        switch kind {
        case .table, .tableOfJSON: text += detail.isEmpty ? "" : " (\(detail))"
        case .unknown, .ambiguous, .unifiedBook, .untypedEvent:
            text += ", the first (line \(line)) has the members \(detail)"
        case .options, .retail: text += ", the first at line \(line)"
        case _: text += ", the first at line \(line): \(detail)"
        }
        if let advice = kind.advice { text += "; " + advice.replacing("FILE", with: file) }
        return text
    }
}
