// Operating system and processor features that Swift cannot use directly: memory mapped twice, futex,
// barrier, pinning, the cycle counter, the spin hint. Functions that can fail return an errno, 0 on success.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// Maps `length` zeroed bytes twice, the second mapping directly after the first: byte `i` and byte
/// `length + i` are the same byte. The pages of the first mapping are present. `length` is a positive
/// multiple of the page size. Returns 0 and sets `base`, or an errno and leaves it.
int lob_map_twice(size_t length, void *_Nullable *_Nonnull base);

/// Unmaps what `lob_map_twice` mapped.
void lob_unmap_twice(void *base, size_t length);

/// Sleeps while `*word == expected`, at most `timeout_ns`; may wake spuriously. `shared`: other processes may
/// wake it, whatever address they map the word at.
void lob_futex_wait(const void *word, uint32_t expected, int64_t timeout_ns, bool shared);

/// Wakes every thread that sleeps on `word`: in this process, or with `shared` in all processes that map it.
void lob_futex_wake_all(const void *word, bool shared);

/// Lets this process use `lob_process_barrier`; fails where the kernel has no such call or refuses it.
int lob_register_process_barrier(void);

/// Makes every running thread of this process pass a full memory barrier; a thread that is not running has
/// passed one. Interrupts the CPUs concerned for a few microseconds.
int lob_process_barrier(void);

/// Pins the calling thread to one CPU.
int lob_pin_thread(int cpu);

/// Lets the calling thread run on every CPU again.
int lob_unpin_thread(void);

/// Names the calling thread; the system keeps 15 bytes.
void lob_name_thread(const char *name);

/// Tells the processor that this is a spin loop.
static inline void lob_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#endif
}

/// Prefetches the cache lines of `bytes` from `address` on for writing. Nothing is read, so any address is
/// allowed.
static inline void lob_prefetch_lines(uintptr_t address, int64_t bytes) {
    const uintptr_t end = address + (uintptr_t)bytes;
    for (uintptr_t line = address & ~(uintptr_t)63; line < end; line += 64) {
        __builtin_prefetch((const void *)line, 1);
    }
}

/// Prevents the compiler, but not the processor, from moving memory accesses across it.
static inline void lob_compiler_fence(void) { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

/// The cycle counter, not serialising. If the kernel uses it as its clock, it has a constant rate and agrees
/// across CPUs.
static inline uint64_t lob_cycles(void) {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t count;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(count));
    return count;
#else
#error "no cycle counter for this processor"
#endif
}

#pragma clang assume_nonnull end
