// The system's zlib1g-dev. Without it the build says what to install; the README's first command installs all.
#if __has_include(<zlib.h>)
#include <zlib.h>
#else
#error "zlib1g-dev is missing: apt-get install zlib1g-dev (the README's first command installs all)"
#endif
