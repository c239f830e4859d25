// Operations that move or read many slots at once: levelling a side, counting its levels, copying the best
// ones. Each exists in two widths, chosen when the process starts.
#include "CLobKernelsBook.h"

#include <stdlib.h>
#include <string.h>

// Slot x of a levelled window shows level x * live / width; the factor is rounded up so that every level has
// a slot.
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
    // Backwards, in place: the source of a slot lies at or before it.
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
        // After the best price has moved past a thousand levels, as many slots are free.
        while (slot >= 0 && lob_free_count8(quantities + slot - 7) == 8) slot -= 8;
    }
    return count;
}

#if defined(__x86_64__)
#include <immintrin.h>

#define WIDE __attribute__((target("avx512f,avx512dq,avx512vl,popcnt")))

WIDE static int64_t compact_avx512(int64_t *keys, int64_t *quantities, int64_t width) {
    int64_t live = 0;
    for (int64_t from = 0; from < width; from += 8) {
        __m512i quantity = _mm512_loadu_si512(quantities + from);
        __m512i key = _mm512_loadu_si512(keys + from);
        __mmask8 kept = _mm512_test_epi64_mask(quantity, quantity);
        // Full stores are safe: the slots beyond the kept ones have been read already.
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

// For every set of eight slots, the lanes of those that hold a level, the highest first: each as lane l of
// the keys and lane l + 8, which is lane l of the quantities. Reversing and compressing two vectors and
// interleaving them costs nine shuffles; with this table it costs six.
static uint8_t lanes_held[256][16];

static void fill_lanes_held(void) {
    for (int held = 0; held < 256; held++) {
        uint8_t *next = lanes_held[held];
        for (int lane = 7; lane >= 0; lane--) {
            if (!(held >> lane & 1)) continue;
            *next++ = (uint8_t)lane;
            *next++ = (uint8_t)(lane + 8);
        }
    }
}

// Copies what the eight slots down from `slot` hold and returns the number of levels copied so far. `is_last`
// if there may be no room for eight; otherwise what lies behind the levels found is overwritten.
WIDE static inline __attribute__((always_inline)) int64_t copy_best8_avx512(
    const int64_t *keys, const int64_t *quantities, int64_t slot, __m512i flips, lob_level *levels,
    int64_t count, int64_t wanted, bool is_last) {
    const __m512i key = _mm512_xor_si512(_mm512_loadu_si512(keys + slot - 7), flips);
    const __m512i quantity = _mm512_loadu_si512(quantities + slot - 7);
    uint32_t held = _mm512_test_epi64_mask(quantity, quantity);
    // Slots in the margin below the first are not levels.
    if (__builtin_expect(slot < 7, 0)) held &= 0xFFu << (7 - slot);
    const __m128i lanes = _mm_loadu_si128((const __m128i *)lanes_held[held]);
    const __m512i first = _mm512_permutex2var_epi64(key, _mm512_cvtepu8_epi64(lanes), quantity);
    const __m512i last =
        _mm512_permutex2var_epi64(key, _mm512_cvtepu8_epi64(_mm_unpackhi_epi64(lanes, lanes)), quantity);
    const int64_t found = __builtin_popcount(held);
    if (!is_last) {
        _mm512_storeu_si512(levels + count, first);
        _mm512_storeu_si512(levels + count + 4, last);
        return count + found;
    }
    const int64_t room = wanted - count, copied = found < room ? found : room;
    const uint32_t words = (1u << 2 * copied) - 1;
    _mm512_mask_storeu_epi64(levels + count, (__mmask8)words, first);
    _mm512_mask_storeu_epi64(levels + count + 4, (__mmask8)(words >> 8), last);
    return count + copied;
}

WIDE static int64_t best_avx512(const int64_t *keys, const int64_t *quantities, int64_t high, int64_t flip,
                                lob_level *levels, int64_t wanted) {
    const __m512i flips = _mm512_set1_epi64(flip);
    int64_t count = 0, slot = high;
    // Twenty levels are three to five eights of slots, which no branch predictor knows: four without asking.
    if (slot >= 31 && wanted >= 16) {
        count = copy_best8_avx512(keys, quantities, slot, flips, levels, count, wanted, false);
        count = copy_best8_avx512(keys, quantities, slot - 8, flips, levels, count, wanted, false);
        count = copy_best8_avx512(keys, quantities, slot - 16, flips, levels, count, wanted, true);
        count = copy_best8_avx512(keys, quantities, slot - 24, flips, levels, count, wanted, true);
        slot -= 32;
    }
    for (; slot >= 0 && count < wanted; slot -= 8) {
        count = copy_best8_avx512(keys, quantities, slot, flips, levels, count, wanted, true);
    }
    return count;
}
#endif

static struct {
    int64_t (*compact)(int64_t *, int64_t *, int64_t);
    void (*spread)(int64_t *, int64_t *, int64_t, int64_t);
    int64_t (*free_count)(const int64_t *, int64_t);
    int64_t (*best)(const int64_t *, const int64_t *, int64_t, int64_t, lob_level *, int64_t);
} chosen = {compact_baseline, spread_baseline, free_count_baseline, best_baseline};

// `LOB_KERNELS=baseline` in the environment restricts them to the instruction set of the build.
__attribute__((constructor)) static void choose_kernels(void) {
#if defined(__x86_64__)
    const char *wanted = getenv("LOB_KERNELS");
    if (wanted && strcmp(wanted, "baseline") == 0) return;
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512vl")) {
        chosen.compact = compact_avx512;
        chosen.spread = spread_avx512;
        chosen.free_count = free_count_avx512;
        fill_lanes_held();
        chosen.best = best_avx512;
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
