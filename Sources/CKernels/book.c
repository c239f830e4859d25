// The search phase of a side, for all levels of a message at once: the searches do not depend on each other, so the
// processor overlaps them. Three variants of one loop; the first call goes through the variant chosen at start-up.
#include "CKernelsBook.h"

#define SEARCH_LOOP(BELOW8)                                                     \
    int64_t previous = (levels[0].price ^ order) - 1, disorder = 0;             \
    const int64_t top = index->group512_count;                                  \
    for (int64_t j = 0; j < count; j++) {                                       \
        const int64_t price = levels[j].price, key = price ^ flip;              \
        const int64_t ordered = price ^ order;                                  \
        disorder |= ordered - previous - 1;                                     \
        previous = ordered;                                                     \
        int64_t group = 0;                                                      \
        for (int64_t g = 0; g < top; g += 8) group += BELOW8(index->every512 + g, key); \
        group = group * 8 + BELOW8(index->every64 + group * 8, key);            \
        group = group * 8 + BELOW8(index->every8 + group * 8, key);             \
        slots[j] = (uint32_t)(group * 8 + BELOW8(index->keys + group * 8, key)); \
    }                                                                           \
    return disorder >= 0

static int search_baseline(const lob_index *index, const lob_level *levels, int64_t count, int64_t flip,
                           int64_t order, uint32_t *slots) {
    SEARCH_LOOP(lob_below8);
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx512f,avx512vl,popcnt"))) static inline int64_t below8_avx512(const int64_t *keys,
                                                                                       int64_t key) {
    __mmask8 below = _mm512_cmplt_epi64_mask(_mm512_loadu_si512(keys), _mm512_set1_epi64(key));
    return __builtin_popcount(below);
}

__attribute__((target("avx512f,avx512vl,popcnt"))) static int search_avx512(const lob_index *index,
                                                                            const lob_level *levels, int64_t count,
                                                                            int64_t flip, int64_t order,
                                                                            uint32_t *slots) {
    SEARCH_LOOP(below8_avx512);
}
#endif

typedef int (*search_function)(const lob_index *, const lob_level *, int64_t, int64_t, int64_t, uint32_t *);
static search_function search_chosen = search_baseline;
#if defined(__AVX2__)
static const char *search_name = "avx2";
#else
static const char *search_name = "portable";
#endif

__attribute__((constructor)) static void choose_search(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) {
        search_chosen = search_avx512;
        search_name = "avx512";
    }
#endif
}

int lob_search_side(const lob_index *index, const lob_level *levels, int64_t count, int64_t flip, int64_t order,
                    uint32_t *slots) {
    return search_chosen(index, levels, count, flip, order, slots);
}

const char *lob_search_kernel_name(void) { return search_name; }
