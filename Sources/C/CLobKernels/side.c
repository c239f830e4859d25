// Changing a side: the levels that one side of a message sets, all at once.
//
// A first loop only searches: its iterations are independent, and the shorter they are, the more of them the
// processor overlaps. A second loop stores every level that already has a slot, without a branch on the kind
// of change. True insertions come last, from the best level to the deepest, so that shifting slots upwards
// does not move those still to be filled. A single level has nothing to overlap with and takes a separate
// path.
//
// A quiet symbol quotes the same few prices over and over, and its messages of a level or two only wait for
// the search. So a side remembers, by a hash of the price, the slots where it last found some. A hint that
// proves right replaces the search: 99 % do in a quiet market, half or fewer in a busy one, where a wrong one
// costs more than a right one saves. `trust` tells them apart: a message adds 1, a wrong hint takes off what
// many messages earn, and while it is negative the caller searches.
//
// If no slot within eight is free, the side must be levelled; the caller does that.
//
// Two widths, chosen when the process starts. `BELOW8` gives the number of smaller keys times `UNIT`;
// an offset is counted in bytes, 64 of them a group of eight.
#include "CLobKernelsBook.h"

#include <stdlib.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#define NEXT(BELOW8, UNIT, SAMPLES, OFFSET) \
    (8 * ((OFFSET) + (8 / (UNIT)) * BELOW8((const int64_t *)((const char *)(SAMPLES) + (OFFSET)), key)))

#define TOP_ONE(BELOW8, UNIT) offset = (64 / (UNIT)) * BELOW8(every512, key)
#define TOP_TWO(BELOW8, UNIT) \
    offset = (64 / (UNIT)) * (BELOW8(every512, key) + BELOW8(every512 + 8, key))
#define TOP_FOUR(BELOW8, UNIT)                                       \
    offset = (64 / (UNIT))                                           \
             * (BELOW8(every512, key) + BELOW8(every512 + 8, key)    \
                + BELOW8(every512 + 16, key) + BELOW8(every512 + 24, key))
#define TOP_MANY(BELOW8, UNIT) \
    offset = 0;                \
    for (int64_t g = 0; g < top; g += 8) offset += (64 / (UNIT)) * BELOW8(every512 + g, key)

#define SEARCH_LOOP(BELOW8, UNIT, TOP)                                                      \
    for (int64_t j = 0; j < count; j++) {                                                   \
        const int64_t key = levels[j].price ^ flip;                                         \
        int64_t offset;                                                                     \
        TOP(BELOW8, UNIT);                                                                  \
        offset = NEXT(BELOW8, UNIT, every64, offset);                                       \
        offset = NEXT(BELOW8, UNIT, every8, offset);                                        \
        const int64_t *group = (const int64_t *)((const char *)keys + offset);              \
        const uint32_t slot = (uint32_t)(offset / 8 + BELOW8(group, key) / (UNIT));         \
        __builtin_prefetch(quantities + slot, 1);                                           \
        found[j].slot = slot;                                                               \
    }

#define SEARCH_BODY(BELOW8, UNIT)                                                           \
    const int64_t *const keys = side->keys, *const every8 = side->every8;                   \
    const int64_t *const every64 = side->every64, *const every512 = side->every512;         \
    const int64_t *const quantities = side->quantities;                                     \
    const int64_t top = side->group512_count, flip = side->flip;                            \
    if (top == 8) {                                                                         \
        SEARCH_LOOP(BELOW8, UNIT, TOP_ONE)                                                  \
    } else if (top == 16) {                                                                 \
        SEARCH_LOOP(BELOW8, UNIT, TOP_TWO)                                                  \
    } else if (top == 32) {                                                                 \
        SEARCH_LOOP(BELOW8, UNIT, TOP_FOUR)                                                 \
    } else {                                                                                \
        SEARCH_LOOP(BELOW8, UNIT, TOP_MANY)                                                 \
    }

/// The second loop.
INLINE int64_t store_matches(
    lob_side *side, const lob_level *restrict levels, int64_t count, int64_t order,
    lob_insertion *restrict insertions) {
    const int64_t *restrict const keys = side->keys;
    int64_t *restrict const quantities = side->quantities;
    const int64_t flip = side->flip;
    int64_t previous = (levels[0].price ^ order) - 1, disorder = 0, high = side->high, inserted = 0;
#pragma clang loop unroll(disable)
    for (int64_t j = 0; j < count; j++) {
        const int64_t price = levels[j].price, quantity = levels[j].quantity, ordered = price ^ order;
        disorder |= ordered - previous - 1;
        previous = ordered;
        const uint32_t slot = insertions[j].slot;
        const int64_t target = keys[slot] == (price ^ flip) ? (int64_t)slot : LOB_DUMMY_SLOT;
        quantities[target] = quantity;
        high = target > high ? target : high;
        insertions[inserted] = (lob_insertion){slot, (uint32_t)j};
        inserted += (target < 0) & (quantity != 0);
    }
    side->high = high;
    return disorder < 0 ? -1 : inserted;
}

