// The few calls of the operating system and the processor that Swift cannot see: memory mapped twice, futex,
// barrier, pinning, the cycle counter, the spin hint. Functions that can fail answer an errno, 0 being
// success.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// Maps `length` fresh zeroed bytes twice, the second mapping right behind the first, all pages present: byte
/// `i` and byte `length + i` are the same byte. `length` is a positive multiple of the page size.
/// Returns 0 and sets `base`, or an errno and leaves it.
int lob_map_twice(size_t length, void *_Nullable *_Nonnull base);

/// Unmaps what `lob_map_twice` mapped.
void lob_unmap_twice(void *base, size_t length);

/// Sleeps while `*word == expected`, at most `timeout_ns`; may return early for no reason. `shared`: other
/// processes may wake it, by whatever address they see the word at.
void lob_futex_wait(const void *word, uint32_t expected, int64_t timeout_ns, bool shared);

/// Wakes every thread that sleeps on `word`: those of this process, or with `shared` of all processes that
/// map it.
void lob_futex_wake_all(const void *word, bool shared);

/// Lets this process use `lob_process_barrier`; fails where the kernel has no such call or refuses it.
int lob_register_process_barrier(void);

/// Makes every thread of this process that runs now pass a full memory barrier; one that does not run has
/// passed some. Interrupts the CPUs it concerns, for a microsecond or a few.
int lob_process_barrier(void);

/// Keeps the calling thread on one CPU.
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

/// Asks the processor for the cache lines of `bytes` from `address` on, which are to be written soon. Nothing
/// is read, so it may be any address.
static inline void lob_prefetch_lines(uintptr_t address, int64_t bytes) {
    const uintptr_t end = address + (uintptr_t)bytes;
    for (uintptr_t line = address & ~(uintptr_t)63; line < end; line += 64) {
        __builtin_prefetch((const void *)line, 1);
    }
}

/// Keeps the compiler, not the processor, from moving memory accesses across it.
static inline void lob_compiler_fence(void) { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

/// The cycle counter: constant rate and the same on all CPUs where the kernel uses it as its clock; not
/// serialising.
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
