// A frame that many connections get. It is kept once, in the batch of its loop, and whatever a connection
// gets of a batch leaves with one system call.

import CLobTransport

/// Where a frame lies in the batch of a loop. It is kept until the batch is sent.
package struct BatchedFrame {
    let place: ct_place

    /// Its bytes, with its header.
    package var byteCount: Int { Int(place.length) }
}
