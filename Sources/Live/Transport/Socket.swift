// The one place where callbacks of CLobTransport become calls on Swift objects. Every connection of a loop,
// client or server, is a `Socket`; subclasses define its purpose.
//
// Invariants
// * `connection` is the C side's memory from the call that created it until `closed` returns; nil before and
//   after.
// * The C side holds one reference to the object for exactly that time, so a callback never finds it freed.
// * `closed` is called exactly once; after it there are no callbacks and every method here has no effect.
// SAFETY: `user` pointers are only ever made by `attach` and by the two server callbacks below, from objects
// of this class (or of `ServerCore`), with a reference that `closed` releases. Bytes are borrowed for the
// callback: they reach the methods as `Span`, which cannot outlive the call.

import CLobTransport

/// Longest header or query part: the library's limit for all headers together.
private let valueBytesMax = 16384

/// A connection. Thread: its loop's.
@safe
class Socket {
    private var connection: OpaquePointer?

    /// The response head arrived; false ends the connection.
    func answered(status: Int) -> Bool { true }
    /// Frames may be exchanged.
    func opened() -> Bool { true }
    /// Bytes after the response head; false ends the connection.
    func received(_ bytes: Span<UInt8>) -> Bool { true }
    /// A piece of a message; false ends the connection.
    func fragment(_ bytes: Span<UInt8>, isFinal: Bool) -> Bool { true }
    /// A pong.
    func pong(_ payload: Span<UInt8>) {}
    /// The peer sent a close frame; false if its reason is not UTF-8.
    func closing(code: UInt16, reason: Span<UInt8>) -> Bool { true }
    /// The queue that waited for the socket is empty.
    func drained() {}
    /// The end.
    func closed(_ reason: ct_reason, _ text: String) {}

    /// Makes the connection. On failure nothing is kept and there is no callback.
    final func connect(
        _ loop: borrowing LoopOwner, to target: Target, of url: ServiceURL
    ) throws(TransportError) {
        let user = unsafe Unmanaged.passRetained(self)
        var reason = CT_REFUSED
        let (made, text) = unsafe loop.connect(target, user: user.toOpaque(), reason: &reason)
        unsafe connection = made
        if unsafe made == nil {
            unsafe user.release()
            throw TransportError(reason, text: text, url: url, address: target.address)
        }
    }

    fileprivate final func attach(_ connection: OpaquePointer) -> UnsafeMutableRawPointer {
        unsafe adopt(connection)
        return unsafe Unmanaged.passRetained(self).toOpaque()
    }

    fileprivate final func adopt(_ connection: OpaquePointer) {
        unsafe self.connection = connection
    }

    fileprivate final func detach() {
        unsafe connection = nil
    }

