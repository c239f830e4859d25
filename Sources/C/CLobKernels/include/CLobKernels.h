// Intrinsics and OS calls that Swift cannot use directly. `static inline` functions are compiled into the
// calling Swift code; those that need a wider instruction set than the build's are ordinary functions, which
// select their widest variant once, when the process starts. No mutable state in headers.
#pragma once
#include "CLobKernelsBook.h"
#include "CLobKernelsLayout.h"
#include "CLobKernelsMeasure.h"
#include "CLobKernelsOS.h"
#include "CLobKernelsLevels.h"
