// A scenario as one file that programs in other languages map into memory, so that all of them are fed the
// same bytes and only the work is timed. `Benchmarks/peers` is who reads it.
//
// "LOBPEER1", then the REST body (empty if there is none) and each message behind it as u32 length and bytes,
// little-endian; a length of 0xFFFFFFFF ends it, and 256 zero bytes follow.

import BinanceVenue
import Foundation
import MarketData

/// Writes and reads such files.
enum PeerFile {
    private static let magic = Array("LOBPEER1".utf8)
    private static let end = UInt32.max

    /// Writes a scenario into `folder`, under its name, and returns a line about it: its name, messages,
    /// levels, bytes and the levels of its snapshot, between tabs. All its decimals must be printed alike, so
    /// that peers may leave the point out; a `Workload` refuses it otherwise.
    static func write(_ traffic: Traffic, into folder: String) throws -> String {
        let workload = try Workload(traffic)
        var data = Data(magic)
        for message in [traffic.snapshot] + traffic.messages {
            append(UInt32(message.count), to: &data)
            data.append(contentsOf: message)
        }
        append(end, to: &data)
        data.append(contentsOf: [UInt8](repeating: 0, count: 256))
        let url = URL(fileURLWithPath: folder)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        try data.write(to: url.appendingPathComponent("\(traffic.name).peer"), options: .atomic)
        let counts = [workload.count, workload.levelCount, workload.byteCount, workload.snapshotLevelCount]
        return ([traffic.name] + counts.map { "\($0)" }).joined(separator: "\t")
    }

    /// The scenario of a file that `write` wrote.
    static func traffic(path: String) throws -> Traffic {
        guard let data = FileManager.default.contents(atPath: path), data.starts(with: magic) else {
            throw WorkloadError.unreadable(path: path, reason: "not an exported scenario")
        }
        var messages: [[UInt8]] = []
        var rest = Array(data)[magic.count...]
        while true {
            guard rest.count >= 4 else { throw WorkloadError.unreadable(path: path, reason: "cut off") }
            let length = rest.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            if length == end { break }
            let message = rest.dropFirst(4).prefix(Int(length))
            guard message.count == Int(length) else {
                throw WorkloadError.unreadable(path: path, reason: "cut off")
            }
            messages.append(Array(message))
            rest = rest.dropFirst(4 + Int(length))
        }
        guard messages.count > 1 else { throw WorkloadError.noDepthUpdates(path: path) }
        let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        return Traffic(
            name: name, origin: "exported", market: CaptureScenario.market(ofUpdate: messages[1]),
            snapshot: messages[0], messages: Array(messages[1...]))
    }

    private static func append(_ value: UInt32, to data: inout Data) {
        withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) }
    }
}
