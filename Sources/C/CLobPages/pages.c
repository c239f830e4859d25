// The files as arrays, embedded by the compiler.
#include "CLobPages.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const uint8_t index_html[] = {
#embed "files/index.html"
};
static const uint8_t style_css[] = {
#embed "files/style.css"
};
static const uint8_t app_js[] = {
#embed "files/app.js"
};
static const uint8_t feed_js[] = {
#embed "files/feed.js"
};
static const uint8_t format_js[] = {
#embed "files/format.js"
};
static const uint8_t table_js[] = {
#embed "files/table.js"
};
static const uint8_t book_js[] = {
#embed "files/book.js"
};
static const uint8_t heatmap_js[] = {
#embed "files/heatmap.js"
};
static const uint8_t panels_js[] = {
#embed "files/panels.js"
};
static const uint8_t icon_svg[] = {
#embed "files/icon.svg"
};
static const uint8_t openapi_json[] = {
#embed "files/openapi.json"
};
static const uint8_t dashboard_json[] = {
#embed "files/dashboard.json"
};
static const uint8_t alerts_yaml[] = {
#embed "files/alerts.yaml"
};

#define FILE_OF(array) {array, sizeof array}

static const struct {
    const uint8_t *bytes;
    size_t length;
} files[LOB_FILE_COUNT] = {
    [LOB_FILE_INDEX] = FILE_OF(index_html),     [LOB_FILE_STYLE] = FILE_OF(style_css),
    [LOB_FILE_APP] = FILE_OF(app_js),           [LOB_FILE_FEED] = FILE_OF(feed_js),
    [LOB_FILE_FORMAT] = FILE_OF(format_js),     [LOB_FILE_TABLE] = FILE_OF(table_js),
    [LOB_FILE_BOOK] = FILE_OF(book_js),         [LOB_FILE_HEATMAP] = FILE_OF(heatmap_js),
    [LOB_FILE_PANELS] = FILE_OF(panels_js),     [LOB_FILE_ICON] = FILE_OF(icon_svg),
    [LOB_FILE_OPENAPI] = FILE_OF(openapi_json), [LOB_FILE_DASHBOARD] = FILE_OF(dashboard_json),
    [LOB_FILE_ALERTS] = FILE_OF(alerts_yaml),
};

const uint8_t *lob_file_bytes(lob_file file, size_t *length) {
    *length = files[file].length;
    return files[file].bytes;
}
