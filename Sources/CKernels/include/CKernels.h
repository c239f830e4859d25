#pragma once
#include <stdint.h>
#include "CKernelsLevels.h"
