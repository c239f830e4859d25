// Operating system calls that Swift cannot make itself; see the header for the contracts.
#define _GNU_SOURCE
#include "CLobKernelsOS.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int map_onto(char *at, size_t length, int fd, size_t offset, int populate) {
    int flags = MAP_SHARED | MAP_FIXED | populate;
    void *mapped = mmap(at, length, PROT_READ | PROT_WRITE, flags, fd, (off_t)offset);
    return mapped == MAP_FAILED ? errno : 0;
}

// The second mapping serves only frames that cross the end; populating all of it would count the memory
// twice.
enum { SECOND_BYTES_MAX = 1 << 20 };

static int map_both(char *range, size_t length, int fd) {
    size_t ready = length < SECOND_BYTES_MAX ? length : SECOND_BYTES_MAX;
    int failure = map_onto(range, length, fd, 0, MAP_POPULATE);
    if (!failure) failure = map_onto(range + length, ready, fd, 0, MAP_POPULATE);
    if (!failure && ready < length) {
        failure = map_onto(range + length + ready, length - ready, fd, ready, 0);
    }
    return failure;
}

int lob_map_twice(size_t length, void **base) {
    if (length == 0 || length > SIZE_MAX / 2 || length % (size_t)sysconf(_SC_PAGESIZE)) return EINVAL;
    int fd = memfd_create("frames", MFD_CLOEXEC);
    if (fd < 0) return errno;
    int failure = ftruncate(fd, (off_t)length) ? errno : 0;
    if (!failure) {
        // Reserve the whole range first, so that no other mapping can take the second half.
        char *range = mmap(NULL, 2 * length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (range == MAP_FAILED) {
            failure = errno;
        } else {
            failure = map_both(range, length, fd);
            if (failure) munmap(range, 2 * length);
            else *base = range;
        }
    }
    close(fd);
    return failure;
}

void lob_unmap_twice(void *base, size_t length) { munmap(base, 2 * length); }

void lob_futex_wait(const void *word, uint32_t expected, int64_t timeout_ns, bool shared) {
    if (timeout_ns <= 0) return;
    struct timespec timeout = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
    int operation = shared ? FUTEX_WAIT : FUTEX_WAIT_PRIVATE;
    syscall(SYS_futex, word, operation, expected, &timeout, NULL, 0);
}

void lob_futex_wake_all(const void *word, bool shared) {
    syscall(SYS_futex, word, shared ? FUTEX_WAKE : FUTEX_WAKE_PRIVATE, 0x7FFFFFFF, NULL, NULL, 0);
}

static int membarrier(int command) { return syscall(SYS_membarrier, command, 0, 0) ? errno : 0; }

int lob_register_process_barrier(void) {
    return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
}

int lob_process_barrier(void) { return membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED); }

int lob_pin_thread(int cpu) {
    if (cpu < 0 || cpu >= CPU_SETSIZE) return EINVAL;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) ? errno : 0;
}

int lob_unpin_thread(void) {
    cpu_set_t set;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) ? errno : 0;
}

void lob_name_thread(const char *name) { prctl(PR_SET_NAME, name); }
