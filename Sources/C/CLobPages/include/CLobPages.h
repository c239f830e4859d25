// Files embedded in the executable: the dashboard, the description of the server's own API, and the files
// that `lob run` prints for other tools. Nothing is read from disk at run time.
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

/// The bytes of a file; valid as long as the process runs.
const uint8_t *lob_file_bytes(lob_file file, size_t *length);

#pragma clang assume_nonnull end
#endif
