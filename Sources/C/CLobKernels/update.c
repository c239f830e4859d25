// Reads a depth update in one call: wrapper, times, symbol, ids, both sides. A front is recognised by its
// layout (front.h); one of unknown layout is read field by field, as here.
//
// In quiet markets a message is a front of 130 bytes with one or two levels, and the front is most of the
// work. Two things keep that short. Nothing is checked twice: one comparison shows that a whole front is
// readable, and every literal is a comparison of words. And few fields wait for those before them: an event
// time has 13 digits until the year 2286, a symbol is as long as its stream's, two ids have equally many
// digits. Each length is measured, but the position of the next field follows from the guess, so the
// processor can proceed speculatively. Integers are converted in pairs alongside.
//
// Like the level kernel it reports only exact results; everything else, including unusual orders of fields
// and integers of value 0, is left to the caller.
#include "front.h"

#if defined(__x86_64__)
INLINE __m128i text_at(const void *p) { return _mm_loadu_si128((const __m128i *)p); }

/// Whether two texts begin and end with the same, overlapping, words.
#define SAME_ENDS(TYPE)                                           \
    {                                                             \
        TYPE front_a, front_b, back_a, back_b;                    \
        memcpy(&front_a, a, sizeof(TYPE));                        \
        memcpy(&front_b, b, sizeof(TYPE));                        \
        memcpy(&back_a, a + length - sizeof(TYPE), sizeof(TYPE)); \
        memcpy(&back_b, b + length - sizeof(TYPE), sizeof(TYPE)); \
        return ((front_a ^ front_b) | (back_a ^ back_b)) == 0;    \
    }

/// Whether 1 ... 32 bytes are equal, by two overlapping words; the compiler would call `memcmp`.
INLINE bool is_same(const uint8_t *a, const char *b, size_t length) {
    if (length == 1) return *a == (uint8_t)*b;
    if (length < 4) SAME_ENDS(uint16_t)
    if (length < 8) SAME_ENDS(uint32_t)
    if (length < 16) SAME_ENDS(uint64_t)
    const __m128i front = _mm_xor_si128(text_at(a), text_at(b));
    const __m128i back = _mm_xor_si128(text_at(a + length - 16), text_at(b + length - 16));
    const __m128i difference = _mm_or_si128(front, back);
    return _mm_testz_si128(difference, difference);
}

/// Skips a literal if it comes next.
#define TAKE(AT, LITERAL) \
    (is_same((AT), (LITERAL), sizeof(LITERAL) - 1) ? ((AT) += sizeof(LITERAL) - 1, true) : false)
/// The same; otherwise returns false from the function.
#define REQUIRE(AT, LITERAL) \
    if (UNLIKELY(!TAKE(AT, LITERAL))) return false

enum {
    /// Maximum read for a wrapper: its literals, and 16 bytes each for a symbol and a speed.
    WRAPPER_BYTES = 120,
    /// Maximum read for a front after its wrapper: literals of 66 bytes, five integers and two names of at
    /// most 16 each, and the bytes examined beyond them.
    FRONT_BYTES = 208,
};

/// The digits of an integer, aligned to the right.
typedef struct {
    __m128i digits;
    uint32_t count;
} integer;

INLINE integer integer_at(const uint8_t *p) {
    static const uint8_t align[32] __attribute__((aligned(32))) = {
        0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
        0,    1,    2,    3,    4,    5,    6,    7,    8,    9,    10,   11,   12,   13,   14,   15};
    const __m128i digits = _mm_sub_epi8(text_at(p), _mm_set1_epi8('0'));
    const __m128i digit = _mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits);
    const uint32_t count = (uint32_t)_tzcnt_u32(~(uint32_t)_mm_movemask_epi8(digit));
    return (integer){_mm_shuffle_epi8(digits, text_at(align + count)), count};
}

/// The values of two integers.
INLINE void convert(integer a, integer b, int64_t *first, int64_t *second) {
    __m256i digits = _mm256_inserti128_si256(_mm256_castsi128_si256(a.digits), b.digits, 1);
    digits = _mm256_maddubs_epi16(digits, _mm256_set1_epi16(10 | 1 << 8));
    digits = _mm256_madd_epi16(digits, _mm256_set1_epi32(100 | 1 << 16));
    digits = _mm256_packus_epi32(digits, digits);
    digits = _mm256_madd_epi16(digits, _mm256_set1_epi32(10000 | 1 << 16));
    const __m256i upper = _mm256_mul_epu32(digits, _mm256_set1_epi64x(100000000));
    digits = _mm256_add_epi64(upper, _mm256_srli_epi64(digits, 32));
    *first = _mm_cvtsi128_si64(_mm256_castsi256_si128(digits));
    *second = _mm_cvtsi128_si64(_mm256_extracti128_si256(digits, 1));
}

