#pragma once
#include <stdint.h>
#include "CKernelsOS.h"
