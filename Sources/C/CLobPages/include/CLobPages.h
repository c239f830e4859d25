// Files that the executable carries: the dashboard, the document of the server's own requests, and what
// `lob run` prints for others. Nothing is read from disk when it runs.
#ifndef CLOBPAGES_H
#define CLOBPAGES_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// The files, in the order of the table in pages.c.
typedef enum lob_file {
    LOB_FILE_INDEX,
    LOB_FILE_STYLE,
    LOB_FILE_APP,
    LOB_FILE_FEED,
    LOB_FILE_FORMAT,
    LOB_FILE_TABLE,
    LOB_FILE_BOOK,
    LOB_FILE_HEATMAP,
    LOB_FILE_PANELS,
    LOB_FILE_ICON,
    LOB_FILE_OPENAPI,
    LOB_FILE_DASHBOARD,
    LOB_FILE_ALERTS,
    LOB_FILE_COUNT
} lob_file;

/// The bytes of a file; they live as long as the process.
const uint8_t *lob_file_bytes(lob_file file, size_t *length);

#pragma clang assume_nonnull end
#endif
