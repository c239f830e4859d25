// The level kernel with AVX2: price in the low, quantity in the high 128 bits of one register.
//
// One level costs one subtract, one saturating subtract and one test to prove every digit, point and closing
// quote of both numbers at once, and one shuffle to line the digits up for a fixed multiply-add tree. What
// differs between numbers is only their length (their decimals are fixed), so a table of 17 lengths per
// number of decimals holds all there is to know: what each of the 16 bytes must be and where each digit goes.
//
// Two loops, because lengths come in two patterns:
// * `steady`: as long as each level is as long as the one before, the place of the next is known beforehand
//   and nothing waits for anything.
// * `mixed`: finds the closing brackets of two levels at once and looks both layouts up. About twice the
//   instructions, but no mispredicted branch when lengths alternate.
//
// The first level of an array is taken before them by itself: it shows the decimals, and in quiet markets it
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
#include "CLobKernelsLevels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <stdlib.h>
#include <string.h>

#define KERNEL __attribute__((target("avx2,bmi")))
#define INLINE static inline __attribute__((always_inline)) KERNEL
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/// What a number of one length, with the table's decimals, looks like.
typedef struct {
    /// Subtracted from each byte; what remains must not exceed `range`.
    uint8_t lowest[16];
    uint8_t range[16];
    /// Byte each of 16 right-aligned digits comes from; 0x80 for none.
    uint8_t digit[16];
    uint8_t unused[16];
} layout;

enum {
    /// What is read past any `at`: two levels of at most 34 bytes, and what surrounds them.
    READ_AHEAD = 80,
    /// What is left to the mixed loop after the steady one was wrong: four to six levels.
    MIXED_BYTES = 128,
};

#define COMMA_QUOTE 0x222C
#define NEXT_LEVEL 0x225B2C5D22ull
#define BRACKETS 0x5D5D

_Static_assert(
    sizeof(layout) * 17 * (LOB_LEVELS_DECIMALS_MAX + 1) == LOB_LEVELS_TABLES_BYTES, "size of the tables");

/// The layout of entry `index`: of numbers of that length, or for index 0 of those of one digit, which
/// without a point is a quantity of zero if numbers of this table have one.
static void fill_layout(layout *entry, int index, int decimals) {
    const bool bare_zero = index == 0 && decimals > 0;
    const int length = index == 0 ? 1 : index;
    const int integers = bare_zero || decimals == 0 ? length : length - decimals - 1;
    memset(entry, 0, sizeof *entry);
    memset(entry->digit, 0x80, 16);
    if (integers < 1) return;  // there is no such number: all 16 bytes would have to be zero
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
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
}

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

/// Length of the number at `p` up to its quote, 16 if there is none within 16 bytes.
INLINE uint32_t length_of(const uint8_t *p) {
    const __m128i quote = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)p), _mm_set1_epi8('"'));
    return (uint32_t)_tzcnt_u32((uint32_t)_mm_movemask_epi8(quote) | 0x10000);
}

/// Bytes between the first point and the end of the number of `length` bytes at `p`.
INLINE uint32_t decimals_of(const uint8_t *p, uint32_t length) {
    const __m128i points = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)p), _mm_set1_epi8('.'));
    const uint32_t point = (uint32_t)_tzcnt_u32((uint32_t)_mm_movemask_epi8(points) | 1u << length);
    return length - point - (point < length);
}

/// Where the layout of a quantity stands: one digit alone may be the zero of entry 0.
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

/// Writes the level, whatever it is, and says whether it was one.
INLINE bool take(const uint8_t *price, const uint8_t *quantity, pair layout, int64_t *level) {
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
    return LIKELY(_mm256_testz_si256(excess, excess)) && LIKELY(quarter(quantity - 2) == COMMA_QUOTE);
}

/// What stands at the closing quote of a quantity.
INLINE bool next_level_follows(const uint8_t *quote) { return word(quote - 3) >> 24 == NEXT_LEVEL; }
INLINE bool array_ends(const uint8_t *quote, const uint8_t *end) {
    return quote + 3 <= end && quote[0] == '"' && quarter(quote + 1) == BRACKETS;
}

/// Takes the level at `at` whose quantity ends at `at + length`, if it is one.
INLINE bool take_one(
    const uint8_t *at, uint32_t length, const layout *prices, const layout *quantities, int64_t *level) {
    const uint32_t price = length_of(at), quantity = length - price - 3;
    if (UNLIKELY(price > 15 || quantity > 16)) return false;
    return take(at, at + price + 3, pair_of(&prices[price], &quantities[quantity_index(quantity)]), level);
}

/// Takes the levels behind the first one, from the first digit of a price.
INLINE lob_levels_run take_others(
    const layout *prices, const layout *quantities, const uint8_t *at, const uint8_t *limit,
    const uint8_t *end, int64_t *levels) {
    const uint8_t *quote;  // the one behind the quantity just read
    int64_t *out = levels + 2;
    uintptr_t mixed_until = 0;
    bool closed = false;

    while (LIKELY(at <= limit)) {
        // Where the quantities of the next two levels end. No level has its bracket before the 7th byte.
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
                __asm__("" : "+r"(at), "+r"(out));  // two registers to move, and no others invented
                if (UNLIKELY(at > limit)) {  // so did that level
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
        if (UNLIKELY(second > 68)) continue;  // there is no second bracket in sight
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
    const lob_levels_run none = {at, 0, false};
    if (UNLIKELY(readable_end - at < READ_AHEAD)) return none;
    const uint8_t *const limit = end < readable_end - READ_AHEAD ? end : readable_end - READ_AHEAD;
    if (UNLIKELY(at > limit)) return none;

    // The first level: its second quote opens the quantity, its third one closes it.
    const uint64_t quotes = places(at, '"');
    const uint32_t price = (uint32_t)_tzcnt_u64(quotes);
    const uint32_t quantity = (uint32_t)_tzcnt_u64(_blsr_u64(_blsr_u64(quotes))) - price - 3;
    if (UNLIKELY(price > 15 || quantity > 16)) return none;
    lob_decimals decimals = *known;
    if (decimals.price < 0) {
        decimals.price = (int32_t)decimals_of(at, price);
        decimals.quantity = (int32_t)decimals_of(at + price + 3, quantity);
    }
    if (UNLIKELY(decimals.quantity > LOB_LEVELS_DECIMALS_MAX || decimals.price > LOB_LEVELS_DECIMALS_MAX))
        return none;
    const layout *const prices = (const layout *)tables + 17 * decimals.price;
    const layout *const quantities = (const layout *)tables + 17 * decimals.quantity;
    const pair layout = pair_of(&prices[price], &quantities[quantity_index(quantity)]);
    if (UNLIKELY(!take(at, at + price + 3, layout, levels))) return none;
    const uint8_t *const quote = at + price + 3 + quantity;
    const bool others = next_level_follows(quote) && LIKELY(quote + 5 <= limit);
    if (!others && UNLIKELY(!array_ends(quote, end))) return none;
    *known = decimals;
    if (!others) return (lob_levels_run){quote + 3, 1, true};
    return take_others(prices, quantities, quote + 5, limit, end, levels);
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