    /// Sends now or queues; false if the queue is full or the connection is not open.
    final func send(_ frame: ct_frame, _ bytes: Span<UInt8>) -> Bool {
        guard let connection = unsafe connection else { return false }
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe withBase(buffer) { unsafe ct_send(connection, frame, $0, buffer.count) }
        }
    }

    /// Sends a frame of the loop's batch, together with all others of it.
    final func send(_ frame: BatchedFrame) -> Bool {
        guard let connection = unsafe connection else { return false }
        return unsafe ct_send_batched(connection, frame.place)
    }

    /// Sends its share of the loop's batch.
    final func sendBatch() {
        if let connection = unsafe connection { unsafe ct_batch_send_to(connection) }
    }

    /// Starts the library's close handshake, after what is queued.
    final func forgetQueue() {
        if let connection = unsafe connection { unsafe ct_forget_queue(connection) }
    }

    final func sendClose(code: UInt16, reason: String) -> Bool {
        guard let connection = unsafe connection else { return false }
        return unsafe Array(reason.utf8).withUnsafeBufferPointer { buffer in
            unsafe withBase(buffer) { unsafe ct_send_close(connection, code, $0, buffer.count) }
        }
    }

    /// Answers a request. Call once.
    final func respond(_ head: [UInt8], _ body: [UInt8]) -> Bool {
        guard let connection = unsafe connection else { return false }
        return unsafe head.withUnsafeBufferPointer { head in
            unsafe body.withUnsafeBufferPointer { body in
                unsafe withBase(head) { start in
                    unsafe withBase(body) {
                        unsafe ct_respond(connection, start, head.count, $0, body.count)
                    }
                }
            }
        }
    }

    /// Answers a request with a head; the body is sent piece by piece, and ends with the connection.
    final func respond(open head: [UInt8]) -> Bool {
        guard let connection = unsafe connection else { return false }
        return unsafe head.withUnsafeBufferPointer { buffer in
            unsafe withBase(buffer) { unsafe ct_respond_open(connection, $0, buffer.count) }
        }
    }

    /// Answers an upgrade request instead of upgrading.
    final func refuse(_ response: [UInt8]) {
        guard let connection = unsafe connection else { return }
        unsafe response.withUnsafeBufferPointer { buffer in
            unsafe withBase(buffer) { unsafe ct_refuse(connection, $0, buffer.count) }
        }
    }

    /// Lets a client that requests an upgrade negotiate permessage-deflate.
    final func allowDeflate() {
        if let connection = unsafe connection { unsafe ct_allow_deflate(connection) }
    }

    /// Whether permessage-deflate was negotiated.
    final var isDeflating: Bool {
        if let connection = unsafe connection { unsafe ct_deflates(connection) } else { false }
    }

    /// Whether the message of the piece just received is compressed.
    final var isPacked: Bool {
        if let connection = unsafe connection { unsafe ct_is_packed(connection) } else { false }
    }

    /// Whether that message is binary.
    final var isBinary: Bool {
        if let connection = unsafe connection { unsafe ct_is_binary(connection) } else { false }
    }

    /// Ends the connection in the next turn, without a handshake.
    final func kill() {
        if let connection = unsafe connection { unsafe ct_kill(connection) }
    }

    /// Stops reading from the socket.
    final func stopReading() {
        if let connection = unsafe connection { unsafe ct_stop_reading(connection) }
    }

    /// Whether a client's request has been sent.
    final var isAsked: Bool {
        if let connection = unsafe connection { unsafe ct_asked(connection) } else { false }
    }

    final var queuedBytes: Int {
        if let connection = unsafe connection { unsafe ct_queued_bytes(connection) } else { 0 }
    }

    final var isCongested: Bool {
        if let connection = unsafe connection { unsafe ct_congested(connection) } else { false }
    }

    /// Milliseconds since the last byte arrived; nil if unknown.
    final var silentMs: Int? {
        guard let connection = unsafe connection else { return nil }
        let silent = unsafe ct_silent_ms(connection)
        return silent < 0 ? nil : Int(silent)
    }

    /// A header's value by its lower-case name.
    final func header(_ name: String) -> String? {
        guard let connection = unsafe connection else { return nil }
        return unsafe text { unsafe ct_header(connection, name, $0, $1) }
    }

    /// The `Retry-After` header, if it is a number of seconds; a date is ignored.
    final var retryAfterSeconds: Int? {
        guard let text = header("retry-after"), !text.isEmpty else { return nil }
        if !text.utf8.allSatisfy({ $0 > 0x2F && $0 < 0x3A }) { return nil }
        return Int(text) ?? .max
    }

    /// A decoded part of the query string, `name=value`.
    final func queryPart(_ index: Int) -> String? {
        guard let connection = unsafe connection else { return nil }
        return unsafe text { unsafe ct_query(connection, Int32(index), $0, $1) }
    }

    final var peerAddress: String {
        guard let connection = unsafe connection else { return "" }
        return unsafe text { unsafe ct_peer_address(connection, $0, $1) } ?? ""
    }

    /// Who the peer belongs to: an IPv4 address, a network of IPv6, or this machine.
    final var owner: String {
        guard let connection = unsafe connection else { return "" }
        return unsafe text { unsafe ct_peer_owner(connection, $0, $1) } ?? ""
    }

    /// Bytes that wait for the sockets of all connections of that owner.
    final var ownerQueuedBytes: Int {
        if let connection = unsafe connection { unsafe ct_owner_queued_bytes(connection) } else { 0 }
    }

    private func text(_ copy: (UnsafeMutablePointer<CChar>, Int32) -> Int32) -> String? {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: valueBytesMax) { buffer in
            let length = unsafe copy(buffer.baseAddress!, Int32(buffer.count))
            if length < 0 { return nil }
            return unsafe String(decoding: UnsafeRawBufferPointer(buffer).prefix(Int(length)), as: UTF8.self)
        }
    }
}

