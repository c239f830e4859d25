// What clients send on their connections: control messages and pongs; and how the venue as a whole ends.
//
// Every incoming message counts against the venue's limit a second, pongs too. A refused message is answered
// with an error and changes nothing; the stream that would be the 1025th is answered with error 4 and ends
// the connection.

import BinanceVenue
import FeedPlan
import MarketData

extension Venue {
    /// Takes a text message of the client, and queues the answer.
    ///
    /// - Complexity: O(bytes) and the streams it names.
    public mutating func receive(_ text: [UInt8], on connection: ConnectionID) {
        guard admit(connection) else { return }
        counters.controlCount += 1
        do throws(ControlRefusal) {
            let request = try ControlRequest(text)
            do throws(VenueRefusal) {
                try carryOut(request, on: connection)
            } catch {
                refuse(
                    ControlRefusal(code: 4, message: "Too many subscriptions", id: request.id), on: connection
                )
                close(connection, code: 1008, reason: "Too many subscriptions")
            }
        } catch {
            refuse(error, on: connection)
        }
    }

    /// Takes a pong of the client. One that does not repeat the payload of an unanswered ping is allowed, but
    /// does not count as an answer.
    public mutating func receivePong(_ payload: [UInt8], on connection: ConnectionID) {
        if admit(connection) { slots[connection.slot]!.takePong(payload) }
    }

    /// Tells every client that the venue goes down, where the market has a notice for that, and closes.
    public mutating func shutDown() {
        for slot in slots.indices { slots[slot]?.notifyShutdown(atUs: nowUs, configuration) }
        closeAll(code: 1001, reason: "")
    }

    /// Closes every connection behind what is on its way.
    public mutating func closeAll(code: Int, reason: String) {
        for slot in slots.indices {
            slots[slot]?.close(code: code, reason: reason, atUs: nowUs, configuration)
        }
    }

    /// Closes a connection behind what is on its way.
    public mutating func close(_ connection: ConnectionID, code: Int, reason: String) {
        if !isConnected(connection) { return }
        slots[connection.slot]!.close(code: code, reason: reason, atUs: nowUs, configuration)
    }

    private mutating func admit(_ connection: ConnectionID) -> Bool {
        guard isConnected(connection), slots[connection.slot]!.isSending else { return false }
        if slots[connection.slot]!.countIncoming(atUs: nowUs, configuration) { return true }
        counters.floodCount += 1
        return false
    }

    private mutating func carryOut(
        _ request: ControlRequest, on connection: ConnectionID
    ) throws(VenueRefusal) {
        switch request.action {
        case .subscribe(let names): try subscribe(names, on: connection, requestID: request.id)
        case .unsubscribe(let names): try unsubscribe(names, on: connection, requestID: request.id)
        case .listSubscriptions: try listSubscriptions(on: connection, requestID: request.id)
        case .setCombined(let isCombined):
            slots[connection.slot]!.isCombined = isCombined
            reply(.done, request.id, to: connection)
        case .getCombined: reply(.flag(slots[connection.slot]!.isCombined), request.id, to: connection)
        }
    }

    mutating func reply(_ result: ControlResult, _ id: RequestID, to connection: ConnectionID) {
        encoder.removeAll()
        // Cannot fail: at most 1024 names, which clients keep short; a longer list is not answered.
        guard (try? encoder.append(result, id: id)) != nil else { return }
        sendEncoded(to: connection)
    }

    private mutating func refuse(_ refusal: ControlRefusal, on connection: ConnectionID) {
        counters.refusalCount += 1
        encoder.removeAll()
        // Cannot fail unless a client sends a method of megabytes; that is not answered.
        let encoded: Void? = try? encoder.append(
            errorCode: refusal.code, message: refusal.message, id: refusal.id, shape: configuration.errorShape
        )
        if encoded != nil { sendEncoded(to: connection) }
    }

    private mutating func sendEncoded(to connection: ConnectionID) {
        guard slots[connection.slot]?.isSending == true else { return }
        slots[connection.slot]!.reply(encoder, atUs: nowUs, configuration: configuration)
    }
}
