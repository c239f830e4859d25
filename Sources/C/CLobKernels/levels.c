// The level kernel with AVX2: price in the low, quantity in the high 128 bits of one register.
//
// Two loops, because lengths come in two patterns:
// * `steady`: as long as each level is as long as the one before, the position of the next is known in
//   advance, and no step waits for another.
// * `mixed`: finds the closing brackets of two levels at once and looks up both layouts. About twice the
//   instructions, but no mispredicted branch when lengths alternate.
//
// The first level of an array is taken separately before them: it shows the decimals, and in quiet markets it
// is often the only one.
//
// Every byte from the price's first digit to the next price's first digit is compared: the digits with their
// bounds (the first of several is 1 ... 9), the point at its only place, both quotes, `,"` between and `],["`
// or `]]` after.
//
// Invariants
// * A level is taken only if it ends, with its separator, at or before `end`.
// * Reads stay below at + 80 for every `at` at or before `limit` = min(end, readable_end - 80).
// * Numbers of at most 15 (price) and 16 (quantity) characters; the mantissa is below 10^16.
#include "front.h"

#if defined(__x86_64__)
#include <stdlib.h>

enum {
    /// Bytes left to the mixed loop after the steady one has failed: four to six levels.
    MIXED_BYTES = 128,
};


_Static_assert(
    sizeof(layout) * 17 * (LOB_LEVELS_DECIMALS_MAX + 1) == LOB_LAYOUTS_BYTES, "size of the tables");

/// The layout of entry `index`: numbers of that length. Index 0 stands for a single digit without a point,
/// which is a zero quantity if the table's numbers have a point.
static void fill_layout(layout *entry, int index, int decimals) {
    const bool bare_zero = index == 0 && decimals > 0;
    const int length = index == 0 ? 1 : index;
    const int integers = bare_zero || decimals == 0 ? length : length - decimals - 1;
    memset(entry, 0, sizeof *entry);
    memset(entry->digit, 0x80, 16);
    if (integers < 1) return;  // no such number: all 16 bytes would have to be zero
    memset(entry->range, 0xFF, 16);
    int lane = 15;
    for (int i = length - 1; i >= 0; i--) {
        const bool point = decimals > 0 && !bare_zero && i == integers;
        entry->lowest[i] = point ? '.' : '0';
        entry->range[i] = point || bare_zero ? 0 : 9;
        if (!point) entry->digit[lane--] = (uint8_t)i;
    }
    if (integers > 1) {
        entry->lowest[0] = '1';
        entry->range[0] = 8;
    }
    if (length < 16) {
        entry->lowest[length] = '"';
        entry->range[length] = 0;
    }
}

void lob_levels_prepare(void *tables) {
    memset(tables, 0, LOB_LEVELS_TABLES_BYTES);
    for (int decimals = 0; decimals <= LOB_LEVELS_DECIMALS_MAX; decimals++) {
        layout *const table = (layout *)tables + 17 * decimals;
        for (int index = 0; index <= 16; index++) fill_layout(table + index, index, decimals);
    }
}

// `LOB_KERNELS=scalar` in the environment leaves every level to the scalar reader.
bool lob_levels_available(void) {
    const char *wanted = getenv("LOB_KERNELS");
    if (wanted && strcmp(wanted, "scalar") == 0) return false;
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")
        && __builtin_cpu_supports("popcnt");
}

/// Length of the number at `p` up to its quote, 16 if there is none within 16 bytes.
INLINE uint32_t length_of(const uint8_t *p) {
    const __m128i quote = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)p), _mm_set1_epi8('"'));
    return (uint32_t)_tzcnt_u32((uint32_t)_mm_movemask_epi8(quote) | 0x10000);
}

/// Takes the level at `at` whose quantity ends at `at + length`, if it is one.
INLINE bool take_one(
    const uint8_t *at, uint32_t length, const layout *prices, const layout *quantities, int64_t *level) {
    const uint32_t price = length_of(at), quantity = length - price - 3;
    if (UNLIKELY(price > 15 || quantity > 16)) return false;
    return take(at, at + price + 3, pair_of(&prices[price], &quantities[quantity_index(quantity)]), level);
}

/// Takes the levels after the first, from the first digit of a price on.
KERNEL lob_levels_run lob_levels_rest(
    const layout *prices, const layout *quantities, const uint8_t *at, const uint8_t *limit,
    const uint8_t *end, int64_t *levels) {
    const uint8_t *quote;  // the closing quote of the quantity just read
    int64_t *out = levels + 2;
    uintptr_t mixed_until = 0;
    bool closed = false;

    while (LIKELY(at <= limit)) {
        // Where the quantities of the next two levels end. No level has its bracket before its 7th byte.
        const uint64_t brackets = places(at + 6, ']');
        const uint32_t first = (uint32_t)_tzcnt_u64(brackets) + 5;
        const uint32_t second = (uint32_t)_tzcnt_u64(_blsr_u64(brackets)) + 5;
        const uint32_t price = length_of(at), quantity = first - price - 3;

        if ((uintptr_t)at >= mixed_until && second == first + 5 + first && price < 16 && quantity < 16) {
            // Steady.
            const pair layout = pair_of(&prices[price], &quantities[quantity_index(quantity)]);
            const size_t quantity_at = price + 3, stride = first + 5;
            while (take(at, at + quantity_at, layout, out)) {
                quote = at + first;
                if (UNLIKELY(half(quote + 1) != NEXT_LEVEL >> 8)) goto last;  // the layout has the quote
                at += stride;
                out += 2;
                __asm__("" : "+r"(at), "+r"(out));  // keeps the compiler from adding induction variables
                if (UNLIKELY(at > limit)) {  // the level ends beyond it
                    at -= stride;
                    out -= 2;
                    goto stop;
                }
            }
            mixed_until = (uintptr_t)at + MIXED_BYTES;
            continue;
        }

        if (UNLIKELY(!take_one(at, first, prices, quantities, out))) goto stop;
        quote = at + first;
        if (UNLIKELY(!next_level_follows(quote)) || UNLIKELY(quote + 5 > limit)) goto last;
        at = quote + 5;
        out += 2;
        if (UNLIKELY(second > 68)) continue;  // no second bracket within reach
        const uint32_t rest = second - first - 5;
        if (UNLIKELY(!take_one(at, rest, prices, quantities, out))) goto stop;
        quote = at + rest;
        if (UNLIKELY(!next_level_follows(quote)) || UNLIKELY(quote + 5 > limit)) goto last;
        at = quote + 5;
        out += 2;
    }
    goto stop;

last:  // no level follows: the array ends here, or the scalar reader says what is wrong
    closed = array_ends(quote, end);
    at = closed ? quote + 3 : at;
    out += closed ? 2 : 0;
stop:
    return (lob_levels_run){at, (size_t)(out - levels) / 2, closed};
}

KERNEL lob_levels_run lob_levels_read(
    const void *tables, lob_decimals *known, const uint8_t *at, const uint8_t *end,
    const uint8_t *readable_end, int64_t *levels) {
    decimals_guess guess = {0, 0};
    return read_levels(tables, known, &guess, at, end, readable_end, levels);
}
#else
bool lob_levels_available(void) { return false; }

void lob_levels_prepare(void *tables) { (void)tables; }

lob_levels_run lob_levels_read(
    const void *tables, lob_decimals *known, const uint8_t *at, const uint8_t *end,
    const uint8_t *readable_end, int64_t *levels) {
    (void)tables, (void)known, (void)end, (void)readable_end, (void)levels;
    return (lob_levels_run){at, 0, false};
}
#endif
