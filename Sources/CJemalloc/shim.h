// The system's libjemalloc-dev. Without it the build says what to install; the README's first command installs all.
#if __has_include(<jemalloc/jemalloc.h>)
#include <jemalloc/jemalloc.h>
#else
#error "libjemalloc-dev is missing: apt-get install libjemalloc-dev (the README's first command installs all)"
#endif
