// The system's libjemalloc-dev; without it the build says what to install.
#if __has_include(<jemalloc/jemalloc.h>)
#include <jemalloc/jemalloc.h>
#else
#error "libjemalloc-dev is missing; the first command of the README installs all"
#endif
