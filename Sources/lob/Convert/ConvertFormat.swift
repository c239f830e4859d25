// What `lob convert` writes, chosen by an argument or by the file's extension.

import ArgumentParser
import BinanceVenue
import LobRecording

/// A format of raw traffic.
enum ConvertFormat: String, ExpressibleByArgument, CaseIterable {
    case recording, text, pcap

    /// The format that a file name suggests; nil if it suggests none.
    init?(path: String) {
        let name = path.split(separator: "/").last.map { $0.lowercased() } ?? ""
        let bare = name.hasSuffix(".gz") ? String(name.dropLast(3)) : name
        if bare.hasSuffix(".pcap") {
            self = .pcap
        } else if bare.hasSuffix(".txt") || bare.hasSuffix(".jsonl") || bare.hasSuffix(".log") || path == "-"
        {
            self = .text
        } else if bare.hasSuffix(SegmentLayout.suffix) || path.hasSuffix("/") || !bare.contains(".") {
            self = .recording
        } else {
            return nil
        }
    }
}

extension Endpoints {
    /// The names in the conversations of a packet capture.
    var packetNames: PacketWriter.Names {
        let exchange =
            switch market {
            case .spot: "BINANCE"
            case .usdm: "BINANCE_FUTURES"
            case .coinm: "BINANCE_DELIVERY"
            }
        return PacketWriter.Names(
            exchange: exchange, streamURL: streamBase + "/stream",
            depthURL: restBase + market.requestPath + "/depth?symbol=")
    }
}
