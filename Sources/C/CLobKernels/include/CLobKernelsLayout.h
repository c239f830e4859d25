// Memory layouts for readers in other languages: the Swift types `TopOfBook` and `BookView` have exactly
// these layouts (a test compares every offset), so any process that maps a mailbox can read it.
//
// Versions: the offsets and meanings of a version never change. A field may replace a reserved one; anything
// else is a new version. Byte order is the machine's: little endian wherever this runs.
//
// A mailbox is a 64-bit sequence number followed by the value. The number is odd during a write, otherwise
// twice the number of values published. Read it (acquire), copy the value, and read it again (after an
// acquire fence): if both are equal and even, the copy is whole.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { LOB_LAYOUT_VERSION = 1, LOB_VIEW_LEVELS = 20 };

/// A price and a quantity as decimal mantissas; the number of decimals stands beside them.
struct lob_level {
    int64_t price;
    int64_t quantity;
};

/// `state`.
enum { LOB_SYNCING = 0, LOB_LIVE = 1, LOB_STALE = 2 };

/// `proven_bid_kind` and `proven_ask_kind`: nothing is known; every level from the best one to the price
/// beside it is known; the whole side is known.
enum { LOB_PROVEN_NOTHING = 0, LOB_PROVEN_TO = 1, LOB_PROVEN_UNBOUNDED = 2 };

/// The best bid and ask: `TopOfBook`.
struct lob_top {
    struct lob_level bid;      // zeros unless knows_bid
    struct lob_level ask;      // zeros unless knows_ask
    int64_t update_id;
    int64_t checked_at_ns;     // when its connection was last known to deliver
    int64_t received_at_ns;    // when the last update applied was received
    uint8_t price_decimals;
    uint8_t quantity_decimals;
    uint8_t state;
    uint8_t reason;            // why it is stale: the numbers of `StaleReason`
    uint8_t knows_bid;         // 0 or 1
    uint8_t knows_ask;
    uint16_t version;          // LOB_LAYOUT_VERSION
};

/// The best levels: `BookView`.
struct lob_book_view {
    uint8_t symbol[48];        // UTF-8, padded with zeros, the length in the last byte
    int64_t last_update_id;
    int64_t event_time_us;     // venue's time of the last update applied; 0 if unknown
    int64_t received_at_ns;
    int64_t checked_at_ns;
    int64_t lag_ns;
    int64_t proven_bid_price;  // of LOB_PROVEN_TO
    int64_t proven_ask_price;
    uint8_t price_decimals;
    uint8_t quantity_decimals;
    uint8_t state;
    uint8_t reason;
    uint8_t bid_count;         // valid entries of bids
    uint8_t ask_count;
    uint8_t proven_bid_kind;
    uint8_t proven_ask_kind;
    uint16_t version;          // LOB_LAYOUT_VERSION
    uint8_t reserved[6];       // zeros
    struct lob_level bids[LOB_VIEW_LEVELS];  // best first
    struct lob_level asks[LOB_VIEW_LEVELS];
};

_Static_assert(sizeof(struct lob_top) == 64, "one cache line");
_Static_assert(offsetof(struct lob_top, update_id) == 32 && offsetof(struct lob_top, version) == 62, "fixed");
_Static_assert(sizeof(struct lob_book_view) == 760, "fixed");
_Static_assert(offsetof(struct lob_book_view, last_update_id) == 48, "fixed");
_Static_assert(offsetof(struct lob_book_view, price_decimals) == 104, "fixed");
_Static_assert(offsetof(struct lob_book_view, bids) == 120, "fixed");
_Static_assert(offsetof(struct lob_book_view, asks) == 440, "fixed");
