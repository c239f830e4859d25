// Kernels of one side of a book: eight sorted keys compared at once, runs of slots moved by one.
//
// Every pointer may be read (and where stated, rewritten unchanged) up to eight slots beyond the run it names; the
// side's storage has that room on both ends.
#pragma once
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

/// The sorted keys of a side and its samples: the last key of every group of 8, of 64 and of 512 slots.
typedef struct {
    const int64_t *keys;
    const int64_t *every8;
    const int64_t *every64;
    const int64_t *every512;
    /// Number of groups of 512, rounded up to a multiple of 8.
    int64_t group512_count;
} lob_index;

/// For each level the first slot whose key is not below `price ^ flip`, against the side as it is.
///
/// `flip` turns a price into the side's rank: 0 for bids, -1 for asks. `order` is 0 if the prices are said to
/// ascend, -1 if to descend. Returns 1 if they do so strictly, 0 if not; the slots are right in both cases.
int lob_search_side(const lob_index *index, const lob_level *levels, int64_t count, int64_t flip, int64_t order,
                    uint32_t *slots);

/// The widest variant in use: "avx512", "avx2" or "portable".
const char *lob_search_kernel_name(void);

/// Number of the eight ascending keys at `keys` that are below `key`.
static inline int64_t lob_below8(const int64_t *keys, int64_t key) {
#if defined(__AVX2__)
    __m256i k = _mm256_set1_epi64x(key);
    __m256i low = _mm256_cmpgt_epi64(k, _mm256_loadu_si256((const __m256i *)keys));
    __m256i high = _mm256_cmpgt_epi64(k, _mm256_loadu_si256((const __m256i *)(keys + 4)));
    return __builtin_popcount((unsigned)_mm256_movemask_epi8(_mm256_packs_epi32(low, high))) >> 2;
#else
    int64_t below = 0;
    for (int i = 0; i < 8; i++) below += keys[i] < key;
    return below;
#endif
}

/// Which of the eight quantities at `quantities` are zero, as a bit mask.
static inline uint32_t lob_free8(const int64_t *quantities) {
#if defined(__AVX2__)
    __m256i zero = _mm256_setzero_si256();
    __m256i low = _mm256_cmpeq_epi64(zero, _mm256_loadu_si256((const __m256i *)quantities));
    __m256i high = _mm256_cmpeq_epi64(zero, _mm256_loadu_si256((const __m256i *)(quantities + 4)));
    uint32_t a = (uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(low));
    uint32_t b = (uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(high));
    return a | b << 4;
#else
    uint32_t mask = 0;
    for (int i = 0; i < 8; i++) mask |= (uint32_t)(quantities[i] == 0) << i;
    return mask;
#endif
}

/// Moves the `count` (0 ... 7) slots at `at` up by one and stores `value` at `at`; slots `at[0 ... 8]` are rewritten.
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

/// Moves the `count` (0 ... 7) slots before `at` down by one and stores `value` at `at[-1]`; slots `at[-8 ... -1]`
/// are rewritten.
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
