#pragma once
#include <cblas.h>
#include <sys/mman.h>

// OpenBLAS's own allocator of the buffers of its products. Weak: other builds of the library may not
// export it.
void *blas_memory_alloc(int) __attribute__((weak));
void blas_memory_free(void *) __attribute__((weak));

/// Makes the library allocate the buffers of `count` simultaneous products, which it keeps. Returns
/// the number that fits: without room, a product itself would try again for ever.
static inline int copenblas_reserve(int count) {
  enum { most = 64, bytes = 128 << 20 };
  if (!blas_memory_alloc || !blas_memory_free) return count;
  void *buffers[most];
  int reserved = 0;
  while (reserved < count && reserved < most) {
    void *room = mmap(0, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) break;
    munmap(room, bytes);
    buffers[reserved++] = blas_memory_alloc(0);
  }
  for (int i = 0; i < reserved; i++) blas_memory_free(buffers[i]);
  return reserved == most ? count : reserved;
}
