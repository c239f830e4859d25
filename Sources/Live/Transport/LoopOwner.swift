// Owners of the C side of a loop: the loop itself, for its thread alone, and the part that any thread may
// hold.
//
// SAFETY: `LoopOwner` is the only holder of the loop's pointer and frees it once, in `deinit`; strings passed
// to C are alive for the call, and C copies what it keeps. `RemoteHandle` holds one counted reference; the C
// functions used on it are thread-safe. The server objects given to `listen` are kept alive by `EventLoop`
// until the loop is freed.

import CLobTransport

/// The target of a connection.
struct Target {
    var kind: ct_kind
    var address: String
    var port: Int
    var isSecure: Bool
    var host: String
    var proxy: String?
    var head: String
    var path = "/"
}

/// The loop.
@safe
struct LoopOwner: ~Copyable {
    private let loop: OpaquePointer

    init(readBytesMax: Int, queueBytesMax: Int, authorityPath: String?) throws(TransportError) {
        if !(16_384...1 << 28).contains(readBytesMax) || !(4096...1 << 30).contains(queueBytesMax) {
            throw .noLoop("buffers of \(readBytesMax) and \(queueBytesMax) bytes")
        }
        var events = ct_events.sockets
        let (made, text) = unsafe withText { text, capacity in
            unsafe withCString(authorityPath) { path in
                var options = unsafe ct_loop_options(
                    read_bytes_max: UInt32(readBytesMax), queue_bytes_max: UInt32(queueBytesMax),
                    authority_path: path)
                return unsafe ct_loop_create(&options, &events, text, capacity)
            }
        }
        guard let made = unsafe made else { throw .noLoop(text) }
        unsafe loop = made
    }

    deinit {
        unsafe ct_loop_destroy(loop)
    }

    var remote: RemoteHandle { unsafe RemoteHandle(ct_loop_remote(loop)) }

    /// One turn: 0 does not wait, a negative value waits without limit. True if another thread woke the loop.
    func turn(waitUs: Int64) -> Bool { unsafe ct_loop_turn(loop, waitUs) }

    func resolve(_ host: String, token: UInt64) -> Bool { unsafe ct_resolve(loop, host, token) }

    /// The next finished look-up; no addresses means that it failed, for the given reason.
    func takeResolution() -> (token: UInt64, addresses: [String], reason: String)? {
        var answer = ct_resolution()
        if unsafe !ct_take_resolution(loop, &answer) { return nil }
        let addresses = unsafe withUnsafeBytes(of: &answer.addresses) { bytes in
            (0..<min(max(Int(answer.address_count), 0), Int(CT_ADDRESSES_MAX))).map { index in
                let entry = unsafe bytes[index * Int(CT_ADDRESS_BYTES)..<(index + 1) * Int(CT_ADDRESS_BYTES)]
                return unsafe String(decoding: entry.prefix { $0 != 0 }, as: UTF8.self)
            }
        }
        let reason = unsafe withUnsafeBytes(of: &answer.text) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return (answer.token, addresses, reason)
    }

    /// Makes a connection; nil and the reason if that fails at once.
    func connect(
        _ target: Target, user: UnsafeMutableRawPointer, reason: inout ct_reason
    ) -> (OpaquePointer?, String) {
        unsafe withText { text, capacity in
            unsafe withCString(target.proxy) { proxy in
                unsafe target.address.withCString { address in
                    unsafe target.host.withCString { host in
                        unsafe target.head.withCString { head in
                            unsafe target.path.withCString { path in
                                var made = unsafe ct_target(
                                    kind: target.kind, address: address, port: UInt16(target.port),
                                    tls: target.isSecure, host: host, proxy: proxy, head: head,
                                    head_length: target.head.utf8.count, path: path)
                                return unsafe ct_connect(loop, &made, user, &reason, text, capacity)
                            }
                        }
                    }
                }
            }
        }
    }

    /// Bytes waiting in all send queues.
    var queuedBytes: Int { unsafe ct_loop_queued_bytes(loop) }

