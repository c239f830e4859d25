// From a URL to an open connection: which address to try with which backend, and when to give up. Pure; the
// shell resolves, connects and enforces the time limit of each attempt.
//
//     state        input                  action                                  next
//     ----------   --------------------   -------------------------------------   ----------
//     new          begin, with a number   attempt that address                    attempting
//     new          begin, with a name     resolve                                 resolving
//     resolving    resolved               attempt the first address               attempting
//     resolving    unresolved             give up                                 over
//     attempting   failed                 attempt by the next backend, or at      attempting
//                                         the next address
//     attempting   failed, none is left   give up                                 over
//     any          opened                                                         over
//     not over     cancel                 give up                                 over
//     any          any other              none: a late answer from something that
//                                         was given up
//
// After a failure, the next backend is tried at the same address if the server rejected the upgrade for a
// reason that may not apply to the other handshake; the next address if this one could not be reached;
// neither if the owner declares this attempt the last. At another address the backends start over if it was
// the answer that failed, but only one address is tried by several backends. At most `addressCountMax`
// addresses are tried: a venue counts attempts, and the next plan starts after the address that failed last.

/// The order of attempts of one connection.
struct DialPlan {
    enum Action: Hashable {
        case none
        case resolve
        case attempt(address: String, backend: WebSocketBackend)
        case giveUp(TransportError)
    }

    private enum State {
        case new
        case resolving
        case attempting(addresses: [String], addressIndex: Int, backendIndex: Int)
        case over
    }

    /// Most addresses tried by one plan.
    static let addressCountMax = 4

    /// Most attempts of one plan.
    static func attemptCountMax(backendCount: Int) -> Int { addressCountMax + backendCount - 1 }

    private let backends: [WebSocketBackend]
    private var state = State.new
    /// The address that was tried by more than one backend, and its place.
    private var fallback: (address: String, index: Int)?

    /// - Precondition: at least one backend.
    init(backends: [WebSocketBackend]) {
        precondition(!backends.isEmpty)
        self.backends = backends
    }

    /// Whether nothing is to be attempted any more, whatever was to be done next.
    var isOver: Bool {
        switch state {
        case .new, .resolving, .attempting: false
        case .over: true
        }
    }

    /// The address that was tried by more than one backend; nil if none was. The next plan begins behind it,
    /// so that each has its turn.
    var fallbackAddress: String? { fallback?.address }

    mutating func begin(numericAddress: String?) -> Action {
        switch state {
        case .new:
            guard let numericAddress else {
                state = .resolving
                return .resolve
            }
            return attempt([numericAddress], addressIndex: 0, backendIndex: 0)
        case .resolving, .attempting, .over: return .none
        }
    }

    mutating func resolved(_ addresses: [String]) -> Action {
        switch state {
        case .resolving:
            return attempt(Array(addresses.prefix(Self.addressCountMax)), addressIndex: 0, backendIndex: 0)
        case .new, .attempting, .over: return .none
        }
    }

    mutating func unresolved(_ error: TransportError) -> Action {
        switch state {
        case .resolving: return giveUp(error)
        case .new, .attempting, .over: return .none
        }
    }

    /// - Parameter isLast: whether nothing else may be tried.
    mutating func failed(_ error: TransportError, isLast: Bool = false) -> Action {
        switch state {
        case .attempting(let addresses, let addressIndex, let backendIndex):
            if isLast { return giveUp(error) }
            let mayFallBack = fallback == nil || fallback?.index == addressIndex
            if error.isWorthAnotherBackend && mayFallBack && backendIndex + 1 < backends.count {
                fallback = (addresses[addressIndex], addressIndex)
                return attempt(addresses, addressIndex: addressIndex, backendIndex: backendIndex + 1)
            }
            if error.isWorthAnotherAddress && addressIndex + 1 < addresses.count {
                let nextBackend = error.isWorthAnotherBackend ? 0 : backendIndex
                return attempt(addresses, addressIndex: addressIndex + 1, backendIndex: nextBackend)
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

    private mutating func attempt(_ addresses: [String], addressIndex: Int, backendIndex: Int) -> Action {
        state = .attempting(addresses: addresses, addressIndex: addressIndex, backendIndex: backendIndex)
        return .attempt(address: addresses[addressIndex], backend: backends[backendIndex])
    }

    private mutating func giveUp(_ error: TransportError) -> Action {
        state = .over
        return .giveUp(error)
    }
}

extension TransportError {
    /// Whether the server might accept the other handshake. Not for statuses about the client, its rate or
    /// the server's health: another attempt would only count against us.
    var isWorthAnotherBackend: Bool {
        switch self {
        case .unanswered, .unansweredInPlain, .badAnswer, .handshakeInvalid: true
        case .upgradeRefused(let status, _): [400, 405, 426, 501, 505].contains(status)
        case .invalidURL, .unresolved, .refused, .unreachable, .timedOut, .descriptorsExhausted,
            .certificateRefused, .tlsFailed, .noTLS, .answerLate, .violation, .lost, .silent, .truncated,
            .lengthOutOfBounds, .bodyTooLong, .cannotListen, .noLoop, .cancelled:
            false
        }
    }

    /// Whether the server, or what answers for it, may have counted the attempt.
    var mayHaveReachedServer: Bool {
        switch self {
        case .refused, .unreachable, .descriptorsExhausted, .unresolved, .invalidURL: false
        case .timedOut, .certificateRefused, .tlsFailed, .noTLS, .unanswered, .unansweredInPlain,
            .answerLate, .badAnswer, .upgradeRefused, .handshakeInvalid, .violation, .lost, .silent,
            .truncated, .lengthOutOfBounds, .bodyTooLong, .cannotListen, .noLoop, .cancelled:
            true
        }
    }

    /// Whether another address of the same name may work: this one cannot be reached, or the server there is
    /// broken. A status comes from the whole service.
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
