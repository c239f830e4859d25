// What clients send on their connections, control messages and pongs, and how the whole venue shuts down.
//
// Every incoming message counts against the venue's limit per second, pongs too. A refused message is
// answered with an error and changes nothing; the 1025th stream is answered with error 4 and ends the
// connection.

import BinanceServing
import BinanceVenue
import FeedPlan
import MarketData

extension Venue {
    /// Takes a text message of the client and queues the answer.
    ///
    /// - Complexity: O(bytes + streams named).
    package mutating func receive(_ text: [UInt8], on connection: ConnectionID) {
        guard admit(connection) else { return }
        counters.controlCount += 1
        do throws(ControlRefusal) {
            let request = try ControlRequest(text)
            if case .subscribe(let names) = request.action, refuses(names, on: connection) {
                throw .refused(request.id)
            }
            do throws(ConnectionRefusal) {
                try carryOut(request, on: connection)
            } catch {
                refuse(.tooManyStreams(request.id), on: connection)
                close(connection, .tooManyStreams)
            }
        } catch {
            refuse(error, on: connection)
        }
    }

    /// Takes a pong of the client. A pong that does not repeat the payload of an unanswered ping is allowed,
    /// but does not count as an answer.
    package mutating func receivePong(_ payload: [UInt8], on connection: ConnectionID) {
        if admit(connection) { slots[connection.slot]!.takePong(payload) }
    }

    /// Tells every client that the venue goes down, where the market has a notice for that, and closes.
    package mutating func shutDown() {
        for slot in slots.indices { slots[slot]?.notifyShutdown(atUs: nowUs, configuration) }
        closeAll(.goingAway)
    }

    /// Closes every connection after what is on its way.
    package mutating func closeAll(_ end: ConnectionClose) {
        for slot in slots.indices { slots[slot]?.close(end, atUs: nowUs, configuration) }
    }

    /// Closes a connection after what is on its way.
    package mutating func close(_ connection: ConnectionID, _ end: ConnectionClose) {
        if !isConnected(connection) { return }
        slots[connection.slot]!.close(end, atUs: nowUs, configuration)
    }

    private mutating func admit(_ connection: ConnectionID) -> Bool {
        guard isConnected(connection), slots[connection.slot]!.isSending else { return false }
        if slots[connection.slot]!.countIncoming(atUs: nowUs, configuration) { return true }
        counters.floodCount += 1
        return false
    }

    private mutating func carryOut(
        _ request: ControlRequest, on connection: ConnectionID
    ) throws(ConnectionRefusal) {
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

    /// Megabytes of names are not answered.
    ///
    /// - Returns: when the answer arrives; `nowUs` if there is none.
    @discardableResult
    mutating func reply(
        _ result: ControlResult, _ id: RequestID, to connection: ConnectionID, notBeforeUs: Int64 = 0
    ) -> Int64 {
        send(result.reply(to: id), to: connection, notBeforeUs: notBeforeUs)
    }

    private mutating func refuse(_ refusal: ControlRefusal, on connection: ConnectionID) {
        counters.refusalCount += 1
        send(refusal.reply(configuration.errorShape), to: connection)
    }

    @discardableResult
    private mutating func send(
        _ reply: [UInt8]?, to connection: ConnectionID, notBeforeUs: Int64 = 0
    ) -> Int64 {
        guard let reply, slots[connection.slot]?.isSending == true else { return nowUs }
        return slots[connection.slot]!.reply(
            reply, atUs: nowUs, notBeforeUs: notBeforeUs, configuration: configuration)
    }
}
