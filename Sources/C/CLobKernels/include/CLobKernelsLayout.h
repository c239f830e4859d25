// What a reader in another language finds in memory: the Swift types `TopOfBook` and `BookView` have exactly
// these layouts (a test compares every offset), so a mailbox can be read by whatever maps it.
//
// Rule of change: offsets and meanings of a version never change. A field may take the place of a reserved
// one; anything else is a new version. Numbers are those of the machine: little endian on every machine this
// runs on.
//
// A mailbox is one 64-bit sequence and behind it the value: odd while it is being written, otherwise twice
// the number of values published. Read the sequence (acquire), copy the value, look at the sequence again
// (after an acquire fence): an equal, even number means that the copy is whole.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { LOB_LAYOUT_VERSION = 1, LOB_VIEW_LEVELS = 20 };

/// A price and a quantity: decimal mantissas, to be divided by ten to the power of the decimals beside them.
struct lob_level {
    int64_t price;
    int64_t quantity;
};

/// `state`.
enum { LOB_SYNCING = 0, LOB_LIVE = 1, LOB_STALE = 2 };

/// `proven_bid_kind` and `proven_ask_kind`: nothing is known; every level from the best down to the price
/// beside it; the whole side.
enum { LOB_PROVEN_NOTHING = 0, LOB_PROVEN_TO = 1, LOB_PROVEN_UNBOUNDED = 2 };

/// The best bid and ask: `TopOfBook`.
struct lob_top {
    struct lob_level bid;      // zeros unless knows_bid
    struct lob_level ask;      // zeros unless knows_ask
    int64_t update_id;
    int64_t checked_at_ns;     // when its connection was last known to deliver
    int64_t received_at_ns;    // when the last update that was applied was received
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
    uint8_t symbol[48];        // UTF-8, zeros behind it, the length in the last byte
    int64_t last_update_id;
    int64_t event_time_us;     // venue's time of the last update that was applied; 0 if unknown
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
