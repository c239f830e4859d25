// The system's libzstd-dev; without it the build says what to install.
#if __has_include(<zstd.h>)
#include <zstd.h>
#else
#error "libzstd-dev is missing; the first command of the README installs all"
#endif
