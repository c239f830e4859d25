// The shell of a `DialPlan`: resolves, starts attempts and enforces the time limit of each, for WebSocket and
// HTTP clients alike.

/// Establishes one connection.
final class Dialer {
    /// One attempt, as its owner must start it.
    struct Attempt {
        var address: String
        var proxy: String?
        var backend: WebSocketBackend
    }

    private let loop: EventLoop
    private let url: ServiceURL
    private let limitMs: Int
    private var plan: DialPlan
    private var limit: LoopTimer?
    /// Set by the owner when nothing may be tried after the current attempt.
    var isLastAttempt = false
    private var begin: ((Attempt) throws(TransportError) -> Void)?
    private var abandon: (() -> TransportError?)?
    private var address: String?
    /// Whether the server may have noticed the attempt before the current one; false before the second.
    private(set) var hasReachedServer = false
    private var giveUp: ((TransportError) -> Void)?

    init(_ loop: EventLoop, _ url: ServiceURL, backends: [WebSocketBackend], limitMs: Int) {
        (self.loop, self.url, self.limitMs) = (loop, url, limitMs)
        plan = DialPlan(backends: backends)
    }

    /// Starts in the loop's next turn.
    ///
    /// - Parameters:
    ///   - begin: starts an attempt.
    ///   - abandon: gives up the current attempt; returns the reason unless it simply was not open.
    ///   - giveUp: called last, if no attempt opens.
    func start(
        begin: @escaping (Attempt) throws(TransportError) -> Void, abandon: @escaping () -> TransportError?,
        giveUp: @escaping (TransportError) -> Void
    ) {
        (self.begin, self.abandon, self.giveUp) = (begin, abandon, giveUp)
        loop.soon {
            let name = self.nameToResolve
            self.perform(self.plan.begin(numericAddress: addressFamily(name) == nil ? nil : name))
        }
    }

    /// The current attempt has failed.
    func failed(_ error: TransportError) {
        stopLimit()
        if let address, error.isWorthAnotherAddress { loop.addresses.failed(address, of: nameToResolve) }
        hasReachedServer = error.mayHaveReachedServer
        let action = plan.failed(loop.isClosed ? .cancelled : error, isLast: isLastAttempt)
        if case .giveUp = action, let address = plan.fallbackAddress {
            loop.addresses.failed(address, of: nameToResolve)
        }
        loop.soon { self.perform(action) }
    }

    /// The current attempt is open.
    func opened() {
        stopLimit()
        plan.opened()
        (begin, abandon, giveUp) = (nil, nil, nil)
    }

    func cancel() {
        stopLimit()
        _ = abandon?()
        let action = plan.cancel()
        loop.soon { self.perform(action) }
    }

    private var isProxied: Bool { loop.options.proxy.applies(to: url.host) }

    private var nameToResolve: String { isProxied ? loop.options.proxy.host ?? url.host : url.host }

    private func perform(_ action: DialPlan.Action) {
        switch action {
        case .none: return
        case .resolve: resolve()
        // Its owner may have given up since this was decided.
        case .attempt(let address, let backend): if !plan.isOver { attempt(address, backend) }
        case .giveUp(let error):
            let giveUp = self.giveUp
            (begin, abandon, self.giveUp) = (nil, nil, nil)
            giveUp?(error)
        }
    }

    private func resolve() {
        let name = nameToResolve
        startLimit {
            self.perform(self.plan.unresolved(.unresolved(host: name, reason: "no answer in time")))
        }
        loop.resolve(name) { answer in
            self.stopLimit()
            switch answer {
            case .success(let addresses):
                self.perform(self.plan.resolved(self.loop.addresses.order(addresses, of: name)))
            case .failure(.unresolved(_, let reason)):
                self.perform(self.plan.unresolved(.unresolved(host: name, reason: reason)))
            case .failure(let error): self.perform(self.plan.unresolved(error))
            }
        }
    }

    private func attempt(_ address: String, _ backend: WebSocketBackend) {
        self.address = address
        startLimit {
            self.failed(self.abandon?() ?? .timedOut(afterMs: self.limitMs))
        }
        var attempt = Attempt(address: address, proxy: nil, backend: backend)
        if isProxied {
            let proxy = loop.options.proxy
            let bracketed = address.contains(":") ? "[\(address)]" : address
            attempt.address = url.host
            attempt.proxy = (proxy.credentials.map { $0 + "@" } ?? "") + "\(bracketed):\(proxy.port)"
        }
        do {
            try begin?(attempt)
        } catch {
            failed(error)
        }
    }

    private func startLimit(_ action: @escaping () -> Void) {
        limit = loop.after(ms: limitMs, action)
    }

    private func stopLimit() {
        if let limit { loop.cancel(limit) }
        limit = nil
    }
}
