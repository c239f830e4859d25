// From a URL to an open connection: which address to try by which road, and when to give up. Pure; the shell
// resolves, connects and keeps the time limit of each attempt.
//
// | state \ input | begin            | resolved      | unresolved | failed(error)                        |
// opened | cancel |
// | ------------- | ---------------- | ------------- | ---------- | ------------------------------------ |
// ------ | ------ |
// | new           | numeric: attempt | –             | –          | –                                    | –
//     | over   |
// |               | name: resolve    |               |            |                                      |
//     |        |
// | resolving     | –                | attempt first | give up    | –                                    | –
//     | over   |
// | attempting    | –                | –             | –          | next road, next address, or give up  |
// done   | over   |
// | over          | –                | –             | –          | –                                    | –
//     | –      |
//
// The next road is taken at the same address when the server did not consent to the upgrade for a reason that
// the other handshake might not give it; the next address when this one could not be reached; neither if the
// owner says that this attempt is the last. At another address the roads begin anew if it was the answer that
// did not do. So many addresses are tried and no more: a venue counts attempts, and the next plan begins
// behind the address that failed last. – is no action: a late answer of something already given up.

/// How WebSocket frames are read.
public enum WebSocketRoad: Hashable, Sendable {
    /// This package's framing over the library's HTTP client.
    case fast
    /// The library's own WebSocket role.
    case standard
}

/// The order of attempts of one connection.
struct DialPlan {
    enum Action: Hashable {
        case none
        case resolve
        case attempt(address: String, road: WebSocketRoad)
        case giveUp(TransportError)
    }

    private enum State {
        case new
        case resolving
        case attempting(addresses: [String], addressIndex: Int, roadIndex: Int)
        case over
    }

    /// Most addresses that one plan tries.
    static let addressCountMax = 4

    private let roads: [WebSocketRoad]
    private var state = State.new

    /// - Precondition: at least one road.
    init(roads: [WebSocketRoad]) {
        precondition(!roads.isEmpty)
        self.roads = roads
    }

    /// The road under way, nil if none is.
    var road: WebSocketRoad? {
        if case .attempting(_, _, let roadIndex) = state { roads[roadIndex] } else { nil }
    }

    mutating func begin(numericAddress: String?) -> Action {
        switch state {
        case .new:
            guard let numericAddress else {
                state = .resolving
                return .resolve
            }
            return attempt([numericAddress], addressIndex: 0, roadIndex: 0)
        case .resolving, .attempting, .over: return .none
        }
    }

    mutating func resolved(_ addresses: [String]) -> Action {
        switch state {
        case .resolving:
            return attempt(Array(addresses.prefix(Self.addressCountMax)), addressIndex: 0, roadIndex: 0)
        case .new, .attempting, .over: return .none
        }
    }

    mutating func unresolved(_ error: TransportError) -> Action {
        switch state {
        case .resolving: return giveUp(error)
        case .new, .attempting, .over: return .none
        }
    }

    /// - Parameter isLast: whether it must not be tried anywhere else.
    mutating func failed(_ error: TransportError, isLast: Bool = false) -> Action {
        switch state {
        case .attempting(let addresses, let addressIndex, let roadIndex):
            if isLast { return giveUp(error) }
            if error.isWorthAnotherRoad && roadIndex + 1 < roads.count {
                return attempt(addresses, addressIndex: addressIndex, roadIndex: roadIndex + 1)
            }
            if error.isWorthAnotherAddress && addressIndex + 1 < addresses.count {
                let nextRoad = error.isWorthAnotherRoad ? 0 : roadIndex
                return attempt(addresses, addressIndex: addressIndex + 1, roadIndex: nextRoad)
            }
            return giveUp(error)
        case .new, .resolving, .over: return .none
        }
    }

    mutating func opened() {
        state = .over
    }

    mutating func cancel() -> Action {
        switch state {
        case .new, .resolving, .attempting: return giveUp(.cancelled)
        case .over: return .none
        }
    }

    private mutating func attempt(_ addresses: [String], addressIndex: Int, roadIndex: Int) -> Action {
        state = .attempting(addresses: addresses, addressIndex: addressIndex, roadIndex: roadIndex)
        return .attempt(address: addresses[addressIndex], road: roads[roadIndex])
    }

    private mutating func giveUp(_ error: TransportError) -> Action {
        state = .over
        return .giveUp(error)
    }
}

extension TransportError {
    /// Whether the server might consent to the other handshake. Not the statuses that speak of the client, of
    /// its rate or of the server's health: another attempt would only count against it.
    var isWorthAnotherRoad: Bool {
        switch self {
        case .unanswered, .unansweredInPlain, .badAnswer, .handshakeInvalid: true
        case .upgradeRefused(let status, _): [400, 405, 426, 501, 505].contains(status)
        case .invalidURL, .unresolved, .refused, .unreachable, .timedOut, .descriptorsExhausted,
            .certificateRefused, .tlsFailed, .noTLS, .answerLate, .violation, .lost, .silent, .truncated,
            .lengthOutOfBounds, .bodyTooLong, .cannotListen, .noLoop, .cancelled:
            false
        }
    }

    /// Whether another address of the same name may do better: this one cannot be reached, or what answers
    /// there is broken. A status is an answer of the whole service.
    var isWorthAnotherAddress: Bool {
        switch self {
        case .refused, .unreachable, .timedOut, .certificateRefused, .tlsFailed, .noTLS, .unanswered,
            .unansweredInPlain, .badAnswer, .handshakeInvalid, .answerLate, .lengthOutOfBounds:
            true
        case .invalidURL, .unresolved, .descriptorsExhausted, .upgradeRefused, .violation, .lost, .silent,
            .truncated, .bodyTooLong, .cannotListen, .noLoop, .cancelled:
            false
        }
    }
}