/// Returns `length`, which is likely to be `guess`; what follows then depends only on the guess.
INLINE uint32_t guessed(uint32_t length, uint32_t guess) {
    if (__builtin_expect(length == guess, 1)) {
        __asm__("" : "+r"(guess));  // a separate value, or the compiler would use `length` again
        return guess;
    }
    return length;
}

/// Whether an integer above 0 begins here.
INLINE bool is_counting(const uint8_t *p) { return (uint8_t)(*p - '1') <= 8; }

/// Number of bytes, of 16, before the first quote, backslash, control byte or `stop`.
INLINE uint32_t plain_bytes(const uint8_t *p, char stop) {
    const __m128i text = text_at(p);
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(text, _mm_set1_epi8(0x1F)), text);
    const __m128i quote = _mm_cmpeq_epi8(text, _mm_set1_epi8('"'));
    const __m128i escape = _mm_cmpeq_epi8(text, _mm_set1_epi8('\\'));
    const __m128i wanted = _mm_cmpeq_epi8(text, _mm_set1_epi8(stop));
    const __m128i found = _mm_or_si128(_mm_or_si128(quote, escape), _mm_or_si128(control, wanted));
    return (uint32_t)_tzcnt_u32((uint32_t)_mm_movemask_epi8(found) | 0x10000);
}

/// Takes `x@depth…","data":` of a stream of updates of any speed (`@`, digits and `ms`), from the first byte
/// of its name, and the length of its symbol.
INLINE bool take_wrapper(
    const uint8_t **cursor, lob_update *update, uint32_t *name_length, front_lengths *lengths) {
    const uint8_t *at = *cursor, *const name = at;
    *name_length = plain_bytes(at, '@');
    lengths->stream_symbol = (uint8_t)*name_length;
    at += *name_length;
    if (TAKE(at, "@depth@100ms\",\"data\":")) {
        update->stream_length = (uint32_t)(at - name) - 9;
    } else {
        REQUIRE(at, "@depth");
        if (*at == '@') {
            const uint32_t digits = integer_at(at + 1).count;
            if (UNLIKELY(digits == 0)) return false;
            at += 1 + digits;
            REQUIRE(at, "ms");
        }
        update->stream_length = (uint32_t)(at - name);
        REQUIRE(at, "\",\"data\":");
    }
    lengths->speed = (uint8_t)(update->stream_length - *name_length - 6);
    *cursor = at;
    return true;
}

INLINE void note_lengths(
    front_lengths *lengths, integer event_time, integer transaction_time, integer first, integer last) {
    lengths->event_time = (uint8_t)event_time.count;
    lengths->transaction_time = (uint8_t)transaction_time.count;
    lengths->first = (uint8_t)first.count;
    lengths->last = (uint8_t)last.count;
}

/// Takes everything up to the bids: times, ids and symbol, and the lengths that define the layout.
INLINE bool take_front(
    const uint8_t **cursor, const uint8_t *readable_end, lob_update *update, front_lengths *lengths) {
    const uint8_t *at = *cursor;
    update->stream_length = 0;
    uint32_t name_length = 7;  // as most symbols have
    if (TAKE(at, "{\"stream\":\"")) {
        if (UNLIKELY(readable_end - at < WRAPPER_BYTES)) return false;
        if (UNLIKELY(!take_wrapper(&at, update, &name_length, lengths))) return false;
    }
    if (UNLIKELY(readable_end - at < FRONT_BYTES)) return false;
    REQUIRE(at, "{\"e\":\"depthUpdate\",\"E\":");
    if (UNLIKELY(!is_counting(at))) return false;
    const integer event_time = integer_at(at);
    at += guessed(event_time.count, 13);

    integer transaction_time = {_mm_setzero_si128(), 0};
    if (TAKE(at, ",\"T\":")) {
        if (UNLIKELY(!is_counting(at))) return false;
        transaction_time = integer_at(at);
        at += transaction_time.count;
    }
    REQUIRE(at, ",\"s\":\"");
    update->symbol = at;
    update->symbol_length = guessed(plain_bytes(at, '"'), name_length);
    if (UNLIKELY(update->symbol_length - 1 > 14)) return false;
    at += update->symbol_length;
    REQUIRE(at, "\"");
    if (TAKE(at, ",\"ps\":\"")) {
        const uint32_t pair_length = plain_bytes(at, '"');
        lengths->pair = (uint8_t)(pair_length + 1);
        at += pair_length;
        REQUIRE(at, "\"");
    }
    REQUIRE(at, ",\"U\":");
    if (UNLIKELY(!is_counting(at))) return false;
    const integer first = integer_at(at);
    at += first.count;
    REQUIRE(at, ",\"u\":");
    if (UNLIKELY(!is_counting(at))) return false;
    const integer last = integer_at(at);
    at += guessed(last.count, first.count);
    convert(first, last, &update->first, &update->last);
    update->previous = -1;
    if (TAKE(at, ",\"pu\":")) {
        if (UNLIKELY(!is_counting(at))) return false;
        const integer previous = integer_at(at);
        at += guessed(previous.count, first.count);
        int64_t unused;
        convert(previous, previous, &update->previous, &unused);
        lengths->previous = (uint8_t)previous.count;
    }
    convert(event_time, transaction_time, &update->event_time, &update->transaction_time);
    REQUIRE(at, ",\"b\":[");
    lengths->symbol = (uint8_t)update->symbol_length;
    note_lengths(lengths, event_time, transaction_time, first, last);
    *cursor = at;
    return true;
}

