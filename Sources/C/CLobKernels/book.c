// The matching phase of a side, for all levels of a message at once, in two loops. The first only searches:
// its iterations do not depend on each other, and the shorter they are the more of them the processor
// overlaps. The second stores every level that has a slot, without a branch on what kind of change it is.
// Only true insertions are left.
//
// The search and the levelling come in two widths, chosen when the process starts. `BELOW8` gives the number
// of smaller keys times `UNIT`; an offset is counted in bytes, 64 of them a group of eight.
#include "CLobKernelsBook.h"

#include <stdlib.h>
#include <string.h>

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
static inline __attribute__((always_inline)) int64_t store_matches(
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

static inline __attribute__((always_inline)) void search_baseline(
    const lob_side *side, const lob_level *levels, int64_t count, lob_insertion *found) {
    SEARCH_BODY(lob_below8_units, LOB_BELOW8_UNIT);
}

static int64_t match_baseline(lob_side *side, const lob_level *levels, int64_t count, int64_t order,
                              lob_insertion *insertions) {
    search_baseline(side, levels, count, insertions);
    return store_matches(side, levels, count, order, insertions);
}

// Slot x of a levelled window shows level x * live / width, rounded up a little, so that every level has a
// slot.
#define SPREAD_STEP(LIVE, WIDTH) ((((uint64_t)(LIVE) << 32) + (uint64_t)(WIDTH) - 1) / (uint64_t)(WIDTH))

static int64_t compact_baseline(int64_t *keys, int64_t *quantities, int64_t width) {
    int64_t live = 0;
    for (int64_t from = 0; from < width; from++) {
        const int64_t quantity = quantities[from];
        keys[live] = keys[from];
        quantities[live] = quantity;
        live += quantity != 0;
    }
    return live;
}

static void spread_baseline(int64_t *keys, int64_t *quantities, int64_t live, int64_t width) {
    const uint64_t step = SPREAD_STEP(live, width);
    int64_t source = (int64_t)(((uint64_t)(width - 1) * step) >> 32);
    source = source < live ? source : live - 1;
    // Backwards: what a slot reads lies at or before it, so it works in place.
    for (int64_t x = width - 1; x > 0; x--) {
        int64_t left = (int64_t)(((uint64_t)(x - 1) * step) >> 32);
        left = left < live ? left : live - 1;
        const int64_t quantity = quantities[source];
        keys[x] = keys[source];
        quantities[x] = left != source ? quantity : 0;
        source = left;
    }
}

static int64_t free_count_baseline(const int64_t *quantities, int64_t width) {
    int64_t count = 0;
    for (int64_t at = 0; at < width; at += 8) count += lob_free_count8(quantities + at);
    return count;
}

static int64_t best_baseline(const int64_t *keys, const int64_t *quantities, int64_t high, int64_t flip,
                             lob_level *levels, int64_t wanted) {
    int64_t count = 0, slot = high;
    while (slot >= 0) {
        const int64_t end = slot < 64 ? -1 : slot - 64;
        for (; slot > end && count < wanted; slot--) {
            levels[count] = (lob_level){keys[slot] ^ flip, quantities[slot]};
            count += quantities[slot] != 0;
        }
        if (__builtin_expect(count == wanted, 1)) break;
        // Where the best price has left a thousand levels behind, as many slots are free.
        while (slot >= 0 && lob_free_count8(quantities + slot - 7) == 8) slot -= 8;
    }
    return count;
}

#if defined(__x86_64__)
#include <immintrin.h>

#define WIDE __attribute__((target("avx512f,avx512dq,avx512vl,popcnt")))

WIDE static inline int64_t below8_avx512(const int64_t *keys, int64_t key) {
    return __builtin_popcount(_mm512_cmplt_epi64_mask(_mm512_loadu_si512(keys), _mm512_set1_epi64(key)));
}

WIDE static inline __attribute__((always_inline)) void search_avx512(
    const lob_side *side, const lob_level *levels, int64_t count, lob_insertion *found) {
    SEARCH_BODY(below8_avx512, 1);
}

WIDE static int64_t match_avx512(lob_side *side, const lob_level *levels, int64_t count, int64_t order,
                                 lob_insertion *insertions) {
    search_avx512(side, levels, count, insertions);
    return store_matches(side, levels, count, order, insertions);
}

WIDE static int64_t compact_avx512(int64_t *keys, int64_t *quantities, int64_t width) {
    int64_t live = 0;
    for (int64_t from = 0; from < width; from += 8) {
        __m512i quantity = _mm512_loadu_si512(quantities + from);
        __m512i key = _mm512_loadu_si512(keys + from);
        __mmask8 kept = _mm512_test_epi64_mask(quantity, quantity);
        // Full stores: whatever lies past the kept slots has been read already.
        _mm512_storeu_si512(keys + live, _mm512_maskz_compress_epi64(kept, key));
        _mm512_storeu_si512(quantities + live, _mm512_maskz_compress_epi64(kept, quantity));
        live += __builtin_popcount(kept);
    }
    return live;
}

WIDE static void spread_avx512(int64_t *keys, int64_t *quantities, int64_t live, int64_t width) {
    const uint64_t step = SPREAD_STEP(live, width);
    const __m512i lanes = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7), steps = _mm512_set1_epi64((int64_t)step);
    const __m512i last = _mm512_set1_epi64(live - 1), minus_one = _mm512_set1_epi64(-1);
    for (int64_t x = width - 8; x >= 0; x -= 8) {
        __m512i slot = _mm512_add_epi64(_mm512_set1_epi64(x), lanes);
        __m512i left_slot = _mm512_max_epi64(_mm512_add_epi64(slot, minus_one), _mm512_setzero_si512());
        __m512i source = _mm512_srli_epi64(_mm512_mullo_epi64(slot, steps), 32);
        __m512i left = _mm512_srli_epi64(_mm512_mullo_epi64(left_slot, steps), 32);
        source = _mm512_min_epi64(source, last);
        left = _mm512_min_epi64(left, last);
        __mmask8 holds = _mm512_cmpneq_epi64_mask(source, left);
        if (x == 0) holds |= 1;
        int64_t first = _mm_cvtsi128_si64(_mm512_castsi512_si128(source));
        __m512i lane = _mm512_sub_epi64(source, _mm512_set1_epi64(first));
        __m512i key = _mm512_permutexvar_epi64(lane, _mm512_loadu_si512(keys + first));
        __m512i source_quantities = _mm512_loadu_si512(quantities + first);
        __m512i quantity = _mm512_maskz_permutexvar_epi64(holds, lane, source_quantities);
        _mm512_storeu_si512(keys + x, key);
        _mm512_storeu_si512(quantities + x, quantity);
    }
}

