// The system's libzstd-dev. Without it the build says what to install; the README's first command installs all.
#if __has_include(<zstd.h>)
#include <zstd.h>
#else
#error "libzstd-dev is missing: apt-get install libzstd-dev (the README's first command installs all)"
#endif
