// What a supervisor does without input: due actions, and the handling of a connection that is gone.

extension ConnectionSupervisor {
    /// When `timePassed` next has something to do, unless an input comes first; nil if never. Always after
    /// the last input.
    public var wakeAtMs: Int64? {
        switch phase {
        case .new, .stopped: return nil
        case .running: break
        }
        var wakeMs = Int64.max
        for link in links { wakeMs = min(wakeMs, link.wakeAtMs(configuration)) }
        if isDialWanted { wakeMs = min(wakeMs, dials.dialAtMs) }
        return wakeMs == .max ? nil : wakeMs
    }

    /// Connections that are open or being opened.
    public var connectionCount: Int { links.count }

    /// Streams that the venue refuses on this connection.
    public func refused(on id: UInt16) -> [String] {
        links.first { $0.id == id }?.requests.excluded.sorted().map(\.name) ?? []
    }

    /// Does everything that is due.
    mutating func settle(_ actions: inout [Action]) {
        for index in links.indices.reversed() { checkLimits(index, &actions) }
        if let retireAtMs = links.first?.retireAtMs, retireAtMs <= clockMs {
            let retired = links.removeFirst()
            actions.append(.close(retired.id))
            if retired.isConnected {
                let goesOn = retired.isContinued(by: links.first)
                actions.append(goesOn ? .retired(retired.id) : .disconnected(retired.id))
            }
        }
        for index in links.indices {
            if let request = links[index].requests.next(nowMs: clockMs) {
                actions.append(.send(links[index].id, request))
            }
        }
        if isDialWanted && dials.dialAtMs <= clockMs { dial(&actions) }
    }

    /// A connection that has been good for a while proves that dialling works.
    mutating func forgetFailures() {
        if links.last?.hasServed(forMs: configuration.provenAfterMs, nowMs: clockMs) == true {
            dials.proved()
        }
    }

    /// A connection that has delivered for a moment proves the same when it ends.
    mutating func forgiveWhatDelivered(_ index: Int) {
        if links[index].hasServed(forMs: configuration.deliveredAfterMs, nowMs: clockMs) {
            dials.proved()
        }
    }

    private mutating func checkLimits(_ index: Int, _ actions: inout [Action]) {
        let id = links[index].id
        for fault in links[index].faults(nowMs: clockMs, configuration) {
            switch fault {
            case .notOpened:
                actions.append(.report(.notOpened(id)))
                drop(index, &actions)
            case .old: requestReplacement(index, .age, &actions)
            case .unanswered(let request):
                actions.append(.report(.unanswered(id, request)))
                isBad(index, .unanswered, &actions)
            }
        }
    }

    private var isDialWanted: Bool { links.isEmpty || (links.count == 1 && links[0].isOutgoing) }

    private mutating func dial(_ actions: inout [Action]) {
        repeat { lastID &+= 1 } while links.contains { $0.id == lastID }
        dials.dialled(nowMs: clockMs)
        let lifeMs = Int64(configuration.terms.lifeMs) - configuration.renewalMarginMs
        let renewAtMs = clockMs + lifeMs - dials.jitterMs(configuration.renewalJitterMs)
        links.append(
            StreamConnection(
                lastID, dialledAtMs: clockMs, renewAtMs: renewAtMs, excluded: excluded, configuration))
        actions.append(.open(lastID))
    }

    /// Remembers for the next connection which streams the venue refuses: finding all of them may take more
    /// refusals than one connection has. A venue that refuses every stream is asked for all of them anew.
    mutating func learn(_ index: Int, _ verdict: StreamRequests.Verdict) {
        switch verdict {
        case .unrelated, .split: break
        case .accepted(let request):
            if request.method == .subscribe { excluded.subtract(request.streams.map(StreamKey.init)) }
        case .excluded(let request, _, _): excluded.formUnion(request.streams.map(StreamKey.init))
        case .refused: if links[index].requests.excluded.count == streams.count { excluded = [] }
        }
    }

    /// A request was accepted; after the last one of a new connection it counts as connected.
    mutating func accepted(_ index: Int, _ actions: inout [Action]) {
        if !links[index].accepted(nowMs: clockMs) { return }
        dials.subscribed()
        let link = links[index]
        let refused = link.requests.excluded
        actions.append(.connected(link.id, refused: refused.sorted().map(\.name)))
        actions.append(
            .report(
                .subscribed(
                    link.id, streamCount: streams.count - refused.count, afterMs: clockMs - link.dialledAtMs))
        )
        if index > 0 {
            links[0].retire(atMs: links[0].isConnected ? clockMs + configuration.overlapMs : clockMs)
        }
    }

    /// Something is wrong with a connection that is still open: one in service is replaced, any other is
    /// closed.
    mutating func isBad(_ index: Int, _ reason: Reason, _ actions: inout [Action]) {
        if links[index].isConnected {
            links[index].suspect()
            links[index].requests.giveUp()
            requestReplacement(index, reason, &actions)
        } else {
            drop(index, &actions)
        }
    }

    /// Requests a replacement for a connection.
    mutating func requestReplacement(_ index: Int, _ reason: Reason, _ actions: inout [Action]) {
        if links[index].markForReplacement() { actions.append(.report(.replacing(links[index].id, reason))) }
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
        for other in links.indices { links[other].stay() }
        if !wasNewest { return }
        dials.lost(loss, toldMs: toldMs, nowMs: clockMs)
        if isDialWanted {
            actions.append(.report(.waiting(forMs: dials.dialAtMs - clockMs, failures: dials.failures)))
        }
    }
}