/// Takes one side, from after its opening bracket to after its closing one, or as far as it is recognised.
INLINE bool take_side(
    const void *tables, decimals_guess *guess, const uint8_t **cursor, const uint8_t *end,
    const uint8_t *readable_end, lob_decimals *decimals, int64_t *levels, size_t *count) {
    const uint8_t *at = *cursor;
    *count = 0;
    if (TAKE(at, "]")) {
        *cursor = at;
        return true;
    }
    if (UNLIKELY(!TAKE(at, "[\""))) return false;
    const lob_levels_run run = read_levels(tables, decimals, guess, at, end, readable_end, levels);
    *count = run.count;
    if (run.count > 0) *cursor = run.closed ? run.at : run.at - 2;
    return run.closed;
}

/// Takes both sides, bids first.
INLINE void take_sides(
    const void *tables, decimals_guess *guess, const uint8_t *at, const uint8_t *end,
    const uint8_t *readable_end, int64_t *bids, int64_t *asks, lob_update *update) {
    update->decimals = (lob_decimals){-1, -1};
    update->ask_count = 0;
    int32_t sides = 0;
    // The front may have ended beyond `end`; then there are no levels before it.
    if (take_side(tables, guess, &at, end, readable_end, &update->decimals, bids, &update->bid_count)) {
        // At least as long as `,"a":[]}`, and so readable.
        if (UNLIKELY(end - at < 8) || UNLIKELY(!TAKE(at, ",\"a\":["))) return;
        sides = 1;
        if (take_side(
                tables, guess, &at, end, readable_end, &update->decimals, asks, &update->ask_count))
            sides = 2;
    }
    update->at = at;
    update->sides = at <= end ? sides : -1;
    const uint32_t brackets = update->stream_length > 0 ? 2 : 1;
    update->is_whole = sides == 2 && end - at == brackets && at[0] == '}' && at[brackets - 1] == '}';
}

/// Reads an update whose front has no known layout.
__attribute__((noinline)) KERNEL static void read_by_fields(
    void *tables, const uint8_t *at, const uint8_t *end, const uint8_t *readable_end, int64_t *bids,
    int64_t *asks, lob_update *update) {
    const uint8_t *const start = at;
    front_lengths lengths = {{0}};
    if (UNLIKELY(!take_front(&at, readable_end, update, &lengths))) return;
    if (update->stream_length == 0 || lengths.stream_symbol > 0)
        lob_front_learn((front_table *)((uint8_t *)tables + LOB_LAYOUTS_BYTES), start, lengths);
    decimals_guess guess = {0, 0};
    take_sides(tables, &guess, at, end, readable_end, bids, asks, update);
}

KERNEL const lob_update *lob_update_read(
    void *tables, const uint8_t *at, const uint8_t *end, const uint8_t *readable_end, int64_t *bids,
    int64_t *asks) {
    front_table *const table = (front_table *)((uint8_t *)tables + LOB_LAYOUTS_BYTES);
    lob_update *const update = &table->update;
    update->sides = -1;
    update->is_whole = false;
    if (UNLIKELY(readable_end - at < FRONT_BYTES)) return update;
    front_hint *const hint = hint_of(table, at);
    // Probably the same front as the last message's; what follows then need not wait for the hint.
    uint32_t index = table->last;
    if (__builtin_expect(hint->fronts[0] == index, 1))
        __asm__("" : "+r"(index));
    else
        table->last = index = hint->fronts[0];
    const front *front = &table->fronts[index];
    if (UNLIKELY(!front_fits(front, at, readable_end))) {
        front = &table->fronts[hint->fronts[1]];
        if (!front_fits(front, at, readable_end)) {
            read_by_fields(tables, at, end, readable_end, bids, asks, update);
            return update;
        }
    }
    read_front(front, at, update);
    at += front->length;
    take_sides(tables, &hint->decimals, at, end, readable_end, bids, asks, update);
    return update;
}
#else
const lob_update *lob_update_read(
    void *tables, const uint8_t *at, const uint8_t *end, const uint8_t *readable_end, int64_t *bids,
    int64_t *asks) {
    static const lob_update none = {.sides = -1};
    (void)tables, (void)at, (void)end, (void)readable_end, (void)bids, (void)asks;
    return &none;
}
#endif
