// What a supervisor does by itself: what the passing of time demands, and what happens to a connection that
// is gone.

extension ConnectionSupervisor {
    /// When `timePassed` has something to do, unless an input comes first; nil if never. Always later than
    /// the last input.
    public var wakeAtMs: Int64? {
        switch phase {
        case .new, .stopped: return nil
        case .running: break
        }
        var wakeMs = Int64.max
        for link in links {
            switch link.phase {
            case .dialling: wakeMs = min(wakeMs, link.dialledAtMs + configuration.dialLimitMs)
            case .subscribing: break
            case .connected:
                if !link.isDoomed { wakeMs = min(wakeMs, link.renewAtMs) }
            }
            wakeMs = min(wakeMs, link.requests.wakeAtMs ?? .max, link.retireAtMs ?? .max)
        }
        if isDialWanted { wakeMs = min(wakeMs, dialAtMs) }
        return wakeMs == .max ? nil : wakeMs
    }

    /// Whether a connection serves: it is subscribed.
    public var isConnected: Bool { links.contains(where: \.isConnected) }

    /// Connections that are open or about to be.
    public var connectionCount: Int { links.count }

    /// Does what time demands.
    mutating func settle(_ actions: inout [Action]) {
        for index in links.indices.reversed() { checkLimits(index, &actions) }
        if let retireAtMs = links.first?.retireAtMs, retireAtMs <= clockMs {
            let retired = links.removeFirst()
            actions.append(.close(retired.id))
            if retired.isConnected {
                actions.append(goesOn(retired) ? .retired(retired.id) : .disconnected(retired.id))
            }
        }
        for index in links.indices {
            if let request = links[index].requests.next(nowMs: clockMs) {
                actions.append(.send(links[index].id, request))
            }
        }
        if isDialWanted && dialAtMs <= clockMs { dial(&actions) }
    }

    /// Whether its replacement delivers everything that a connection delivered to its end.
    private func goesOn(_ retired: Link) -> Bool {
        guard !retired.isSuspect, let next = links.first, next.isConnected else { return false }
        return next.requests.excluded.isSubset(of: retired.requests.excluded)
    }

    /// A connection that has been good for a while proves that nothing is wrong with dialling.
    mutating func forgetFailures() {
        guard let newest = links.last else { return }
        switch newest.phase {
        case .connected(let sinceMs):
            if clockMs - sinceMs >= configuration.provenAfterMs { failures = 0 }
        case .dialling, .subscribing: break
        }
    }

    /// A connection that has delivered for a moment proves it at its end.
    mutating func forgiveWhatDelivered(_ index: Int) {
        switch links[index].phase {
        case .connected(let sinceMs):
            if clockMs - sinceMs >= configuration.deliveredAfterMs { failures = 0 }
        case .dialling, .subscribing: break
        }
    }

    private func isDue(_ sinceMs: Int64, _ limitMs: Int64) -> Bool { clockMs - sinceMs >= limitMs }

    private mutating func checkLimits(_ index: Int, _ actions: inout [Action]) {
        let link = links[index]
        switch link.phase {
        case .dialling:
            if isDue(link.dialledAtMs, configuration.dialLimitMs) {
                actions.append(.report(.notOpened(link.id)))
                drop(index, &actions)
            }
            return
        case .subscribing: break
        case .connected:
            if link.renewAtMs <= clockMs { doom(index, .age, &actions) }
        }
        if let request = link.requests.overdue(nowMs: clockMs) {
            actions.append(.report(.unanswered(link.id, request)))
            isBad(index, .unanswered, &actions)
        }
    }

    private var isDialWanted: Bool { links.isEmpty || (links.count == 1 && links[0].isDoomed) }

    private var dialAtMs: Int64 { max(dialNotBeforeMs, attempts.roomAtMs) }

    private mutating func dial(_ actions: inout [Action]) {
        repeat { lastID &+= 1 } while links.contains { $0.id == lastID }
        attempts.charge(clockMs)
        let lifeMs = Int64(configuration.terms.lifeMs) - configuration.renewalMarginMs
        links.append(
            Link(
                id: lastID, dialledAtMs: clockMs,
                renewAtMs: clockMs + lifeMs - backoff.jitterMs(configuration.renewalJitterMs),
                requests: StreamRequests(configuration)))
        actions.append(.open(lastID))
    }

