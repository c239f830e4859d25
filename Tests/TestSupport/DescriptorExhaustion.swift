// A process without a free file descriptor, for as long as a test wants it. For processes that run nothing
// else.

import Foundation

/// Leaves this process without a free descriptor; gives them back in `end`.
public final class DescriptorExhaustion {
    private var before = rlimit()
    private var taken: [Int32] = []

    /// From here on no descriptor is to be had.
    public init() {
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &before)
        // The lowest free number is out of bounds, and with it every other that is free; more become free
        // only if another thread closes one.
        let lowest = open("/dev/null", O_RDONLY)
        close(lowest)
        var limit = before
        limit.rlim_cur = rlim_t(lowest)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        takeAll()
    }

    /// Takes those that became free meanwhile.
    public func takeAll() {
        while true {
            let descriptor = open("/dev/null", O_RDONLY)
            if descriptor < 0 { return }
            taken.append(descriptor)
        }
    }

    /// Gives all back.
    public func end() {
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &before)
        for descriptor in taken { close(descriptor) }
        taken = []
    }
}
