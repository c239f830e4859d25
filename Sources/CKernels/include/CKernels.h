#pragma once
#include <stdint.h>

#include "CycleClock.h"