    /// A request was accepted; after the last one of a new connection it is connected.
    mutating func accepted(_ index: Int, _ actions: inout [Action]) {
        switch links[index].phase {
        case .dialling, .connected: return
        case .subscribing: if !links[index].requests.isDone { return }
        }
        links[index].phase = .connected(sinceMs: clockMs)
        refusals = 0
        let link = links[index]
        actions.append(.connected(link.id))
        actions.append(
            .report(
                .subscribed(link.id, streamCount: streams.count, afterMs: clockMs - link.dialledAtMs)))
        if index > 0 {
            links[0].retireAtMs = links[0].isConnected ? clockMs + configuration.overlapMs : clockMs
        }
    }

    /// Something is wrong with a connection that is still open: one that serves is replaced, any other is
    /// closed.
    mutating func isBad(_ index: Int, _ reason: Reason, _ actions: inout [Action]) {
        if links[index].isConnected {
            links[index].isSuspect = true
            links[index].requests.giveUp()
            doom(index, reason, &actions)
        } else {
            drop(index, &actions)
        }
    }

    /// Counts that these streams are resubscribed, and the streams that are lost by now. Only resubscriptions
    /// soon after the previous one add up: over a day nearly every healthy stream is silent for long now and
    /// then.
    mutating func countLost(_ index: Int, _ added: [String]) -> Int {
        let sinceMs = clockMs - configuration.lostWithinMs
        for name in added {
            let last = links[index].resubscriptions[name] ?? (count: 0, atMs: .min)
            links[index].resubscriptions[name] = (last.atMs >= sinceMs ? last.count + 1 : 1, clockMs)
        }
        return links[index].resubscriptions.values.count {
            $0.count >= configuration.lostAfterCount && $0.atMs >= sinceMs
        }
    }

    /// Requests a replacement for a connection.
    mutating func doom(_ index: Int, _ reason: Reason, _ actions: inout [Action]) {
        if links[index].isDoomed { return }
        links[index].isDoomed = true
        actions.append(.report(.replacing(links[index].id, reason)))
    }

    /// Closes a connection that has failed.
    mutating func drop(_ index: Int, _ actions: inout [Action]) {
        actions.append(.close(links[index].id))
        lose(index, .lost, &actions)
    }

    /// A connection is gone. If it was the newest, the next one is not dialled at once.
    mutating func lose(_ index: Int, _ loss: Loss, toldMs: Int64? = nil, _ actions: inout [Action]) {
        let link = links.remove(at: index)
        if link.isConnected { actions.append(.disconnected(link.id)) }
        let wasNewest = index == links.count
        for other in links.indices { links[other].retireAtMs = nil }
        if wasNewest { delayDial(loss, toldMs, &actions) }
    }

    private mutating func delayDial(_ loss: Loss, _ toldMs: Int64?, _ actions: inout [Action]) {
        failures = min(failures + 1, 64)
        var delayMs = backoff.delayMs(attempt: failures)
        switch loss {
        case .lost: delayMs = max(delayMs, toldMs ?? 0)
        case .refused:
            // A ban lasts from two minutes to three days, and longer for a client that keeps asking. The
            // venue's own wait is enough the first time; after that it at least doubles.
            refusals = min(refusals + 1, 64)
            let waitMs = max(toldMs ?? 0, doubledWaitMs(toldMs ?? configuration.refusedWaitMs))
            let jitterMs = toldMs == nil ? waitMs / 2 : min(waitMs / 10, 30_000)
            delayMs = max(delayMs, waitMs + backoff.jitterMs(jitterMs))
        }
        dialNotBeforeMs = max(dialNotBeforeMs, clockMs + delayMs)
        if isDialWanted { actions.append(.report(.waiting(forMs: dialAtMs - clockMs, failures: failures))) }
    }

    private func doubledWaitMs(_ firstMs: Int64) -> Int64 {
        Backoff.doubled(firstMs, times: refusals - 1, max: configuration.refusedWaitMaxMs)
    }
}
