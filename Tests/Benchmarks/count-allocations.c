/* Preloaded into a program: counts its allocations in the file $ALLOCATIONS, those of the program itself apart. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* glibc's own, so that nothing has to be looked up. */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

struct counts { atomic_ulong all, own; };

static struct counts before_start, *counts = &before_start;
static uintptr_t program_start, program_end;

static int find_program(struct dl_phdr_info *object, size_t size, void *context) {
    (void)size, (void)context;
    program_start = UINTPTR_MAX, program_end = 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        if (object->dlpi_phdr[i].p_type != PT_LOAD) continue;
        uintptr_t start = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr, end = start + object->dlpi_phdr[i].p_memsz;
        if (start < program_start) program_start = start;
        if (end > program_end) program_end = end;
    }
    return 1; /* the first object is the program */
}

__attribute__((constructor)) static void open_counts(void) {
    const char *path = getenv("ALLOCATIONS");
    int file = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (file < 0 || ftruncate(file, sizeof *counts) < 0) return;
    void *map = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    dl_iterate_phdr(find_program, NULL);
    if (map == MAP_FAILED) return;
    counts = map;
    counts->all++; /* shows that this is loaded, where the program allocates nothing at all */
}

static void count(void *caller) {
    uintptr_t address = (uintptr_t)caller;
    counts->all++;
    if (address >= program_start && address < program_end) counts->own++;
}

#define CALLER __builtin_return_address(0)

void *malloc(size_t size) { return count(CALLER), __libc_malloc(size); }
void *calloc(size_t number, size_t size) { return count(CALLER), __libc_calloc(number, size); }
void *realloc(void *block, size_t size) { return count(CALLER), __libc_realloc(block, size); }
void *aligned_alloc(size_t alignment, size_t size) { return count(CALLER), __libc_memalign(alignment, size); }
void *memalign(size_t alignment, size_t size) { return count(CALLER), __libc_memalign(alignment, size); }

int posix_memalign(void **block, size_t alignment, size_t size) {
    count(CALLER);
    *block = __libc_memalign(alignment, size);
    return *block ? 0 : 12 /* ENOMEM */;
}
