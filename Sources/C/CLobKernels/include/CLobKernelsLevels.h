// The level kernel: reads `"price","quantity"],["price",...` at about 30 instructions a level, for one fixed
// pair of decimals. It reports only exact results; what it does not recognise it leaves to the caller's
// scalar reader, which defines what is right.
//
// Always compiled for AVX2, whatever the flags of the package; `lob_levels_available` tells whether this
// machine can run it.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#pragma clang assume_nonnull begin
#define LOB_INLINE static inline __attribute__((always_inline))

enum {
    /// Number of supported decimals: 0 ... 14; more are left to the caller.
    LOB_LEVELS_DECIMALS_MAX = 14,
    /// Length of the layouts of numbers of all decimals together.
    LOB_LAYOUTS_BYTES = (LOB_LEVELS_DECIMALS_MAX + 1) * 17 * 64,
    /// Length of the fronts that a parser remembers.
    LOB_FRONTS_BYTES = 57472,
    /// Length of a parser's tables, which want 64-byte alignment.
    LOB_LEVELS_TABLES_BYTES = LOB_LAYOUTS_BYTES + LOB_FRONTS_BYTES,
};

/// The decimals of the levels of a message; negative until a level has shown them.
typedef struct {
    int32_t price;
    int32_t quantity;
} lob_decimals;

/// Where the kernel stopped.
typedef struct {
    /// First digit of the first price not taken; after the closing `]]` if the array was closed.
    const uint8_t *at;
    /// Levels written.
    size_t count;
    /// Whether the array was taken to its end, including its closing bracket.
    bool closed;
} lob_levels_run;

/// Whether this processor has what the kernel needs.
bool lob_levels_available(void);

/// Fills the tables. Reading updates changes them, so each parser has its own.
void lob_levels_prepare(void *tables);

/// Takes as many levels as it recognises, all with the same decimals: those of `decimals`, or if these are
/// negative those of the first level, which are then stored there.
///
/// `at` is the first digit of a price, just after `["`. Nothing from `end` on is interpreted, and nothing
/// from `readable_end` on is read. `levels` receives two mantissas per level, price first; it must have room
/// for one level more than fit between `at` and `end`.
lob_levels_run lob_levels_read(
    const void *tables, lob_decimals *decimals, const uint8_t *at, const uint8_t *end,
    const uint8_t *readable_end, int64_t *levels);

/// A depth update, as far as the kernel has recognised it.
typedef struct {
    /// Event time in milliseconds, first and last id, and the previous update's last id or -1.
    int64_t event_time, first, last, previous;
    /// Transaction time in milliseconds, 0 if there is none.
    int64_t transaction_time;
    /// The symbol's 1 ... 15 bytes.
    const uint8_t *symbol;
    uint32_t symbol_length;
    /// Length of the stream's name, which follows `{"stream":"`; 0 without a wrapper.
    uint32_t stream_length;
    /// Number of sides taken, bids first; -1 if it was no such update: all else is then undefined.
    int32_t sides;
    /// Whether both sides were taken and the message ends after them.
    bool is_whole;
    /// Decimals of the levels taken, negative if there are none.
    lob_decimals decimals;
    /// Levels written to each side, including one that was taken only in part.
    size_t bid_count, ask_count;
    /// After the closing bracket of the asks if both sides were taken, otherwise at the next level of the
    /// first side that was not.
    const uint8_t *at;
} lob_update;

/// Reads a depth update from its first byte to the end of its levels if it has the usual fields in the usual
/// order; bounds are as for `lob_levels_read`. Unless the update is whole, the caller must check what follows
/// the levels. The result stays valid until the next call with these tables.
const lob_update *lob_update_read(
    void *tables, const uint8_t *at, const uint8_t *end, const uint8_t *readable_end, int64_t *bids,
    int64_t *asks);

/// Whether `length` bytes are equal; a constant length compiles to a few word comparisons.
LOB_INLINE bool lob_same_bytes(const uint8_t *a, const uint8_t *b, size_t length) {
    return __builtin_memcmp(a, b, length) == 0;
}

/// Leading digits.
typedef struct {
    /// Their value.
    int64_t value;
    /// Their number, 0 ... 16.
    size_t count;
} lob_leading_digits;

#if defined(__SSE4_1__)
LOB_INLINE size_t lob_lowest(int bits) { return (size_t)__builtin_ctz((unsigned)bits | 0x10000u); }

/// Number of bytes, of 16, before the first quote, backslash or control byte.
LOB_INLINE size_t lob_plain_bytes(const uint8_t *p) {
    const __m128i text = _mm_loadu_si128((const __m128i *)p);
    const __m128i quote = _mm_cmpeq_epi8(text, _mm_set1_epi8('"'));
    const __m128i escape = _mm_cmpeq_epi8(text, _mm_set1_epi8('\\'));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(text, _mm_set1_epi8(0x1F)), text);
    return lob_lowest(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, escape), control)));
}

/// Number of bytes, of 16, before the first `byte`.
LOB_INLINE size_t lob_bytes_before(const uint8_t *p, uint8_t byte) {
    const __m128i text = _mm_loadu_si128((const __m128i *)p);
    return lob_lowest(_mm_movemask_epi8(_mm_cmpeq_epi8(text, _mm_set1_epi8((char)byte))));
}

/// The leading digits of 16 bytes, and their value.
LOB_INLINE lob_leading_digits lob_leading_integer(const uint8_t *p) {
    static const uint8_t align[32] __attribute__((aligned(32))) = {
        0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
        0,    1,    2,    3,    4,    5,    6,    7,    8,    9,    10,   11,   12,   13,   14,   15};
    __m128i digits = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)p), _mm_set1_epi8('0'));
    const __m128i digit = _mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits);
    const size_t count = lob_lowest(~_mm_movemask_epi8(digit));
    digits = _mm_shuffle_epi8(digits, _mm_loadu_si128((const __m128i *)(align + count)));
    digits = _mm_maddubs_epi16(digits, _mm_set1_epi16(10 | 1 << 8));
    digits = _mm_madd_epi16(digits, _mm_set1_epi32(100 | 1 << 16));
    digits = _mm_madd_epi16(_mm_packus_epi32(digits, digits), _mm_set1_epi32(10000 | 1 << 16));
    const uint64_t halves = (uint64_t)_mm_cvtsi128_si64(digits);
    return (lob_leading_digits){(int64_t)((halves & 0xFFFFFFFF) * 100000000 + (halves >> 32)), count};
}
#else
LOB_INLINE size_t lob_plain_bytes(const uint8_t *p) {
    size_t count = 0;
    while (count < 16 && p[count] != '"' && p[count] != '\\' && p[count] >= 0x20) count++;
    return count;
}

LOB_INLINE size_t lob_bytes_before(const uint8_t *p, uint8_t byte) {
    size_t count = 0;
    while (count < 16 && p[count] != byte) count++;
    return count;
}

LOB_INLINE lob_leading_digits lob_leading_integer(const uint8_t *p) {
    lob_leading_digits found = {0, 0};
    while (found.count < 16 && (uint8_t)(p[found.count] - '0') <= 9)
        found.value = found.value * 10 + (p[found.count++] - '0');
    return found;
}
#endif

#pragma clang assume_nonnull end