/// C needs an address even for no bytes.
private func withBase<R>(_ buffer: UnsafeBufferPointer<UInt8>, _ body: (UnsafePointer<UInt8>) -> R) -> R {
    if let base = buffer.baseAddress { return unsafe body(base) }
    var nothing: UInt8 = 0
    return unsafe body(&nothing)
}

/// A listening server as seen by the callbacks. It lives as long as its loop.
final class ServerCore {
    /// A request, to be read from the socket and answered on it.
    let requested: (Socket, HTTPMethod, String) -> Void
    /// An upgrade: the socket that takes over, or nil after it was refused on the given one.
    let upgrading: (Socket, String) -> Socket?

    init(
        requested: @escaping (Socket, HTTPMethod, String) -> Void,
        upgrading: @escaping (Socket, String) -> Socket?
    ) {
        (self.requested, self.upgrading) = (requested, upgrading)
    }
}

@inline(__always)
private func with(_ user: UnsafeMutableRawPointer, _ body: (Socket) -> Bool) -> Int32 {
    unsafe Unmanaged<Socket>.fromOpaque(user)._withUnsafeGuaranteedRef { body($0) ? 0 : -1 }
}

/// The same with the bytes of a callback. C has checked the length against what it can have read; here it is
/// checked again to be a valid length.
@inline(__always)
private func with(
    _ user: UnsafeMutableRawPointer, _ bytes: UnsafePointer<UInt8>, _ length: Int,
    _ body: (Socket, Span<UInt8>) -> Bool
) -> Int32 {
    if length < 0 { return -1 }
    let buffer = unsafe UnsafeBufferPointer(start: bytes, count: length)
    return unsafe with(user) { unsafe body($0, Span(_unsafeElements: buffer)) }
}

extension ct_events {
    /// The callback table used by every loop.
    static var sockets: ct_events {
        unsafe ct_events(
            answered: { user, status in unsafe with(user) { $0.answered(status: Int(status)) } },
            opened: { user in unsafe with(user) { $0.opened() } },
            received: { user, bytes, length in
                unsafe with(user, bytes, length) { $0.received($1) }
            },
            fragment: { user, bytes, length, isFinal in
                unsafe with(user, bytes, length) { $0.fragment($1, isFinal: isFinal) }
            },
            pong: { user, bytes, length in
                unsafe with(user, bytes, length) {
                    $0.pong($1)
                    return true
                }
            },
            closing: { user, code, bytes, length in
                unsafe with(user, bytes, length) { $0.closing(code: code, reason: $1) }
            },
            drained: { user in
                unsafe with(user) {
                    $0.drained()
                    return true
                }
            },
            closed: { user, reason, text in
                let socket = unsafe Unmanaged<Socket>.fromOpaque(user).takeRetainedValue()
                socket.detach()
                socket.closed(reason, unsafe String(cString: text))
            },
            requested: { server, connection, method, path in
                let core = unsafe Unmanaged<ServerCore>.fromOpaque(server).takeUnretainedValue()
                let socket = RequestSocket()
                let user = unsafe socket.attach(connection)
                core.requested(socket, HTTPMethod(method), unsafe String(cString: path))
                return unsafe user
            },
            upgrading: { server, connection, path in
                let core = unsafe Unmanaged<ServerCore>.fromOpaque(server).takeUnretainedValue()
                let request = Socket()
                unsafe request.adopt(connection)
                let socket = core.upgrading(request, unsafe String(cString: path))
                request.detach()
                return unsafe socket?.attach(connection)
            })
    }
}
