// Allocations of this target, and the faults that tests inject: into these and into rare system calls.
#include "internal.h"
#include <stdlib.h>

typedef struct fault {
    /// Calls so far, and which of them fail.
    uint64_t calls, first, last;
} fault;

static _Thread_local fault faults[CT_FAULTS];

uint64_t ct_let_fail(ct_fault kind, uint64_t first, uint64_t last) {
    uint64_t calls = faults[kind].calls;
    faults[kind] = (fault){.first = first, .last = last};
    return calls;
}

bool ct_fails(ct_fault kind) {
    fault *fault = &faults[kind];
    if (!fault->last) return false;
    fault->calls += 1;
    return fault->calls >= fault->first && fault->calls <= fault->last;
}

void *ct_allocate(size_t size) { return ct_fails(CT_NO_MEMORY) ? NULL : calloc(1, size); }

void *ct_grow(void *memory, size_t size) { return ct_fails(CT_NO_MEMORY) ? NULL : realloc(memory, size); }

char *ct_copy(const char *text) { return ct_fails(CT_NO_MEMORY) ? NULL : strdup(text); }
