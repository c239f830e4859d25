// For measurements: the cycle counter, and the instruction set of this build.
//
// On x86-64 the counter is the time-stamp counter, which ticks at a constant rate on every CPU with
// `constant_tsc`; the hardware does not report its rate, so it must be calibrated.
#pragma once
#include <stdint.h>
#if !defined(__x86_64__) && !defined(__aarch64__)
#include <time.h>
#endif

#pragma clang assume_nonnull begin

/// The counter, read after all earlier instructions have finished and before later ones start. Without the
/// fences the work of neighbouring messages overlaps, and a message is charged for the one before it.
static inline uint64_t lob_cycles_fenced(void) {
#if defined(__x86_64__)
    uint32_t low, high;
    __asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high) : : "memory");
    return ((uint64_t)high << 32) | low;
#elif defined(__aarch64__)
    uint64_t ticks;
    __asm__ volatile("isb\n\tmrs %0, cntvct_el0\n\tisb" : "=r"(ticks) : : "memory");
    return ticks;
#else
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
#endif
}

/// Name of the instruction set this build was compiled for.
static inline const char *lob_instruction_set(void) {
#if defined(__AVX512F__)
    return "x86-64-v4";
#elif defined(__AVX2__)
    return "x86-64-v3";
#elif defined(__x86_64__)
    return "x86-64";
#elif defined(__aarch64__)
    return "arm64";
#else
    return "portable";
#endif
}

#pragma clang assume_nonnull end