WIDE static int64_t free_count_avx512(const int64_t *quantities, int64_t width) {
    int64_t held = 0;
    for (int64_t at = 0; at < width; at += 8) {
        __m512i quantity = _mm512_loadu_si512(quantities + at);
        held += __builtin_popcount(_mm512_test_epi64_mask(quantity, quantity));
    }
    return width - held;
}

WIDE static int64_t best_avx512(const int64_t *keys, const int64_t *quantities, int64_t high, int64_t flip,
                                lob_level *levels, int64_t wanted) {
    const __m512i reversed = _mm512_setr_epi64(7, 6, 5, 4, 3, 2, 1, 0), flips = _mm512_set1_epi64(flip);
    const __m512i first_pairs = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
    const __m512i last_pairs = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
    int64_t count = 0;
    for (int64_t slot = high; slot >= 0 && count < wanted; slot -= 8) {
        __m512i key = _mm512_permutexvar_epi64(reversed, _mm512_loadu_si512(keys + slot - 7));
        __m512i quantity = _mm512_permutexvar_epi64(reversed, _mm512_loadu_si512(quantities + slot - 7));
        __mmask8 held = _mm512_test_epi64_mask(quantity, quantity);
        // The slots of the margin below are no levels.
        if (slot < 7) held &= (__mmask8)((2 << slot) - 1);
        // Where the best price has left a thousand levels behind, as many slots are free.
        if (__builtin_expect(held == 0, 0)) continue;
        key = _mm512_maskz_compress_epi64(held, _mm512_xor_si512(key, flips));
        quantity = _mm512_maskz_compress_epi64(held, quantity);
        const int64_t found = __builtin_popcount(held), room = wanted - count;
        const uint32_t words = (1u << 2 * (found < room ? found : room)) - 1;
        __m512i pairs = _mm512_permutex2var_epi64(key, first_pairs, quantity);
        _mm512_mask_storeu_epi64(levels + count, (__mmask8)words, pairs);
        pairs = _mm512_permutex2var_epi64(key, last_pairs, quantity);
        _mm512_mask_storeu_epi64(levels + count + 4, (__mmask8)(words >> 8), pairs);
        count += found < room ? found : room;
    }
    return count;
}
#endif

static struct {
    int64_t (*match)(lob_side *, const lob_level *, int64_t, int64_t, lob_insertion *);
    int64_t (*compact)(int64_t *, int64_t *, int64_t);
    void (*spread)(int64_t *, int64_t *, int64_t, int64_t);
    int64_t (*free_count)(const int64_t *, int64_t);
    int64_t (*best)(const int64_t *, const int64_t *, int64_t, int64_t, lob_level *, int64_t);
    const char *name;
} chosen = {match_baseline, compact_baseline, spread_baseline, free_count_baseline, best_baseline,
#if defined(__AVX2__)
            "avx2"
#else
            "portable"
#endif
};

// `LOB_KERNELS=baseline` in the environment keeps to the instruction set the package was compiled for.
__attribute__((constructor)) static void choose_kernels(void) {
#if defined(__x86_64__)
    const char *wanted = getenv("LOB_KERNELS");
    if (wanted && strcmp(wanted, "baseline") == 0) return;
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl")) {
        chosen.match = match_avx512;
        chosen.compact = compact_avx512;
        chosen.spread = spread_avx512;
        chosen.free_count = free_count_avx512;
        chosen.best = best_avx512;
        chosen.name = "avx512";
    }
#endif
}

int64_t lob_compact(int64_t *keys, int64_t *quantities, int64_t width) {
    return chosen.compact(keys, quantities, width);
}

void lob_spread(int64_t *keys, int64_t *quantities, int64_t live, int64_t width) {
    chosen.spread(keys, quantities, live, width);
}

int64_t lob_free_count(const int64_t *quantities, int64_t width) {
    return chosen.free_count(quantities, width);
}

int64_t lob_best_levels(const int64_t *keys, const int64_t *quantities, int64_t high, int64_t flip,
                        lob_level *levels, int64_t wanted) {
    return chosen.best(keys, quantities, high, flip, levels, wanted);
}

int64_t lob_match_side(lob_side *side, const lob_level *levels, int64_t count, int64_t order,
                       lob_insertion *insertions) {
    return chosen.match(side, levels, count, order, insertions);
}

const char *lob_book_kernel_name(void) { return chosen.name; }
