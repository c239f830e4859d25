// Messages compressed for permessage-deflate (RFC 7692), each independently: no context is kept from one to
// the next, so one packer serves all connections of a thread, and its output suits every client.
#include "internal.h"
#include <stdlib.h>
#include <zlib.h>

struct ct_packer {
    z_stream deflater, inflater;
};

// The fastest level: it packs 2 KB of an update nearly as small as any other.
enum { LEVEL = 1, WINDOW_BITS = -15, MEMORY_LEVEL = 8, AT_BLOCK_END = 128 };

ct_packer *ct_packer_create(void) {
    ct_packer *packer = ct_allocate(sizeof *packer);
    if (!packer) return NULL;
    int failed = deflateInit2(&packer->deflater, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL,
                              Z_DEFAULT_STRATEGY)
        || inflateInit2(&packer->inflater, WINDOW_BITS);
    if (!failed) return packer;
    ct_packer_destroy(packer);
    return NULL;
}

void ct_packer_destroy(ct_packer *packer) {
    deflateEnd(&packer->deflater);
    inflateEnd(&packer->inflater);
    free(packer);
}

size_t ct_pack(ct_packer *packer, const uint8_t *bytes, size_t length, uint8_t *room, size_t capacity) {
    z_stream *stream = &packer->deflater;
    if (length > UINT32_MAX / 2 || capacity > UINT32_MAX / 2 || deflateReset(stream)) return 0;
    stream->next_in = (uint8_t *)(uintptr_t)bytes;
    stream->avail_in = (unsigned)length;
    stream->next_out = room;
    stream->avail_out = (unsigned)capacity;
    if (deflate(stream, Z_SYNC_FLUSH) || stream->avail_in || !stream->avail_out) return 0;
    // Every flush ends with four fixed bytes, which the protocol omits.
    size_t made = capacity - stream->avail_out;
    return made > 4 ? made - 4 : 0;
}

int64_t ct_unpack(ct_packer *packer, const uint8_t *bytes, size_t length, uint8_t *room, size_t capacity) {
    z_stream *stream = &packer->inflater;
    if (length > UINT32_MAX / 2 || capacity > UINT32_MAX / 2 || inflateReset(stream)) return -1;
    stream->next_in = (uint8_t *)(uintptr_t)bytes;
    stream->avail_in = (unsigned)length;
    stream->next_out = room;
    stream->avail_out = (unsigned)capacity;
    int result = inflate(stream, Z_SYNC_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return -1;
    if (!stream->avail_out) return CT_UNPACK_TOO_LONG;
    bool is_whole = result == Z_STREAM_END || (!stream->avail_in && stream->data_type & AT_BLOCK_END);
    return is_whole ? (int64_t)(capacity - stream->avail_out) : -1;
}

// Whether an offer contains only acceptable terms. Our window is at least as large as any client's.
static bool is_acceptable(const char *offer) {
    static const char name[] = "permessage-deflate";
    static const char *const terms[] = {
        "server_no_context_takeover", "client_no_context_takeover", "client_max_window_bits"};
    unsigned seen = 0;
    if (strncmp(offer, name, sizeof name - 1)) return false;
    for (offer += sizeof name - 1;;) {
        offer += strspn(offer, " \t");
        if (!*offer) return true;
        if (*offer != ';') return false;
        offer += 1 + strspn(offer + 1, " \t");
        size_t length = strspn(offer, "abcdefghijklmnopqrstuvwxyz_"), digits = 0;
        unsigned index = 0;
        for (; index < 3; index += 1) {
            if (strlen(terms[index]) == length && !strncmp(offer, terms[index], length)) break;
        }
        if (index == 3 || seen & 1u << index) return false;
        seen |= 1u << index;
        offer += length;
        if (*offer != '=') continue;
        digits = strspn(offer + 1, "0123456789");
        if (index != 2 || !digits || digits > 2) return false;
        offer += 1 + digits;
    }
}

int ct_confirm_deflate(ct_connection *connection) {
    char offer[256];
    if (!connection || !connection->may_deflate) return -1;
    int length = lws_hdr_copy(connection->wsi, offer, sizeof offer, WSI_TOKEN_EXTENSIONS);
    if (length <= 0 || length >= (int)sizeof offer || !is_acceptable(offer)) return -1;
    connection->deflates = true;
    return 0;
}

// The library has written the extension's name and the end of the line; the terms go between them.
int ct_add_terms(ct_connection *connection, struct lws_process_html_args *args) {
    static const char name[] = "permessage-deflate\r\n";
    static const char terms[] = "; server_no_context_takeover; client_no_context_takeover\r\n";
    if (!connection || !connection->deflates) return 0;
    if (args->max_len < (int)sizeof terms) return -1;
    if (memcmp(args->p - sizeof name + 1, name, sizeof name - 1)) return -1;
    memcpy(args->p - 2, terms, sizeof terms - 1);
    args->p += sizeof terms - 3;
    return 0;
}

// Registered only so that the library accepts the bit that marks compressed messages.
static int pass_on(struct lws_context *context, const struct lws_extension *extension, struct lws *wsi,
                   enum lws_extension_callback_reasons reason, void *user, void *in, size_t length) {
    static const struct lws_ext_options none[] = {{0}};
    (void)context, (void)extension, (void)wsi, (void)user, (void)length;
    if (reason == LWS_EXT_CB_CONSTRUCT && in) *(const struct lws_ext_options **)in = none;
    return 0;
}

const struct lws_extension ct_extensions[] = {{"permessage-deflate", pass_on, NULL}, {0}};

void ct_allow_deflate(ct_connection *connection) { connection->may_deflate = true; }
bool ct_deflates(const ct_connection *connection) { return connection->deflates; }
bool ct_is_packed(const ct_connection *connection) { return connection->packed; }
