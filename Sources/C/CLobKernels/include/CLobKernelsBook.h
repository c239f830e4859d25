// Kernels for one side of a book: compare eight sorted keys at once, move runs of slots by one.
//
// Up to eight slots beyond each run may be read and, where stated, rewritten unchanged; the side's storage
// has that margin at both ends.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#pragma clang assume_nonnull begin

/// One price level as the parser writes it.
typedef struct {
    int64_t price;
    int64_t quantity;
} lob_level;

/// A side as the search uses it: sorted keys with their quantities, and samples of the keys: the last key of
/// every group of 8, 64 and 512 slots.
typedef struct {
    int64_t *keys;
    int64_t *quantities;
    int64_t *every8;
    int64_t *every64;
    int64_t *every512;
    /// Number of slots.
    int64_t capacity;
    /// Number of groups of 512, rounded up to a multiple of 8.
    int64_t group512_count;
    /// XORed with a price to make its key: 0 for bids, -1 for asks.
    int64_t flip;
    /// In and out: the highest slot that may hold a level.
    int64_t high;
} lob_side;

enum {
    /// Number of hints of a side: 512 bytes.
    LOB_HINTS = 256,
    /// More levels of a side are searched for in advance.
    LOB_HINTED_MAX = 4,
};

/// Where a side last found the prices of short messages.
typedef struct {
    /// By a hash of the key, the slot where it was; not believed without a look.
    uint16_t *slots;
    /// What is left of the trust in them. While there is none, it is negative.
    int64_t trust;
    /// The most levels for which a look is worth while: `LOB_HINTED_MAX`, or -1 without trust.
    int64_t most;
} lob_hints;

/// A level without a slot yet: where its search ended, and its index in the message.
typedef struct {
    uint32_t slot;
    uint32_t level;
} lob_insertion;

/// A slot in the front margin of `quantities` that absorbs the stores of levels without a slot.
#define LOB_DUMMY_SLOT (-40)

/// Levels still to be inserted: `count` entries of a list from `at` on, `step` apart.
typedef struct {
    int64_t count, at, step;
} lob_insertions_left;

/// Sets the quantity of the only level of one side of a message; 0 removes. False, with nothing changed,
/// if it must be inserted and no slot within eight is free.
bool lob_set_level(lob_side *side, const lob_level *level);

/// Sets the quantities of the levels (at least one) of one side of a message; 0 removes. `insertions` has
/// room for one more than there are.
///
/// Levels are left only if the next one to insert finds no free slot within eight. If the prices are not
/// strictly ordered, `count` is -1, and the quantities of the message's prices are undefined until the caller
/// sets them one by one.
lob_insertions_left lob_set_levels(
    lob_side *side, const lob_level *levels, int64_t count, lob_insertion *insertions);

/// Sets the quantities of up to `LOB_HINTED_MAX` levels of one side of a message, in any order, where the
/// hints say they are; 0 removes. False if one must be inserted and no slot within eight is free: the
/// quantities of the message's prices, and whether `high` holds a level, are then undefined until the caller
/// sets them one by one.
bool lob_set_hinted(lob_side *side, lob_hints *hints, const lob_level *levels, int64_t count);

/// Remembers where the levels of the best 512 slots are, and trusts in it.
void lob_remember(const lob_side *side, lob_hints *hints);

/// Inserts the levels left, as far as free slots are found.
lob_insertions_left lob_insert_levels(
    lob_side *side, const lob_level *levels, const lob_insertion *insertions, lob_insertions_left left);

/// Moves the levels (slots with a quantity other than 0) among `width` slots (a multiple of 8) to the front,
/// in order, and returns their number. The slots after them are undefined.
int64_t lob_compact(int64_t *keys, int64_t *quantities, int64_t width);

/// Spreads the `live` (at least 1) levels at the front evenly over `width` slots (a multiple of 8), in place.
/// A free slot has quantity 0 and repeats the key on its left.
void lob_spread(int64_t *keys, int64_t *quantities, int64_t live, int64_t width);

/// Number of free slots (quantity 0) among `width` (a multiple of 8).
int64_t lob_free_count(const int64_t *quantities, int64_t width);

/// Copies at most `wanted` of the best levels of a side, best first, from slot `high` (-1: none) downwards,
/// and returns their number; the rest of the `wanted` may be overwritten. `flip` is the side's.
int64_t lob_best_levels(const int64_t *keys, const int64_t *quantities, int64_t high, int64_t flip,
                        lob_level *levels, int64_t wanted);

