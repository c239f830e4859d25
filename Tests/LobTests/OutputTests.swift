// Where results go, and what is said of it.

import Foundation
import Testing

@Suite struct OutputTests {
    /// Results that cannot be written are a failure of every command; a reader that has enough is none.
    @Test(arguments: [
        "replay c --snapshot s", "replay c --snapshot s --json --book", "simulate --seeds 1 --seconds 1",
    ])
    func resultsThatCannotBeWritten(_ arguments: String) throws {
        let shop = try Workshop()
        try shop.write("c", Session.events)
        try shop.write("s", Session.snapshot)
        let full = try shop.run(shell: "lob \(arguments) > /dev/full")
        #expect(
            full.status == 1 && full.err.contains("lob: standard output: No space left on device"),
            "\(full.all)")
        let read = try shop.run(shell: "lob \(arguments)")
        #expect(read.status == 0 && !read.out.isEmpty, "\(read.all)")
        #expect(
            try shop.run(shell: "lob replay c --snapshot s --json | true").err.contains("standard output")
                == false)
    }

    /// The rate is of the same work however the file came.
    @Test func theRateSaysWhatIsTimed() throws {
        let shop = try Workshop()
        try shop.write("c", Session.events)
        try shop.write("s", Session.snapshot)
        let ran = try shop.run("replay", "c", "--snapshot", "s")
        #expect(ran.out.contains("without reading and unpacking: "))
        let paced = try shop.run("replay", "c", "--snapshot", "s", "--speed", "1000")
        #expect(paced.status == 0 && !paced.out.contains("messages/s"))
    }

    /// Times of a capture may be any at all.
    @Test func timesFarApart() throws {
        let shop = try Workshop()
        try shop.write("c", ["1000000000 \(Session.events[0])", "9000000000 \(Session.events[1])"])
        try shop.write("s", Session.snapshot)
        #expect(try shop.run("replay", "c", "--snapshot", "s", "--speed", "0.5").status == 0)
        #expect(try shop.run("replay", "c", "--snapshot", "s", "--speed", "1e-308").status == 0)
        let late = Session.events.map { $0.replacing("\"E\":1790000000", with: "\"E\":9223372036854775") }
        try shop.write("e", [Session.events[0], late[1].replacing("854775200", with: "854775807")])
        let ran = try shop.run(
            shell: "timeout -s INT 2 \(Workshop.program) exchange --capture e --at-once --listen 127.0.0.1:0")
        #expect(ran.status == 0 || ran.status == 124, "\(ran.all)")
    }

    /// Files are called as they were named.
    @Test func filesHaveTheirNames() throws {
        let shop = try Workshop()
        try shop.write("c", "hello\n")
        #expect(try shop.run("exchange", "--capture", "/dev/null").err.contains("/dev/null: "))
        let piped = try shop.run(shell: "cat c | lob exchange --capture -")
        #expect(
            piped.status == 1 && piped.err.contains("standard input: 1 line of other text"), "\(piped.all)")
        let wrong = try shop.run("exchange", "--capture", "c", "--symbols", "3")
        #expect(wrong.status == 64 && wrong.err.contains("Usage: lob exchange"), "\(wrong.all)")
    }
}