INLINE void search_baseline(
    const lob_side *side, const lob_level *levels, int64_t count, lob_insertion *found) {
    SEARCH_BODY(lob_below8_units, LOB_BELOW8_UNIT);
}

static int64_t match_baseline(lob_side *side, const lob_level *levels, int64_t count, int64_t order,
                              lob_insertion *insertions) {
    search_baseline(side, levels, count, insertions);
    return store_matches(side, levels, count, order, insertions);
}

#if defined(__x86_64__)
#include <immintrin.h>

#define WIDE __attribute__((target("avx512f,avx512dq,avx512vl,popcnt")))

WIDE static inline int64_t below8_avx512(const int64_t *keys, int64_t key) {
    return __builtin_popcount(_mm512_cmplt_epi64_mask(_mm512_loadu_si512(keys), _mm512_set1_epi64(key)));
}

WIDE INLINE void search_avx512(
    const lob_side *side, const lob_level *levels, int64_t count, lob_insertion *found) {
    SEARCH_BODY(below8_avx512, 1);
}

WIDE static int64_t match_avx512(lob_side *side, const lob_level *levels, int64_t count, int64_t order,
                                 lob_insertion *insertions) {
    search_avx512(side, levels, count, insertions);
    return store_matches(side, levels, count, order, insertions);
}
#endif

static int64_t (*match)(lob_side *, const lob_level *, int64_t, int64_t, lob_insertion *) = match_baseline;

// `LOB_KERNELS=baseline` in the environment restricts it to the instruction set of the build.
__attribute__((constructor)) static void choose_kernel(void) {
#if defined(__x86_64__)
    const char *wanted = getenv("LOB_KERNELS");
    if (wanted && strcmp(wanted, "baseline") == 0) return;
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl"))
        match = match_avx512;
#endif
}

/// The first slot whose key is not below `key`.
INLINE int64_t search(const lob_side *side, int64_t key) {
    int64_t group = 0;
    // One step less if there are few groups; unused samples hold the greatest key.
    if (side->capacity <= 2048) {
        for (int g = 0; g < 32; g += 8) group += lob_below8(side->every64 + g, key);
    } else {
        for (int64_t g = 0; g < side->group512_count; g += 8) group += lob_below8(side->every512 + g, key);
        group = 8 * group + lob_below8(side->every64 + 8 * group, key);
    }
    group = 8 * group + lob_below8(side->every8 + 8 * group, key);
    return 8 * group + lob_below8(side->keys + 8 * group, key);
}

/// Refreshes the samples after the keys of `first ... last` (at most nine slots) changed.
INLINE void resample(const lob_side *side, int64_t first, int64_t last) {
    const int64_t *const keys = side->keys;
    side->every8[first >> 3] = keys[first | 7];
    side->every8[last >> 3] = keys[last | 7];
    if (UNLIKELY((first | 63) <= last)) {
        side->every64[first >> 6] = keys[first | 63];
        if ((first | 511) <= last) side->every512[first >> 9] = keys[first | 511];
    }
}

/// Inserts a level before `slot` if no slot within eight above is free; false if none below is either.
INLINE bool insert_below(
    lob_side *side, int64_t slot, int64_t key, int64_t quantity) {
    const uint32_t below = lob_free8(side->quantities + slot - 8);
    if (below == 0) return false;
    const int64_t distance = __builtin_clz(below << (32 - 8 * LOB_FREE8_UNIT)) / LOB_FREE8_UNIT;
    lob_open_downwards(side->keys + slot, distance, key);
    lob_open_downwards(side->quantities + slot, distance, quantity);
    side->high = slot - 1 > side->high ? slot - 1 : side->high;
    resample(side, slot - 1 - distance, slot - 1);
    return true;
}

/// Lowers `high` to the best level at or below it, or to -1.
INLINE void settle_best(lob_side *side) {
    const int64_t *const quantities = side->quantities;
    int64_t slot = side->high;
    if (__builtin_expect(quantities[slot] != 0, 1)) return;
    for (;; slot -= 8) {
        const uint32_t eight = (uint32_t)((1ull << (8 * LOB_FREE8_UNIT)) - 1);
        const uint32_t held = ~lob_free8(quantities + slot - 7) & eight;
        if (held == 0) continue;
        side->high = slot - 7 + (31 - __builtin_clz(held)) / LOB_FREE8_UNIT;
        return;
    }
}

/// Inserts a level where its search ended, shifting slots up to the nearest free one within eight. False if
/// there is none.
INLINE bool insert(lob_side *side, int64_t slot, int64_t key, int64_t quantity) {
    const uint32_t above = lob_free8(side->quantities + slot);
    if (above == 0) return insert_below(side, slot, key, quantity);
    const int64_t distance = __builtin_ctz(above) / LOB_FREE8_UNIT, last = slot + distance;
    lob_open_upwards(side->keys + slot, distance, key);
    lob_open_upwards(side->quantities + slot, distance, quantity);
    side->high = last > side->high ? last : side->high;
    resample(side, slot, last);
    return true;
}

