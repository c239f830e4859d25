// Follows the doubts of all symbols through the frames of a run; `Doubt` says what is counted.
//
// Also here: what false snapshots excuse.

import BookEngine
import DepthBook
import LobHandoff
import MarketData
import SimulatedExchange

extension Pipeline {
    /// Follows the doubt of a symbol through a frame.
    func noteDoubt(_ index: Int, _ status: SymbolStatus, _ frame: SteppedFrame) {
        let isLive = status.state == .live
        if plan.measured != nil { followFault(index, isLive: isLive, frame) }
        let former = checker.symbols[index].source
        let present = engine.source(of: symbols[index])
        checker.symbols[index].source = present
        let resubscriptions = status.counters.resubscriptions
        let isResubscribed = resubscriptions != checker.symbols[index].resubscriptions
        checker.symbols[index].resubscriptions = resubscriptions
        // A book that is only late is not in doubt.
        let isSettled = isLive || status.reason == .lagging || status.reason == .silent
        if isSettled && checker.symbols[index].doubt == nil { return }
        var doubt = checker.symbols[index].doubt ?? Doubt()
        for input in inputs(of: frame, former: former, present: present)
            + (isResubscribed ? [.resubscribe] : [])
        {
            if let ending = doubt.take(input) { outcome.doubts[ending] += 1 }
        }
        if isSettled { outcome.doubts[doubt.ending] += 1 }
        checker.symbols[index].doubt = isSettled ? nil : doubt
    }

    private func inputs(of frame: SteppedFrame, former: UInt16?, present: UInt16?) -> [Doubt.Input] {
        var inputs: [Doubt.Input] = []
        if let former, former != present, frame.kind == .disconnected { inputs.append(.lost) }
        switch frame.kind {
        case .snapshotRequested: inputs.append(.requested)
        case .depthSnapshot: if let id = frame.facts.lastID { inputs.append(.snapshot(id)) }
        case .message:
            if frame.source != present { break }
            if frame.isRefused && frame.facts.mayBeDepth { inputs.append(.lost) }
            if !frame.isRefused, frame.facts.stream == .depth, let last = frame.facts.lastID,
                let after = frame.facts.previousID
            {
                inputs.append(.update(after: after, last: last))
            }
        case .dropped: if frame.source == present { inputs.append(.lost) }
        case .resubscribed: if frame.source == present { inputs.append(.accepted) }
        case .snapshotFailed, .connected, .disconnected, .retired, .tick: break
        }
        return inputs
    }

    /// An answer is handed to the engine.
    func noteAnswer(_ response: VenueResponse, index: Int) {
        if response.isPast { checker.symbols[index].pastUs = venue.nowUs }
        if response.status == 200, response.oddity != nil {
            checker.symbols[index].poisonedUs = venue.nowUs
            checker.symbols[index].excusedUntilUs = venue.nowUs + 2 * auditBoundUs
        } else if response.status != 200 || response.isPast, checker.symbols[index].poisonedUs != nil {
            checker.symbols[index].poisonedUs = venue.nowUs
        }
    }
}
