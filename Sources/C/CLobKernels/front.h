// Matches the fronts of updates by their layout. The messages of a stream begin alike: only digits and names
// vary, and names of equal length leave every field in its place. A layout seen once is therefore kept as two
// rows of bytes, the lowest value of each byte and the range above it. One subtraction and one saturating
// subtraction per 32 bytes then prove that a front matches, and its numbers are at known positions.
//
// A layout contains lengths but no names, so a market has a few dozen, shared by all symbols. A small table,
// indexed by a hash of a message's first bytes, remembers the last two layouts seen there. A wrong hint costs
// a miss, never a wrong answer, and a miss is read field by field.
//
// Matching accepts a subset of what reading by fields accepts, with the same result: here names are printable
// ASCII without quote and backslash, and a stream's symbol has no `@`.
//
// Bounded: `FRONTS` layouts, of which the oldest is replaced; a message adds at most one.
#pragma once
#include "layout.h"

#if defined(__x86_64__)
enum { FRONT_BYTES_MAX = 224, FRONT_BLOCKS_MIN = 3, FRONTS = 64, FRONT_HINTS = 4096 };

/// The lengths that define a front; 0 for absent fields.
typedef union {
    struct {
        /// Bytes of the stream's symbol, and of its speed including the `@` before it.
        uint8_t stream_symbol, speed;
        uint8_t symbol;
        /// Length of `ps` plus one.
        uint8_t pair;
        uint8_t event_time, transaction_time, first, last, previous, unused[7];
    };
    uint64_t words[2];
} front_lengths;

typedef struct {
    uint8_t lowest[FRONT_BYTES_MAX], range[FRONT_BYTES_MAX];
    /// Shuffles that right-align the digits of two numbers, each within 16 bytes from where it begins.
    uint8_t digits[3][32];
    /// Offsets of the event time, of the last, first and previous id, and of the transaction time.
    uint8_t event_time, last, first, previous, transaction_time;
    uint8_t symbol, symbol_length, stream_length;
    uint16_t length;
    /// Bytes that reading it touches.
    uint16_t readable;
    uint8_t blocks;
    /// Offset of the first `@` among the first 32 bytes; 32 if there is none.
    uint8_t at_sign;
    bool has_transaction_time;
    /// All bits set if there is no previous id.
    int64_t no_previous;
    front_lengths lengths;
} __attribute__((aligned(64))) front;

/// What is remembered for one hash value.
typedef struct {
    /// The last two fronts, the more recent one first.
    uint8_t fronts[2];
    decimals_guess decimals;
} front_hint;

typedef struct {
    front fronts[FRONTS];
    front_hint hints[FRONT_HINTS];
    /// The last update read.
    lob_update update;
    uint32_t count;
    /// Index of the front that the last message was expected to have.
    uint32_t last;
} front_table;

_Static_assert(sizeof(front_table) == LOB_FRONTS_BYTES, "size of the fronts");

INLINE front_hint *hint_of(front_table *table, const uint8_t *message) {
    const uint64_t mixed = (word(message + 11) ^ word(message + 42) << 21) * 0x9E3779B97F4A7C15u;
    return &table->hints[mixed >> 52];
}

/// Whether the front at `at` has this layout.
INLINE bool front_fits(const front *wanted, const uint8_t *at, const uint8_t *readable_end) {
    if (UNLIKELY(readable_end - at < wanted->readable)) return false;
    __m256i excess = _mm256_setzero_si256();
    const __m256i backslash = _mm256_set1_epi8('\\'), at_sign = _mm256_set1_epi8('@');
    uint32_t at_signs = 0;
#pragma clang loop unroll_count(8)
    for (int i = 0; i < FRONT_BYTES_MAX / 32; i++) {
        if (i >= FRONT_BLOCKS_MIN && i >= wanted->blocks) break;
        const __m256i text = _mm256_loadu_si256((const __m256i *)(at + 32 * i));
        const __m256i lowest = _mm256_load_si256((const __m256i *)(wanted->lowest + 32 * i));
        const __m256i range = _mm256_load_si256((const __m256i *)(wanted->range + 32 * i));
        if (i == 0) at_signs = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(text, at_sign));
        excess = _mm256_or_si256(excess, _mm256_subs_epu8(_mm256_sub_epi8(text, lowest), range));
        excess = _mm256_or_si256(excess, _mm256_cmpeq_epi8(text, backslash));
    }
    return _mm256_testz_si256(excess, excess) & (_tzcnt_u32(at_signs) == wanted->at_sign);
}

INLINE __m256i digits_of(const uint8_t *first, const uint8_t *second, const uint8_t *places) {
    __m256i digits = _mm256_and_si256(both(first, second), _mm256_set1_epi8(0x0F));
    digits = _mm256_shuffle_epi8(digits, _mm256_load_si256((const __m256i *)places));
    digits = _mm256_maddubs_epi16(digits, _mm256_set1_epi16(10 | 1 << 8));
    return _mm256_madd_epi16(digits, _mm256_set1_epi32(100 | 1 << 16));
}

INLINE __m256i numbers_of(__m256i a, __m256i b) {
    __m256i digits = _mm256_packus_epi32(a, b);
    digits = _mm256_madd_epi16(digits, _mm256_set1_epi32(10000 | 1 << 16));
    const __m256i upper = _mm256_mul_epu32(digits, _mm256_set1_epi64x(100000000));
    return _mm256_add_epi64(upper, _mm256_srli_epi64(digits, 32));
}

/// Reads a front that matches.
INLINE void read_front(const front *front, const uint8_t *at, lob_update *update) {
    const __m256i a = digits_of(at + front->event_time, at + front->last, front->digits[0]);
    const __m256i b = digits_of(at + front->first, at + front->previous, front->digits[1]);
    _Static_assert(offsetof(lob_update, previous) == offsetof(lob_update, event_time) + 24, "four in a row");
    _mm256_storeu_si256((__m256i *)&update->event_time, numbers_of(a, b));
    update->previous |= front->no_previous;
    update->transaction_time = 0;
    if (front->has_transaction_time) {
        const uint8_t *const time = at + front->transaction_time;
        const __m256i c = digits_of(time, time, front->digits[2]);
        update->transaction_time = _mm_cvtsi128_si64(_mm256_castsi256_si128(numbers_of(c, c)));
    }
    update->symbol = at + front->symbol;
    update->symbol_length = front->symbol_length;
    update->stream_length = front->stream_length;
}

/// Remembers the layout of a front that was read field by field.
void lob_front_learn(front_table *table, const uint8_t *at, front_lengths lengths);
#endif
