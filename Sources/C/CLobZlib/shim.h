// The system's zlib1g-dev; without it the build says what to install.
#if __has_include(<zlib.h>)
#include <zlib.h>
#else
#error "zlib1g-dev is missing; the first command of the README installs all"
#endif
