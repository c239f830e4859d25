// The system's libwebsockets-dev; without it the build says what to install.
#if __has_include(<libwebsockets.h>)
#include <libwebsockets.h>
#else
#error "libwebsockets-dev is missing; the first command of the README installs all"
#endif
