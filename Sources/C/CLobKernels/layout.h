// The layout of a number of known length, and reading a level with it. Shared by the level kernels.
//
// One subtraction, one saturating subtraction and one test prove every digit, point and closing quote of both
// numbers of a level at once; one shuffle aligns the digits for a fixed multiply-add tree. Since decimals are
// fixed, numbers differ only in length, so a table of 17 lengths per number of decimals suffices: what each
// of the 16 bytes must be, and where each digit goes.
#pragma once
#include "CLobKernelsLevels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define KERNEL __attribute__((target("avx2,bmi,bmi2,popcnt")))
#define INLINE static inline __attribute__((always_inline)) KERNEL
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/// The layout of numbers of one length with the table's decimals.
typedef struct {
    /// Subtracted from each byte; the difference must not exceed `range`.
    uint8_t lowest[16];
    uint8_t range[16];
    /// Source byte of each of 16 right-aligned digits; 0x80 for none.
    uint8_t digit[16];
    uint8_t unused[16];
} layout;

enum {
    /// Bytes read from any `at`: two levels of at most 34 bytes and what surrounds them.
    READ_AHEAD = 80,
    /// A message with at most this many bytes left has few levels.
    FEW_LEVELS_BYTES = 100,
};

#define COMMA_QUOTE 0x222C
#define NEXT_LEVEL 0x225B2C5D22ull
#define BRACKETS 0x5D5D

INLINE uint64_t word(const uint8_t *p) { uint64_t x; memcpy(&x, p, 8); return x; }
INLINE uint32_t half(const uint8_t *p) { uint32_t x; memcpy(&x, p, 4); return x; }
INLINE uint32_t quarter(const uint8_t *p) { uint16_t x; memcpy(&x, p, 2); return x; }

/// Two runs of 16 bytes in one register.
INLINE __m256i both(const uint8_t *price, const uint8_t *quantity) {
    const __m128i low = _mm_loadu_si128((const __m128i *)price);
    const __m128i high = _mm_loadu_si128((const __m128i *)quantity);
    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

/// Bit i: whether byte i of the 64 is `byte`.
INLINE uint64_t places(const uint8_t *p, char byte) {
    const __m256i wanted = _mm256_set1_epi8(byte);
    const __m256i low = _mm256_loadu_si256((const __m256i *)p);
    const __m256i high = _mm256_loadu_si256((const __m256i *)(p + 32));
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted))
        | (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted)) << 32;
}

/// Bytes between the first point and the end of the number of `length` bytes at `p`.
INLINE uint32_t decimals_of(const uint8_t *p, uint32_t length) {
    const __m128i points = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)p), _mm_set1_epi8('.'));
    const uint32_t point = (uint32_t)_tzcnt_u32((uint32_t)_mm_movemask_epi8(points) | 1u << length);
    return length - point - (point < length);
}

/// Index of a quantity's layout: a single digit may be the zero of entry 0.
INLINE uint32_t quantity_index(uint32_t length) { return length - (length == 1); }

/// The layouts of a price and a quantity side by side.
typedef struct {
    __m256i lowest, range, digit;
} pair;

INLINE pair pair_of(const layout *price, const layout *quantity) {
    return (pair){
        both(price->lowest, quantity->lowest), both(price->range, quantity->range),
        both(price->digit, quantity->digit)};
}

/// Converts a level without checking it first; the result is zero if it was one, apart from the bytes between
/// its numbers.
INLINE __m256i convert_level(const uint8_t *price, const uint8_t *quantity, pair layout, int64_t *level) {
    const __m256i text = both(price, quantity);
    const __m256i excess = _mm256_subs_epu8(_mm256_sub_epi8(text, layout.lowest), layout.range);
    // 16 digits to 8 pairs, 4 fours, 2 eights, and 1 number of 16 digits in each half.
    __m256i digits = _mm256_shuffle_epi8(_mm256_and_si256(text, _mm256_set1_epi8(0x0F)), layout.digit);
    digits = _mm256_maddubs_epi16(digits, _mm256_set1_epi16(10 | 1 << 8));
    digits = _mm256_madd_epi16(digits, _mm256_set1_epi32(100 | 1 << 16));
    digits = _mm256_packus_epi32(digits, digits);
    digits = _mm256_madd_epi16(digits, _mm256_set1_epi32(10000 | 1 << 16));
    __m256i upper;  // _mm256_mul_epu32 would first clear what the instruction ignores
    __asm__("vpmuludq %2, %1, %0" : "=x"(upper) : "x"(digits), "x"(_mm256_set1_epi64x(100000000)));
    digits = _mm256_permute4x64_epi64(_mm256_add_epi64(upper, _mm256_srli_epi64(digits, 32)), 0x08);
    _mm_storeu_si128((__m128i *)level, _mm256_castsi256_si128(digits));
    return excess;
}
/// Converts a level without checking it first; returns whether it was one.
INLINE bool take(const uint8_t *price, const uint8_t *quantity, pair layout, int64_t *level) {
    const __m256i excess = convert_level(price, quantity, layout, level);
    return LIKELY(_mm256_testz_si256(excess, excess)) && LIKELY(quarter(quantity - 2) == COMMA_QUOTE);
}

