// What `/v1` says about the parts around the books: buffers, the snapshot planner, connections.

import BookService
import FeedPlan
import LobHandoff
import LobTransport

extension ServerMachine {
    /// Everything that queues: current and maximum fill, capacity, and losses.
    func buffers(_ json: inout JSONWriter) {
        json.array("buffers") { json in
            for (number, shard) in service.shardStatuses.enumerated() {
                json.buffer("shard \(number) ring", "bytes", shard.ring)
                json.buffer(
                    "shard \(number) waiting frames", "frames", shard.feed.waitingFrames,
                    drops: shard.feed.droppedMessages)
            }
            for shard in shards {
                json.buffer("server tap \(shard.number)", "bytes", shard.gauges)
            }
            let waiting = places.indices.reduce(0) { sum, index in
                let (shard, slot) = places[index]
                let readers = service.readers(of: shards[shard].symbols[slot])
                return sum + (readers?.statuses.latest(.init(shards[shard].symbols[slot])).bufferedBytes ?? 0)
            }
            json.buffer("updates that wait for snapshots", "bytes", waiting)
            json.buffer(
                "snapshots undelivered", "bodies", service.fetcherStatus.undelivered)
            json.buffer(
                "WebSocket clients", "bytes", clients.values.reduce(0) { $0 + $1.peer.queuedBytes },
                capacity: clients.count * options.queuedBytesMax, drops: counters.conflatedCount)
            json.buffer("event stream clients", "bytes", events.queuedBytes)
        }
    }

    /// What is being fetched from the venue, and when it should arrive.
    func planner(_ json: inout JSONWriter) {
        let status = service.fetcherStatus
        json.object("queued") { json in
            for priority in SnapshotPriority.allCases {
                json.member("\(priority)", status.queued[priority.rawValue])
            }
        }
        json.member("inFlight", status.inFlight)
        json.object("weight") { json in
            json.member("spent", status.weightSpent)
            json.member("max", status.weightMax)
            json.member("stated", status.statedWeight == 0 ? nil : status.statedWeight)
        }
        json.member("waitsFor", status.waitsFor.map { "\($0)" })
        json.member("waitingUntilMs", status.waitingUntilMs == 0 ? nil : Int(status.waitingUntilMs))
        json.member("etaMs", status.etaMs == 0 ? nil : Int(status.etaMs))
        json.object("batch") { json in
            json.member("delivered", status.delivered)
            json.member("failed", status.failed)
            json.member("total", status.total)
        }
        json.member("requests", status.sentCount)
        json.member("refusals", status.refusalCount)
        json.member("failures", status.transientFailureCount)
        let error = "\(status.lastError)"
        json.member("lastError", error.isEmpty ? nil : error)
    }

    /// The venue's connections, and the server's own.
    func connections(_ json: inout JSONWriter) {
        json.array("venue") { json in
            for (number, shard) in service.shardStatuses.enumerated() {
                let feed = shard.feed
                json.object { json in
                    json.member("shard", number)
                    json.member("symbols", shard.symbolCount)
                    json.member("state", "\(feed.state)")
                    json.member(
                        "connectedAtUs", feed.connectedAtNs == 0 ? nil : Int(feed.connectedAtNs / 1_000))
                    let heardNs = feed.lastMessageAtNs
                    json.member("lastMessageAtUs", heardNs == 0 ? nil : Int(heardNs / 1_000))
                    json.member("messages", feed.messages)
                    json.member("bytes", feed.bytes)
                    json.member("dials", feed.attempts)
                    json.member("losses", feed.losses)
                    json.member("replacements", feed.replacements)
                    let error = "\(feed.lastError)"
                    json.member("lastError", error.isEmpty ? nil : error)
                }
            }
        }
        json.object("clients") { json in
            json.member("webSockets", clients.count)
            json.member("streams", counters.streamCount)
            json.member("eventStreams", events.clientCount)
            json.array("list") { json in
                for client in clients.values.prefix(ServerMachine.listedClientCountMax) {
                    json.client(client.address, "webSocket", client.streamCount, client.peer.queuedBytes)
                }
                for address in events.addresses { json.client(address, "events", nil, nil) }
            }
        }
    }

    /// Most WebSocket clients listed individually.
    private static let listedClientCountMax = 100
}

extension JSONWriter {
    /// A buffer; null if not bounded or not counted.
    fileprivate mutating func buffer(
        _ name: String, _ unit: String, _ occupancy: Int, highWater: Int? = nil, capacity: Int? = nil,
        drops: Int? = nil
    ) {
        object { json in
            json.member("name", name)
            json.member("unit", unit)
            json.member("occupancy", occupancy)
            json.member("highWater", highWater)
            json.member("capacity", capacity)
            json.member("drops", drops)
        }
    }

    fileprivate mutating func buffer(_ name: String, _ unit: String, _ ring: FrameRingGauges) {
        buffer(
            name, unit, ring.occupancyBytes, highWater: ring.highWaterBytes, capacity: ring.capacityBytes,
            drops: ring.droppedFrames)
    }

    fileprivate mutating func client(_ address: String, _ kind: String, _ streams: Int?, _ queued: Int?) {
        object { json in
            json.member("address", address)
            json.member("kind", kind)
            json.member("streams", streams)
            json.member("queuedBytes", queued)
        }
    }
}
