import BinanceVenue
import DepthBook
import Foundation
import MarketData

@testable import BookExports

/// A book that is exported, made of messages as the venue writes them.
struct ExportedBook: ~Copyable {
    var book = OrderBook()
    var exporter: BookExporter
    private var parser = MessageParser()
    private var replacements = 0

    init(_ sink: any BookSink, _ options: BookExporter.Options = .init()) {
        exporter = BookExporter(sink, options)
    }

    /// A snapshot of so many levels a side at most.
    mutating func load(
        _ id: Int, _ bids: [(String, String)], _ asks: [(String, String)], limit: Int, atNs: Int64
    ) throws {
        let text = "{\"lastUpdateId\":\(id),\"bids\":\(json(bids)),\"asks\":\(json(asks))}"
        try parser.parseSnapshot(Array(text.utf8).span)
        book.load(parser.snapshot, limit: limit)
        replacements += 1
        show(atNs: atNs, Array(text.utf8))
    }

    /// An update, of a book that is believed or not.
    mutating func update(
        _ first: Int, _ last: Int, _ bids: [(String, String)], _ asks: [(String, String)] = [], atNs: Int64,
        isProven: Bool = true, isApplied: Bool = true
    ) throws {
        sample(atNs: atNs)
        let text =
            "{\"e\":\"depthUpdate\",\"E\":\(atNs / 1_000_000),\"s\":\"BTCUSDT\",\"U\":\(first),\"u\":\(last),"
            + "\"b\":\(json(bids)),\"a\":\(json(asks))}"
        _ = try parser.parse(Array(text.utf8).span, market: .spot)
        if isApplied { try book.apply(parser.update) }
        show(atNs: atNs, Array(text.utf8), isProven: isProven)
    }

    mutating func sample(atNs: Int64) {
        exporter.advance(atNs: atNs) { _, body in body(book) }
    }

    /// Shows the exporter the book, as that of any symbol.
    mutating func show(
        _ symbol: SymbolName = "BTCUSDT", atNs: Int64, _ message: [UInt8] = [], isProven: Bool = true
    ) {
        exporter.look(
            symbol, isProven: isProven, book, replacements: replacements, parser.update,
            message: message.span, atNs: atNs)
    }

    private func json(_ levels: [(String, String)]) -> String {
        "[" + levels.map { "[\"\($0.0)\",\"\($0.1)\"]" }.joined(separator: ",") + "]"
    }
}

/// A file of a test, gone with it.
final class ExportPlace {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("lob-export-\(UUID())").path

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(isPatched: Bool = false) throws -> ExportFile {
        try ExportFile(path: path, isPatched: isPatched)
    }

    /// What other names beside it have behind its own.
    var neighbours: [String] {
        let url = URL(fileURLWithPath: path)
        let folder = url.deletingLastPathComponent().path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let own = url.lastPathComponent
        return names.filter { $0.hasPrefix(own) && $0 != own }.map { String($0.dropFirst(own.count)) }
    }

    var bytes: [UInt8] { Array((try? Data(contentsOf: URL(fileURLWithPath: path))) ?? Data()) }

    var lines: [String] { String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { String($0) } }
}
