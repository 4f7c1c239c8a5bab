// The bound of every fp32 product on a core: independent chains of fused multiply-adds in registers.
//
// Two units with a latency of four cycles need eight chains or more; a level has as many as its
// registers hold beside two factors: 32 of 16 lanes under AVX-512, 16 of 8 lanes under AVX2.
#include "vector.h"

typedef float v8 __attribute__((ext_vector_type(8)));
typedef float v4 __attribute__((ext_vector_type(4)));

// Read and written in every call, so that the compiler can neither know nor drop the numbers.
static volatile float factor = 0.999f, addend = 0.001f;
static __thread volatile float sink;

#define CHAINS(NAME, TARGET, VECTOR, COUNT)                                                        \
  TARGET static double NAME(size_t rounds) {                                                       \
    const VECTOR x = factor, y = addend;                                                           \
    VECTOR sums[COUNT];                                                                            \
    for (int i = 0; i < COUNT; i++) sums[i] = (float)i;                                            \
    for (size_t round = 0; round < rounds; round++) {                                              \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < COUNT; i++) sums[i] = sums[i] * x + y; \
    }                                                                                              \
    for (int i = 0; i < COUNT; i++) sink = sums[i][0];                                             \
    return 2.0 * (double)rounds * COUNT * (double)(sizeof(VECTOR) / sizeof(float));                \
  }

#if defined(__x86_64__)
CHAINS(chains_v4, __attribute__((target("arch=x86-64-v4"), min_vector_width(512))), vf, 16)
CHAINS(chains_v3, __attribute__((target("arch=x86-64-v3"))), v8, 12)
#endif
CHAINS(chains_v1, , v4, 12)

// The CPU decides, not apus_level(): a lower level leaves the kernels of libraries as they are.
double apus_multiply_adds(size_t rounds) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v4")) return chains_v4(rounds);
  if (__builtin_cpu_supports("x86-64-v3")) return chains_v3(rounds);
#endif
  return chains_v1(rounds);
}
