// Why a service cannot start.

import BinanceVenue
import BookEngine
import DepthFeed
import LobHandoff
import LobTransport
import MarketData

/// Why a service cannot start.
@nonexhaustive
public enum ServiceError: Error, Hashable, Sendable {
    /// A field of the configuration has an illegal value.
    case configuration(ConfigurationError)
    /// The configuration names no symbols.
    case noSymbols
    /// More symbols than a service can keep.
    case tooManySymbols(most: Int)
    /// The system refused another thread.
    case noThread(errno: Int32)
    /// A shard's ring could not be created.
    case ring(FrameRingError)
    /// A loop could not be created, or an address is invalid.
    case transport(TransportError)
}

extension ServiceError: CustomStringConvertible {
    /// One line.
    public var description: String {
        switch self {
        case .configuration(let error): "\(error)"
        case .noSymbols: "no symbol is given"
        case .tooManySymbols(let most): "more than \(most) symbols"
        case .noThread(let errno): "the system gives no further thread (error \(errno))"
        case .ring(.capacity(let bytes)): "a ring of \(bytes) bytes: not a power of two from 64 KiB to 1 GiB"
        case .ring(.mapping(let errno)): "the system gives no memory for a ring (error \(errno))"
        case .transport(let error): "\(error)"
        }
    }
}
