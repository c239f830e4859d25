// Intrinsics and the few OS calls that Swift cannot see. Everything `static inline` here is compiled into the
// Swift code that calls it; what needs a wider instruction set than the build's is an ordinary function that
// picks its widest variant once, when the process starts. No mutable state in headers.
#pragma once
#include "CLobKernelsBook.h"
#include "CLobKernelsLayout.h"
#include "CLobKernelsMeasure.h"
#include "CLobKernelsOS.h"
#include "CLobKernelsLevels.h"
