// What `lob convert` writes, as an argument or by the end of a name.

import ArgumentParser
import BinanceVenue
import LobRecording

/// A form of raw traffic.
enum ConvertFormat: String, ExpressibleByArgument, CaseIterable {
    case recording, text, pcap

    /// The form that the name of a file suggests; nil if it suggests none.
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
    /// What the conversations of a packet capture are called.
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
