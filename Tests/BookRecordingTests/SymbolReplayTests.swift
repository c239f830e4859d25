import Glibc
import LobRecording
import MarketData
import Testing

@testable import BookRecording

/// A replay of one symbol leaves out what is not its own, and comes to the same book.
@Suite struct SymbolReplayTests {
    private static func record(_ folder: RecordFolder, seed: UInt64) throws -> Traffic {
        var options = RecorderOptions(folder: folder.path)
        (options.blockBytes, options.baseEveryNs) = (700, 3_000_000_000)
        (options.segmentEveryNs, options.baseFramesMin) = (7_000_000_000, 0)
        options.waitingBlocksMax = 100_000
        let driven = try DrivenRecorder(options)
        let traffic = Traffic(nil, seed: seed)
        traffic.observer = { driven.recorder.take($0) }
        driven.recorder.begin(traffic.atNs)
        traffic.connect()
        for _ in 0..<1500 { traffic.step() }
        _ = driven.recorder.finish(traffic.atNs)
        return traffic
    }

    @Test(arguments: [80, 81, 82]) func theSameBook(_ seed: UInt64) throws {
        let folder = RecordFolder()
        let traffic = try SymbolReplayTests.record(folder, seed: seed)
        let stream = try RecordedStream.all(at: folder.path)[0]
        let whole = try RecordingVerification(stream)
        #expect(!whole.isDamaged && whole.skippedBlocks == 0)
        for symbol in Traffic.symbols {
            let part = try RecordingVerification(stream, only: [symbol])
            #expect(!part.isDamaged, "\(part.mismatches), \(part.counters)")
            #expect(part.skippedBlocks > part.blocks / 50, "\(part.skippedBlocks) of \(part.blocks)")
            #expect(part.symbols.map(\.status.symbol) == [symbol])
            let counters = part.counters
            #expect(counters.digestsCompared > 3 && counters.digestsAgreed == counters.digestsCompared)
            let own = whole.symbols.first { $0.status.symbol == symbol }
            if traffic.engine.mark(of: symbol)?.state == .live {
                #expect(part.symbols[0].digest == own?.digest && part.symbols[0].status.state == .live)
            } else {
                #expect(part.symbols[0].status.state != .live)
            }
        }
        #expect(try RecordingVerification(stream, only: ["CCCUSDT"]).symbols.isEmpty)
    }

    /// From every base, to every later one: live only where the whole replay is, and then the same book.
    @Test func neverMoreThanTheWhole() throws {
        let folder = RecordFolder()
        _ = try SymbolReplayTests.record(folder, seed: 83)
        let stream = try RecordedStream.all(at: folder.path)[0]
        let ends = stream.blocks.enumerated().filter { $0.offset % 20 == 0 }.map(\.element.firstAtNs)
        let gaps = stream.gaps.gaps
        var liveCount = 0
        for endNs in ends {
            let whole = try RecordingVerification(stream, toNs: endNs)
            for symbol in Traffic.symbols {
                // Both end behind the last block that begins before, and not at the same frame.
                let opensThen = gaps.contains { gap in
                    gap.symbol == symbol.bytes && (endNs...endNs + 1_100_000_000).contains(gap.fromNs)
                }
                if opensThen { continue }
                let part = try RecordingVerification(
                    stream, fromNs: endNs - 2_000_000_000, toNs: endNs, only: [symbol])
                guard let own = part.symbols.first, own.status.state == .live else { continue }
                let other = whole.symbols.first { $0.status.symbol == symbol }
                #expect(other?.status.state == .live && other?.digest == own.digest, "to \(endNs)")
                liveCount += 1
            }
        }
        #expect(liveCount > 2, "\(liveCount)")
    }

    /// A gap frame changes no book, and whoever follows the books is told of it all the same. Behind a gap
    /// the copy of the book is trusted, and nothing before it.
    @Test func gapsAreTold() throws {
        let folder = RecordFolder()
        let driven = try DrivenRecorder(RecorderOptions(folder: folder.path))
        let traffic = Traffic(nil, seed: 84)
        traffic.observer = { driven.recorder.take($0) }
        driven.recorder.begin(traffic.atNs)
        traffic.connect()
        for _ in 0..<100 { traffic.step(hasTrouble: false) }
        _ = driven.recorder.finish(traffic.atNs)
        let symbol = Traffic.symbols[0]
        var walk = RecordingWalk(
            try RecordedStream.all(at: folder.path)[0], symbols: [symbol.bytes])
        var engine = RecordedEngine(isExact: walk.beginsAtRun, symbols: [symbol])
        try walk.forEach { item in
            engine.take(item)
            return true
        }
        engine.takeChanged { _ in }
        let isTrusted = engine.isTrusted(symbol)
        #expect(isTrusted)
        var gap = RecordedGap(.stall, of: symbol.bytes, fromNs: traffic.atNs)
        for toNs in [0, traffic.atNs + 1] {
            gap.toNs = toNs
            var block = FrameBlock(symbolCount: 2)
            block.add(.gap, atNs: traffic.atNs, gap.bytes)
            _ = FrameBlock.forEach(in: block.raw) { frame in
                engine.take(.frame(frame))
                return true
            }
            var told: [SymbolName] = []
            engine.takeChanged { told.append($0) }
            let isTrusted = engine.isTrusted(symbol)
            #expect(told == [symbol] && !isTrusted)
        }
        let copied = driven.recorder.engine.image(of: symbol)
        let image = try #require(copied)
        var block = FrameBlock(symbolCount: 2)
        block.add(.book, atNs: traffic.atNs, image.bytes)
        _ = FrameBlock.forEach(in: block.raw) { frame in
            engine.take(.frame(frame))
            return true
        }
        var told: [SymbolName] = []
        engine.takeChanged { told.append($0) }
        let isTrustedAgain = engine.isTrusted(symbol)
        #expect(told.contains(symbol) && isTrustedAgain)
    }
}