// Stores without branching on whether the level has a slot, which is known last.
bool lob_set_level(lob_side *side, const lob_level *level) {
    const int64_t key = level->price ^ side->flip, quantity = level->quantity;
    const int64_t slot = search(side, key);
    const int64_t target = side->keys[slot] == key ? slot : LOB_DUMMY_SLOT;
    side->quantities[target] = quantity;
    side->high = target > side->high ? target : side->high;
    if (target < 0 && quantity != 0 && UNLIKELY(!insert(side, slot, key, quantity))) return false;
    settle_best(side);
    return true;
}

INLINE lob_insertions_left insert_all(
    lob_side *side, const lob_level *levels, const lob_insertion *insertions, lob_insertions_left left) {
    int64_t at = left.at, count = left.count;
    lob_side own = *side;
    lob_side *const outer = side;
    side = &own;
    for (; count > 0; count--, at += left.step) {
        const lob_insertion insertion = insertions[at];
        const int64_t key = levels[insertion.level].price ^ side->flip;
        const int64_t quantity = levels[insertion.level].quantity;
        int64_t slot = insertion.slot;
        if (side->keys[slot - 1] >= key || side->keys[slot] < key) slot = search(side, key);
        if (UNLIKELY(!insert(side, slot, key, quantity))) break;
    }
    settle_best(side);
    outer->high = own.high;
    return (lob_insertions_left){count, at, left.step};
}

lob_insertions_left lob_insert_levels(
    lob_side *side, const lob_level *levels, const lob_insertion *insertions, lob_insertions_left left) {
    return insert_all(side, levels, insertions, left);
}

lob_insertions_left lob_set_levels(
    lob_side *side, const lob_level *levels, int64_t count, lob_insertion *insertions) {
    const bool ascends = levels[0].price <= levels[count - 1].price;
    const int64_t new = match(side, levels, count, ascends ? 0 : -1, insertions);
    const bool best_first = ascends == (side->flip != 0);
    const lob_insertions_left left = {new, best_first ? 0 : new - 1, best_first ? 1 : -1};
    return UNLIKELY(new < 0) ? left : insert_all(side, levels, insertions, left);
}

enum {
    TRUST_MAX = 512,
    /// Trust lost by a wrong hint.
    MISS_COST = 16,
    /// Trust in hints just made.
    TRUST_FRESH = 8 * MISS_COST,
    /// Levels received until lost trust is given again, and not before the side's levels are counted.
    PAUSE = 4096,
};

/// The hint of a price, which may be that of another with the same hash. Slots beyond 65,535 are not told
/// apart; a hint is compared with the key there, so that costs a search. With this multiplier 100 prices
/// beside each other have 100 hints, be their tick 1, 2, 5 or 25 times a power of ten.
INLINE uint16_t *hint_of(const lob_hints *hints, int64_t key) {
    _Static_assert(LOB_HINTS == 1 << 8, "eight bits of the hash");
    return &hints->slots[(uint64_t)key * 0x720E4018BB5CD08Bu >> 56];
}

void lob_remember(const lob_side *side, lob_hints *hints) {
    if (hints->trust < TRUST_FRESH) hints->trust = TRUST_FRESH;
    hints->most = LOB_HINTED_MAX;
    int64_t slot = side->high - 2 * LOB_HINTS;
    for (slot = slot < 0 ? 0 : slot; slot <= side->high; slot++)
        if (side->quantities[slot] != 0) *hint_of(hints, side->keys[slot]) = (uint16_t)slot;
}

/// What `lob_set_level` does, but for the best slot; remembers where the search ended.
__attribute__((noinline)) static bool set_missed(
    lob_side *side, lob_hints *hints, int64_t key, int64_t quantity) {
    hints->trust -= MISS_COST;
    if (hints->trust < 0) {
        hints->trust = -PAUSE;
        hints->most = -1;
    }
    const int64_t slot = search(side, key);
    *hint_of(hints, key) = (uint16_t)slot;
    const int64_t target = side->keys[slot] == key ? slot : LOB_DUMMY_SLOT;
    side->quantities[target] = quantity;
    side->high = target > side->high ? target : side->high;
    return target >= 0 || quantity == 0 || insert(side, slot, key, quantity);
}

bool lob_set_hinted(lob_side *side, lob_hints *hints, const lob_level *levels, int64_t count) {
    hints->trust += hints->trust < TRUST_MAX;
    for (int64_t j = 0; j < count; j++) {
        const int64_t key = levels[j].price ^ side->flip, quantity = levels[j].quantity;
        const int64_t slot = *hint_of(hints, key);
        // Of equal keys the first holds the level.
        if (UNLIKELY(side->keys[slot] != key) || UNLIKELY(side->keys[slot - 1] >= key)) {
            if (UNLIKELY(!set_missed(side, hints, key, quantity))) return false;
            continue;
        }
        side->quantities[slot] = quantity;
        side->high = slot > side->high ? slot : side->high;
    }
    settle_best(side);
    return true;
}
