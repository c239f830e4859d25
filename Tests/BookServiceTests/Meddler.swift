// A proxy that spoils connections: what passes between a client and its venue goes through here, and what
// happens to each connection is decided by its number. It sits on a thread of its own and on plain sockets,
// so that nothing of the code under test takes part in it.

import Foundation
import Glibc
import Synchronization

/// A TCP proxy in front of a venue. Stopped by `stop`.
final class Meddler: Sendable {
    private let listener: Int32
    /// Port to dial instead of the venue's.
    let port: Int
    private let isStopping = Atomic<Bool>(false)
    private let isOver = Atomic<Bool>(false)
    private let isVanishing = Atomic<Bool>(false)
    private let accepted = Locked<[Double]>([])
    private let upstream: @Sendable (Int) -> Int
    private let script: @Sendable (Int) -> Sabotage

    /// - Parameters:
    ///   - upstream: port of the venue for a connection of this number.
    ///   - script: what happens to a connection of this number.
    init(
        isListening: Bool = true, upstream: @escaping @Sendable (Int) -> Int,
        script: @escaping @Sendable (Int) -> Sabotage
    ) {
        (self.upstream, self.script) = (upstream, script)
        let listener = openSocket()
        self.listener = listener
        var address = loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic -> Int in
                _ = bind(listener, generic, length)
                getsockname(listener, generic, &length)
                return Int(UInt16(bigEndian: pointer.pointee.sin_port))
            }
        }
        self.port = port
        if isListening { listen() }
        Thread { [self] in
            run()
            isOver.store(true, ordering: .releasing)
        }.start()
    }

    /// The first connections are spoiled, the others pass.
    convenience init(to port: Int, first count: Int, _ sabotage: Sabotage) {
        self.init(upstream: { _ in port }, script: { $0 < count ? sabotage : .none })
    }

    /// Connections accepted so far.
    var acceptedCount: Int { accepted.withLock { $0.count } }

    /// When each of them was accepted, in seconds of the monotonic clock.
    var acceptedAt: [Double] { accepted.withLock { $0 } }

    /// Accepts connections from now on.
    func listen() { _ = Glibc.listen(listener, 64) }

    /// From now on nothing passes on any connection that is open; TCP stays up.
    func vanish() { isVanishing.store(true, ordering: .releasing) }

    func stop() {
        isStopping.store(true, ordering: .releasing)
        while !isOver.load(ordering: .acquiring) { usleep(1000) }
    }

    private func run() {
        var links: [MeddledLink] = []
        while !isStopping.load(ordering: .acquiring) {
            wait(links)
            while true {
                let client = accept(listener, nil, nil)
                if client < 0 { break }
                let number = accepted.withLock { times in
                    times.append(ProcessInfo.processInfo.systemUptime)
                    return times.count - 1
                }
                links.append(MeddledLink(client, venue: upstream(number), script(number)))
            }
            if isVanishing.exchange(false, ordering: .acquiring) { for link in links { link.vanish() } }
            for link in links { link.step() }
            links.removeAll(where: \.isOver)
        }
        for link in links { link.end() }
        close(listener)
    }

    /// Until a socket has something to say, but not for long: pauses end by themselves.
    private func wait(_ links: [MeddledLink]) {
        var polled = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
        for link in links { polled += link.polled }
        let isUrgent = links.contains(where: \.isDripping)
        _ = poll(&polled, nfds_t(polled.count), isUrgent ? 1 : 10)
    }
}

/// One connection through a meddler.
private final class MeddledLink {
    private(set) var isOver = false
    private let client: Int32
    private var venue: Int32 = -1
    private let sabotage: Sabotage
    private var toClient: [UInt8] = []
    private var toVenue: [UInt8] = []
    /// What the client has sent, up to the end of its request head.
    private var request = ""
    private var answer: [UInt8] = []
    private var isAnswered = false
    private var frames = FrameSplitter()
    private var passedBytes = 0
    private var isClosing = false
    private var isVanished = false
    private var dripAtNs: UInt64 = 0
    private static let roomBytes = 1 << 20

