// The system's libwebsockets-dev. Without it the build says what to install; the README's first command installs all.
#if __has_include(<libwebsockets.h>)
#include <libwebsockets.h>
#else
#error "libwebsockets-dev is missing: apt-get install libwebsockets-dev (the README's first command installs all)"
#endif
