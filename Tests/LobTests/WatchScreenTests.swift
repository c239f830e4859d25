import Testing

@testable import lob

@Suite struct WatchScreenTests {
    private func book(_ count: Int, state: String = "live", reason: String? = nil) -> WatchedBook {
        let levels = { (first: Int, step: Int) in
            (0..<count).map { ["\(first + step * $0).50000000", "\(1 + $0 * 37).12500000"] }
        }
        let isLive = state == "live"
        return WatchedBook(
            symbol: "BTCUSDT", state: state, reason: reason, isServed: isLive, lastUpdateId: 12_345,
            bids: .init(levels: isLive ? levels(61_000, -1) : nil),
            asks: .init(levels: isLive ? levels(61_001, 1) : nil))
    }

    @Test func itFitsEverySize() {
        for columns in 40...200 {
            for rows in [1, 2, 3, 10, 50] {
                var screen = WatchScreen(hasColours: false)
                let lines = screen.lines(book(30), trouble: nil, size: (rows, columns))
                #expect(
                    lines.count <= max(rows, 2) && lines.allSatisfy { $0.count <= columns },
                    "\(columns) \(rows)")
                if rows > 2 { #expect(lines.count == min(rows, 32)) }
            }
        }
    }

    @Test func fortyColumns() {
        var screen = WatchScreen(hasColours: false)
        let lines = screen.lines(book(2), trouble: nil, size: (10, 40))
        #expect(
            lines.count == 4 && lines[0] == "BTCUSDT   live   update 12345" && lines[1] == "spread 0.16 bp")
        #expect(lines[2].contains("61000.5   61001.5") && lines[3].contains("60999.5   61002.5"))
    }

    /// What is not live is not shown as if it were: its last levels stand below a line that says so.
    @Test func staleIsSaid() {
        var screen = WatchScreen(hasColours: true)
        _ = screen.lines(book(3), trouble: nil, size: (10, 80))
        let stale = screen.lines(book(0, state: "stale", reason: "gap"), trouble: nil, size: (10, 80))
        #expect(stale[1].contains("STALE: stale, gap") && stale.count == 5)
        #expect(stale[2].hasPrefix("\u{1B}[2m"))
        let gone = screen.lines(book(3), trouble: "no contact", size: (10, 80))
        #expect(gone[1].contains("STALE: no contact") && gone[2].hasPrefix("\u{1B}[2m"))
        var fresh = WatchScreen(hasColours: false)
        #expect(fresh.lines(nil, trouble: nil, size: (10, 40)) == ["waiting for the server", ""])
    }

    @Test func linesForPipes() {
        #expect(
            book(1).line == "BTCUSDT  live  12345  61000.50000000 x 1.12500000 | 61001.50000000 x 1.12500000")
        let stale = book(0, state: "stale", reason: "gap")
        #expect(stale.line == "BTCUSDT  stale, gap  12345  - | -")
        #expect(book(1).looksLike(book(1)) && !book(1).looksLike(stale))
    }
}