    /// Keeps a frame that many connections get, or the frame of a text message.
    func batch(_ bytes: [UInt8], isText: Bool) -> BatchedFrame {
        let place = unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return ct_place() }
            return unsafe ct_batch_add(loop, base, buffer.count, isText)
        }
        return BatchedFrame(place: place)
    }

    /// Whether a frame is still kept.
    func holds(_ frame: BatchedFrame) -> Bool { unsafe ct_batch_holds(loop, frame.place) }

    /// Sends what is kept.
    func sendBatch() { unsafe ct_batch_send(loop) }

    /// Starts listening; returns the port, or the reason for failure.
    func listen(_ server: ServerCore, _ limits: HTTPServer.Options) throws(TransportError) -> Int {
        let tls = limits.tls
        let user = unsafe Unmanaged.passUnretained(server).toOpaque()
        let (used, text) = unsafe withText { text, capacity in
            unsafe withCString(limits.address) { address in
                unsafe withCString(tls?.certificatePath) { certificate in
                    unsafe withCString(tls?.keyPath) { key in
                        unsafe withCString(tls?.clientAuthorityPath) { authority in
                            var options = unsafe ct_listen_options(
                                address: address, port: UInt16(limits.port),
                                certificate_path: certificate, key_path: key,
                                client_authority_path: authority,
                                connection_count_max: UInt32(clamping: limits.connectionCountMax ?? 0),
                                address_percent_max: UInt32(clamping: limits.addressPercentMax),
                                loopback_percent_max: UInt32(clamping: limits.loopbackPercentMax),
                                head_ms_max: UInt32(clamping: limits.headLimitMs),
                                close_ms_max: UInt32(clamping: limits.closeLimitMs))
                            return unsafe ct_listen(loop, &options, user, text, capacity)
                        }
                    }
                }
            }
        }
        if used < 0 { throw .cannotListen(port: limits.port, reason: text) }
        return Int(used)
    }

    /// Reloads the identities of all servers; the reason for failure, in which case they are unchanged, or
    /// nil.
    func reloadIdentities() -> String? {
        let (isDone, text) = unsafe withText { unsafe ct_reload_identities(loop, $0, $1) }
        return isDone ? nil : text
    }
}

/// What other threads may hold of a loop; may outlive the loop without harm.
@safe
final class RemoteHandle: @unchecked Sendable {
    private let remote: OpaquePointer

    fileprivate init(_ remote: OpaquePointer) {
        unsafe self.remote = ct_remote_retain(remote)
    }

    deinit {
        unsafe ct_remote_release(remote)
    }

    /// Makes the loop's turn return. No effect once the loop is gone.
    func wake() { unsafe ct_remote_wake(remote) }

    /// Thread: the loop's.
    func count(_ counter: ct_counter, _ increment: Int = 1) {
        unsafe ct_remote_count(remote, Int32(counter.rawValue), UInt64(increment))
    }

    func counter(_ counter: ct_counter) -> Int {
        Int(truncatingIfNeeded: unsafe ct_remote_counter(remote, Int32(counter.rawValue)))
    }
}

/// The family of a numeric address, 4 or 6; nil for a name.
func addressFamily(_ text: String) -> Int? {
    let family = unsafe ct_address_family(text)
    return family == 0 ? nil : Int(family)
}

/// Who a numeric address belongs to, as `HTTPRequest.owner` names it; what is no address names itself.
package func ownerName(of address: String) -> String {
    unsafe withText { text, capacity in
        unsafe address.withCString { unsafe ct_owner_name($0, text, Int32(capacity)) }
    }.1
}

/// Monotonic time.
func monotonicNs() -> UInt64 { ct_now_ns() }

func environmentVariable(_ name: String) -> String? {
    unsafe ct_environment(name).map { unsafe String(cString: $0) }
}

extension UpgradeHandshake {
    /// A handshake with a new key.
    static func fresh() -> UpgradeHandshake {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CT_KEY_BYTES)) { key in
            unsafe ct_websocket_key(key.baseAddress!)
            return unsafe UpgradeHandshake(key: String(cString: key.baseAddress!))
        }
    }

    /// The handshake for a key.
    init(key: String) {
        let accept = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CT_ACCEPT_BYTES)) {
            accept in
            unsafe ct_websocket_accept(key, accept.baseAddress!)
            return unsafe String(cString: accept.baseAddress!)
        }
        self.init(key: key, accept: accept)
    }
}

private func withText<R>(_ body: (UnsafeMutablePointer<CChar>, Int) -> R) -> (R, String) {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CT_TEXT_BYTES)) { text in
        unsafe text.initialize(repeating: 0)
        let result = unsafe body(text.baseAddress!, text.count)
        return (result, unsafe String(cString: text.baseAddress!))
    }
}

private func withCString<R>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> R) -> R {
    if let text { unsafe text.withCString { unsafe body($0) } } else { body(nil) }
}
