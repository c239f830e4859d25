// How an open connection of the native backend ends (RFC 6455 section 7). Pure; the shell sends, and kills
// the socket when told to or at its time limit.
//
//     state      input                  action        next       to report at the end
//     --------   --------------------   -----------   --------   ----------------------------
//     open       close                  send          closing
//     open       peer's close frame     echo          answered   what the peer said
//     open       violation              send, kill    over       the violation
//     closing    peer's close frame     kill          over       what the peer said
//     closing    violation              kill          over       the violation
//     closing    limit passed           kill          over       what the caller says
//     answered   limit passed           kill          over       what the peer said
//     any        abort                  kill          over       what is known, or the caller says
//     any        any other              none
//     open, closing: the socket is gone                          lost
//
// `answered` waits for the server to close the TCP connection first, as it should; `over` waits for the
// library to report that the socket is gone. What to report is decided once.

/// The state of the closing handshake.
struct ClosingHandshake {
    enum Action: Hashable {
        case none
        case send(code: UInt16, reason: String)
        case echo(code: UInt16?)
        case sendAndKill(code: UInt16)
        case kill
    }

    private enum State {
        case open
        case closing
        case answered(WebSocketEnd)
        case over(WebSocketEnd)
    }

    private var state = State.open

    /// Whether messages are still delivered.
    var isOpen: Bool {
        if case .open = state { true } else { false }
    }

    /// Whether bytes from the peer still matter.
    var isListening: Bool {
        switch state {
        case .open, .closing: true
        case .answered, .over: false
        }
    }

    mutating func close(code: UInt16, reason: String) -> Action {
        switch state {
        case .open:
            state = .closing
            return .send(code: code, reason: reason)
        case .closing, .answered, .over: return .none
        }
    }

    mutating func peerClosed(code: UInt16?, reason: String) -> Action {
        let end = WebSocketEnd(peerCode: code ?? 1005, peerReason: reason)
        switch state {
        case .open:
            state = .answered(end)
            return .echo(code: code)
        case .closing:
            state = .over(end)
            return .kill
        case .answered, .over: return .none
        }
    }

    mutating func violated(_ violation: FrameViolation) -> Action {
        switch state {
        case .open:
            state = .over(WebSocketEnd(error: .violation(violation)))
            return .sendAndKill(code: violation.fault.closeCode)
        case .closing:
            state = .over(WebSocketEnd(error: .violation(violation)))
            return .kill
        case .answered, .over: return .none
        }
    }

    mutating func limitPassed(_ error: TransportError) -> Action {
        switch state {
        case .closing:
            state = .over(WebSocketEnd(error: error))
            return .kill
        case .answered(let end):
            state = .over(end)
            return .kill
        case .open, .over: return .none
        }
    }

    /// What to report now that the socket is gone.
    mutating func ended() -> WebSocketEnd {
        switch state {
        case .open, .closing: WebSocketEnd(error: .lost)
        case .answered(let end), .over(let end): end
        }
    }

    /// Gives up at once: the owner is done with it, or the peer is silent.
    mutating func abort(_ error: TransportError) -> Action {
        switch state {
        case .open, .closing:
            state = .over(WebSocketEnd(error: error))
            return .kill
        case .answered(let end):
            state = .over(end)
            return .kill
        case .over: return .none
        }
    }
}