/// What follows from the closing quote of a quantity on.
INLINE bool next_level_follows(const uint8_t *quote) { return word(quote - 3) >> 24 == NEXT_LEVEL; }
INLINE bool array_ends(const uint8_t *quote, const uint8_t *end) {
    return quote + 3 <= end && quote[0] == '"' && quarter(quote + 1) == BRACKETS;
}

/// The decimals that a message is likely to have.
typedef struct {
    uint8_t price, quantity;
} decimals_guess;

/// Takes the levels after the first, from the first digit of a price on; `levels` points to the first.
lob_levels_run lob_levels_rest(
    const layout *prices, const layout *quantities, const uint8_t *at, const uint8_t *limit,
    const uint8_t *end, int64_t *levels);

/// The same for few levels: one at a time; only their number is unpredictable.
INLINE lob_levels_run read_few(
    const layout *prices, const layout *quantities, const uint8_t *at, const uint8_t *limit,
    const uint8_t *end, int64_t *levels) {
    int64_t *out = levels + 2;
    for (;;) {
        const uint64_t quotes = places(at, '"');
        const uint32_t price = (uint32_t)_tzcnt_u64(quotes);
        const uint32_t quantity = (uint32_t)_tzcnt_u64(_blsr_u64(_blsr_u64(quotes))) - price - 3;
        if (UNLIKELY(price > 15 || quantity > 16)) break;
        const pair layout = pair_of(&prices[price], &quantities[quantity_index(quantity)]);
        if (UNLIKELY(!take(at, at + price + 3, layout, out))) break;
        const uint8_t *const quote = at + price + 3 + quantity;
        if (!next_level_follows(quote) || UNLIKELY(quote + 5 > limit)) {
            if (UNLIKELY(!array_ends(quote, end))) break;
            return (lob_levels_run){quote + 3, (size_t)(out + 2 - levels) / 2, true};
        }
        at = quote + 5;
        out += 2;
    }
    return (lob_levels_run){at, (size_t)(out - levels) / 2, false};
}

/// `lob_levels_read` with a guess at the decimals if they are not known: a level with these decimals need not
/// be searched for its points.
INLINE lob_levels_run read_levels(
    const void *tables, lob_decimals *known, decimals_guess *guess, const uint8_t *at, const uint8_t *end,
    const uint8_t *readable_end, int64_t *levels) {
    const lob_levels_run none = {at, 0, false};
    if (UNLIKELY(readable_end - at < READ_AHEAD)) return none;
    const uint8_t *const limit = end < readable_end - READ_AHEAD ? end : readable_end - READ_AHEAD;
    if (UNLIKELY(at > limit)) return none;

    // The first level: its second quote opens the quantity, its third closes it.
    const uint64_t quotes = places(at, '"');
    const uint32_t price = (uint32_t)_tzcnt_u64(quotes);
    const uint32_t quantity = (uint32_t)_tzcnt_u64(_blsr_u64(_blsr_u64(quotes))) - price - 3;
    if (UNLIKELY(price > 15 || quantity > 16)) return none;
    const bool is_known = known->price >= 0;
    uint32_t price_decimals = is_known ? (uint32_t)known->price : guess->price;
    uint32_t quantity_decimals = is_known ? (uint32_t)known->quantity : guess->quantity;
    if (UNLIKELY(price_decimals > LOB_LEVELS_DECIMALS_MAX || quantity_decimals > LOB_LEVELS_DECIMALS_MAX))
        return none;
    const layout *prices = (const layout *)tables + 17 * price_decimals;
    const layout *quantities = (const layout *)tables + 17 * quantity_decimals;
    // A zero without a point does not show decimals.
    const uint32_t index = quantity - (is_known & (quantity == 1));
    if (UNLIKELY(!take(at, at + price + 3, pair_of(&prices[price], &quantities[index]), levels))) {
        if (is_known) return none;
        price_decimals = decimals_of(at, price);
        quantity_decimals = decimals_of(at + price + 3, quantity);
        if (price_decimals > LOB_LEVELS_DECIMALS_MAX || quantity_decimals > LOB_LEVELS_DECIMALS_MAX)
            return none;
        prices = (const layout *)tables + 17 * price_decimals;
        quantities = (const layout *)tables + 17 * quantity_decimals;
        const pair layout = pair_of(&prices[price], &quantities[quantity_index(quantity)]);
        if (!take(at, at + price + 3, layout, levels)) return none;
        *guess = (decimals_guess){(uint8_t)price_decimals, (uint8_t)quantity_decimals};
    }
    const uint8_t *const quote = at + price + 3 + quantity;
    const bool others = next_level_follows(quote) && LIKELY(quote + 5 <= limit);
    if (!others && UNLIKELY(!array_ends(quote, end))) return none;
    *known = (lob_decimals){(int32_t)price_decimals, (int32_t)quantity_decimals};
    if (!others) return (lob_levels_run){quote + 3, 1, true};
    if (end - quote > FEW_LEVELS_BYTES)
        return lob_levels_rest(prices, quantities, quote + 5, limit, end, levels);
    return read_few(prices, quantities, quote + 5, limit, end, levels);
}
#endif
