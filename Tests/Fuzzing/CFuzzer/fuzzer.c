// libFuzzer itself is linked by the compiler's flag; this file only makes the folder a target.
#include "CFuzzer.h"
