// Builds the layout of a front from its lengths, once per layout; see front.h.
#include "front.h"

#if defined(__x86_64__)
/// A front under construction, filled from its first byte on.
typedef struct {
    front *front;
    uint32_t length;
} front_writer;

static void put(front_writer *writer, size_t count, uint8_t lowest, uint8_t range) {
    for (size_t i = 0; i < count; i++, writer->length++) {
        if (writer->length >= FRONT_BYTES_MAX) continue;
        writer->front->lowest[writer->length] = lowest;
        writer->front->range[writer->length] = range;
    }
}

static void put_text(front_writer *writer, const char *text) {
    for (; *text; text++) put(writer, 1, (uint8_t)*text, 0);
}

/// A name: printable characters above the quote.
static void put_name(front_writer *writer, size_t count) { put(writer, count, '"' + 1, '~' - '"' - 1); }

/// Digits without a leading 0; returns where they begin.
static uint8_t put_number(front_writer *writer, size_t count, uint8_t *digits) {
    const uint8_t first = (uint8_t)writer->length;
    put(writer, 1, '1', 8);
    put(writer, count - 1, '0', 9);
    for (size_t i = 0; i < count; i++) digits[16 - count + i] = (uint8_t)i;
    return first;
}

static void write_front(front *front, front_lengths lengths) {
    front_writer writer = {front, 0};
    memset(front, 0, sizeof *front);
    memset(front->digits, 0x80, sizeof front->digits);
    front->lengths = lengths;
    front->at_sign = 32;
    if (lengths.stream_symbol > 0) {
        put_text(&writer, "{\"stream\":\"");
        put_name(&writer, lengths.stream_symbol);
        front->at_sign = (uint8_t)writer.length;
        put_text(&writer, "@depth");
        if (lengths.speed > 3) {  // as `take_wrapper` has read it
            put_text(&writer, "@");
            put(&writer, lengths.speed - 3u, '0', 9);
            put_text(&writer, "ms");
        }
        front->stream_length = (uint8_t)(writer.length - 11);
        put_text(&writer, "\",\"data\":");
    }
    put_text(&writer, "{\"e\":\"depthUpdate\",\"E\":");
    front->event_time = put_number(&writer, lengths.event_time, front->digits[0]);
    front->has_transaction_time = lengths.transaction_time > 0;
    if (front->has_transaction_time) {
        put_text(&writer, ",\"T\":");
        front->transaction_time = put_number(&writer, lengths.transaction_time, front->digits[2]);
    }
    put_text(&writer, ",\"s\":\"");
    front->symbol = (uint8_t)writer.length;
    front->symbol_length = lengths.symbol;
    put_name(&writer, lengths.symbol);
    if (lengths.pair > 0) {
        put_text(&writer, "\",\"ps\":\"");
        put_name(&writer, lengths.pair - 1u);
    }
    put_text(&writer, "\",\"U\":");
    front->first = put_number(&writer, lengths.first, front->digits[1]);
    put_text(&writer, ",\"u\":");
    front->last = put_number(&writer, lengths.last, front->digits[0] + 16);
    front->no_previous = lengths.previous > 0 ? 0 : -1;
    if (lengths.previous > 0) {
        put_text(&writer, ",\"pu\":");
        front->previous = put_number(&writer, lengths.previous, front->digits[1] + 16);
    }
    put_text(&writer, ",\"b\":[");
    front->length = (uint16_t)writer.length;
    front->blocks = (uint8_t)((writer.length + 31) / 32);
    // Whole blocks, plus 16 bytes from the start of a number.
    front->readable = (uint16_t)(32 * front->blocks + 16);
    if (writer.length > FRONT_BYTES_MAX) {  // matches nothing
        memset(front->lowest, 0, sizeof front->lowest);
        memset(front->range, 0, sizeof front->range);
        return;
    }
    put(&writer, FRONT_BYTES_MAX - writer.length, 0, 0xFF);
}

KERNEL void lob_front_learn(front_table *table, const uint8_t *at, front_lengths lengths) {
    size_t index = 0;
    const size_t known = table->count < FRONTS ? table->count : FRONTS;
    while (index < known && memcmp(&table->fronts[index].lengths, &lengths, sizeof lengths) != 0) index++;
    if (index == known) {
        index = table->count++ % FRONTS;
        write_front(&table->fronts[index], lengths);
    }
    front_hint *const hint = hint_of(table, at);
    if (hint->fronts[0] == index) return;
    hint->fronts[1] = hint->fronts[0];
    hint->fronts[0] = (uint8_t)index;
}
#endif