    init(_ client: Int32, venue port: Int, _ sabotage: Sabotage) {
        (self.client, self.sabotage) = (client, sabotage)
        _ = fcntl(client, F_SETFL, O_NONBLOCK)
        var one: Int32 = 1
        setsockopt(client, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        switch sabotage {
        case .reset:
            var option = linger(l_onoff: 1, l_linger: 0)
            setsockopt(client, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
            end()
        case .silent: isVanished = true
        case .answer, .endless: break
        case .none, .drip, .vanish, .cut, .wrongAccept, .inject, .swallowRequests, .refuseRequests,
            .closeOnRequest, .ignoreClose:
            venue = openSocket()
            var address = loopback(port)
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = connect(venue, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
    }

    var isDripping: Bool {
        if case .drip(let from, _) = sabotage { return passedBytes >= from && !toClient.isEmpty }
        return false
    }

    /// Sockets to wait for.
    var polled: [pollfd] {
        if isOver || isVanished { return [] }
        let clientEvents = POLLIN | (toClient.isEmpty || isDripping ? 0 : POLLOUT)
        var polled = [pollfd(fd: client, events: Int16(clientEvents), revents: 0)]
        if venue >= 0 {
            let room = toClient.count < MeddledLink.roomBytes ? POLLIN : 0
            polled.append(
                pollfd(fd: venue, events: Int16(room | (toVenue.isEmpty ? 0 : POLLOUT)), revents: 0))
        }
        return polled
    }

    func vanish() { isVanished = true }

    func end() {
        if isOver { return }
        isOver = true
        close(client)
        if venue >= 0 { close(venue) }
    }

    func step() {
        if isOver || isVanished { return }
        if let bytes = read(client) { fromClient(bytes) } else { return end() }
        if venue >= 0, toClient.count < MeddledLink.roomBytes {
            if let bytes = read(venue) { fromVenue(bytes) } else { isClosing = true }
        }
        if case .endless(_, let byte) = sabotage, isAnswered, toClient.count < 65_536 {
            toClient += [UInt8](repeating: byte, count: 65_536)
        }
        send(&toVenue, to: venue)
        drainToClient()
        if isClosing && toClient.isEmpty { end() }
    }

    private func fromClient(_ bytes: [UInt8]) {
        if bytes.isEmpty { return }
        if request.hasSuffix("\r\n\r\n") && sabotage.readsFrames {
            for frame in frames.take(bytes) { pass(frame) }
            return
        }
        for byte in bytes where !request.hasSuffix("\r\n\r\n") {
            request.unicodeScalars.append(Unicode.Scalar(byte))
        }
        toVenue += bytes
        if !request.hasSuffix("\r\n\r\n") || isAnswered { return }
        switch sabotage {
        case .answer(let text):
            toClient += Array(text.utf8)
            (isAnswered, isClosing) = (true, true)
        case .endless(let text, _):
            toClient += Array(text.utf8)
            isAnswered = true
        default: break
        }
    }

    /// A frame of the client on its way to the venue.
    private func pass(_ frame: PassingFrame) {
        switch (sabotage, frame.opcode) {
        case (.swallowRequests, 9), (.refuseRequests, 9): toClient += serverFrame(10, frame.payload)
        case (.swallowRequests, 1): break
        case (.refuseRequests(let isNested), 1):
            let error = "\"code\":2,\"msg\":\"Invalid request: nothing is served today\""
            let id = frame.requestID ?? "null"
            toClient += serverText(
                isNested ? "{\"error\":{\(error)},\"id\":\(id)}" : "{\(error),\"id\":\(id)}")
        case (.closeOnRequest, 1): isClosing = true
        case (.ignoreClose, 8): isVanished = true
        default: toVenue += frame.bytes
        }
    }

    private func fromVenue(_ bytes: [UInt8]) {
        if isAnswered || !sabotage.changesAnswer {
            toClient += bytes
            return
        }
        answer += bytes
        guard let end = answer.firstRange(of: Array("\r\n\r\n".utf8)) else { return }
        isAnswered = true
        let body = answer[end.upperBound...]
        var head = String(decoding: answer[..<end.upperBound], as: UTF8.self)
        if sabotage == .wrongAccept {
            head = head.split(separator: "\r\n", omittingEmptySubsequences: false).map { line in
                line.lowercased().hasPrefix("sec-websocket-accept:")
                    ? "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=" : String(line)
            }.joined(separator: "\r\n")
        }
        toClient += Array(head.utf8)
        if case .inject(let bytes) = sabotage { toClient += bytes }
        toClient += body
    }

    private func drainToClient() {
        switch sabotage {
        case .drip(let from, let everyUs):
            if passedBytes < from {
                sendToClient(from - passedBytes)
                return
            }
            if everyUs == 0 { return sendOneByOne() }
            let nowNs = DispatchTime.now().uptimeNanoseconds
            if nowNs < dripAtNs || toClient.isEmpty { return }
            dripAtNs = nowNs + UInt64(everyUs) * 1000
            sendToClient(1)
        case .vanish(let after):
            sendToClient(after - passedBytes)
            if passedBytes >= after { isVanished = true }
        case .cut(let after):
            sendToClient(after - passedBytes)
            if passedBytes >= after { end() }
        default: sendToClient(toClient.count)
        }
    }

    /// All of it, each byte in a send of its own, as far as the socket takes it.
    private func sendOneByOne() {
        let before = passedBytes
        for byte in toClient {
            var byte = byte
            if Glibc.send(client, &byte, 1, Int32(MSG_NOSIGNAL)) != 1 { break }
            passedBytes += 1
        }
        toClient.removeFirst(passedBytes - before)
    }

    private func sendToClient(_ countMax: Int) {
        var part = Array(toClient.prefix(countMax))
        let before = part.count
        send(&part, to: client)
        passedBytes += before - part.count
        toClient.removeFirst(before - part.count)
    }

    /// What has come; nil at the end.
    private func read(_ descriptor: Int32) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR && errno != ENOTCONN) { return nil }
        return Array(buffer.prefix(max(count, 0)))
    }

    /// Sends as much as goes and keeps the rest.
    private func send(_ bytes: inout [UInt8], to descriptor: Int32) {
        while !bytes.isEmpty && descriptor >= 0 {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return }
            bytes.removeFirst(count)
        }
    }
}

private func openSocket() -> Int32 {
    socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_NONBLOCK | Int32(SOCK_CLOEXEC.rawValue), 0)
}

private func loopback(_ port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    address.sin_port = UInt16(port).bigEndian
    return address
}
