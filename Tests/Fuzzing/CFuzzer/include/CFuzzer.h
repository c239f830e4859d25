// The entry of libFuzzer for programs that have a `main` of their own.
#pragma once
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

int LLVMFuzzerRunDriver(
    int *argc, char *_Nullable *_Nonnull *_Nonnull argv, int (*callback)(const uint8_t *data, size_t length));

#pragma clang assume_nonnull end
