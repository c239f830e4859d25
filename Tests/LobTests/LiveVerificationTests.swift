// What a comparison with the venue says of a server that cannot be reached.

import Testing

@testable import lob

@Suite struct LiveVerificationTests {
    @Test func theCauseIsNamed() {
        #expect(LiveVerification.words(snapshots: "", streams: ["", ""]).isEmpty)
        #expect(
            LiveVerification.words(snapshots: "", streams: ["", "refused"])
                == ", the last error of the server's stream was: refused")
        #expect(
            LiveVerification.words(snapshots: "429", streams: ["refused"])
                == ", the last error was: 429, the last error of the server's stream was: refused")
    }
}