/// Number of the eight ascending keys at `keys` that are below `key`, times `LOB_BELOW8_UNIT`.
static inline int64_t lob_below8_units(const int64_t *keys, int64_t key) {
#if defined(__AVX2__)
#define LOB_BELOW8_UNIT 4
    __m256i k = _mm256_set1_epi64x(key);
    __m256i low = _mm256_cmpgt_epi64(k, _mm256_loadu_si256((const __m256i *)keys));
    __m256i high = _mm256_cmpgt_epi64(k, _mm256_loadu_si256((const __m256i *)(keys + 4)));
    return _mm_popcnt_u32((unsigned)_mm256_movemask_epi8(_mm256_packs_epi32(low, high)));
#else
#define LOB_BELOW8_UNIT 1
    int64_t below = 0;
    for (int i = 0; i < 8; i++) below += keys[i] < key;
    return below;
#endif
}

/// Number of the eight ascending keys at `keys` that are below `key`.
static inline int64_t lob_below8(const int64_t *keys, int64_t key) {
    return lob_below8_units(keys, key) / LOB_BELOW8_UNIT;
}

/// Which of the eight quantities at `quantities` are zero: `LOB_FREE8_UNIT` equal bits for each.
static inline uint32_t lob_free8(const int64_t *quantities) {
#if defined(__AVX2__)
#define LOB_FREE8_UNIT 4
    __m256i zero = _mm256_setzero_si256();
    __m256i low = _mm256_cmpeq_epi64(zero, _mm256_loadu_si256((const __m256i *)quantities));
    __m256i high = _mm256_cmpeq_epi64(zero, _mm256_loadu_si256((const __m256i *)(quantities + 4)));
    // Packing works within 128-bit lanes: 0 1 4 5 | 2 3 6 7; put the pairs in order.
    __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xD8);
    return (uint32_t)_mm256_movemask_epi8(packed);
#else
#define LOB_FREE8_UNIT 1
    uint32_t mask = 0;
    for (int i = 0; i < 8; i++) mask |= (uint32_t)(quantities[i] == 0) << i;
    return mask;
#endif
}

/// Number of the eight quantities at `quantities` that are zero.
static inline int64_t lob_free_count8(const int64_t *quantities) {
    return __builtin_popcount(lob_free8(quantities)) / LOB_FREE8_UNIT;
}

/// Moves the `count` (0 ... 7) slots at `at` up by one and stores `value` at `at`; slots `at[0 ... 8]` are
/// rewritten.
static inline void lob_open_upwards(int64_t *at, int64_t count, int64_t value) {
#if defined(__AVX2__)
    __m256i n = _mm256_set1_epi64x(count);
    __m256i move_low = _mm256_cmpgt_epi64(n, _mm256_setr_epi64x(0, 1, 2, 3));
    __m256i move_high = _mm256_cmpgt_epi64(n, _mm256_setr_epi64x(4, 5, 6, 7));
    __m256i old_low = _mm256_loadu_si256((const __m256i *)at);
    __m256i old_high = _mm256_loadu_si256((const __m256i *)(at + 4));
    __m256i own_low = _mm256_loadu_si256((const __m256i *)(at + 1));
    __m256i own_high = _mm256_loadu_si256((const __m256i *)(at + 5));
    _mm256_storeu_si256((__m256i *)(at + 1), _mm256_blendv_epi8(own_low, old_low, move_low));
    _mm256_storeu_si256((__m256i *)(at + 5), _mm256_blendv_epi8(own_high, old_high, move_high));
#else
    for (int64_t i = count; i > 0; i--) at[i] = at[i - 1];
#endif
    at[0] = value;
}

/// Moves the `count` (0 ... 7) slots before `at` down by one and stores `value` at `at[-1]`; slots `at[-8 ...
/// -1]` are rewritten.
static inline void lob_open_downwards(int64_t *at, int64_t count, int64_t value) {
#if defined(__AVX2__)
    __m256i n = _mm256_set1_epi64x(count);
    __m256i move_low = _mm256_cmpgt_epi64(n, _mm256_setr_epi64x(6, 5, 4, 3));
    __m256i move_high = _mm256_cmpgt_epi64(n, _mm256_setr_epi64x(2, 1, 0, -1));
    __m256i old_low = _mm256_loadu_si256((const __m256i *)(at - 7));
    __m256i old_high = _mm256_loadu_si256((const __m256i *)(at - 3));
    __m256i own_low = _mm256_loadu_si256((const __m256i *)(at - 8));
    __m256i own_high = _mm256_loadu_si256((const __m256i *)(at - 4));
    _mm256_storeu_si256((__m256i *)(at - 8), _mm256_blendv_epi8(own_low, old_low, move_low));
    _mm256_storeu_si256((__m256i *)(at - 4), _mm256_blendv_epi8(own_high, old_high, move_high));
#else
    for (int64_t i = count; i > 0; i--) at[-1 - i] = at[-i];
#endif
    at[-1] = value;
}

#pragma clang assume_nonnull end
