// Vectors of sixteen fp32 lanes: one register under AVX-512, two under AVX2, four under SSE2, with
// the same arithmetic.
//
// Helpers are macros, because a function with vector arguments would have a different calling
// convention in each clone. Partial vectors at the end of a row use a zeroed register, so an
// element's result does not depend on its position in the row.
#pragma once
#include "include/ckernels.h"
#include <math.h>
#include <string.h>

// A kernel is compiled once per CPU level, and a call runs the copy of `apus_level()`:
//
//   KERNEL(void, apus_add, (float *y, const float *a, const float *b, size_t n), (y, a, b, n)) { … }
//
// The attribute target_clones would choose by the CPU alone, before main; this way a test can ask
// for the copy that an older CPU runs (the environment variable APUS_CPU_LEVEL).
#if defined(__x86_64__)
#define KERNEL(RESULT, NAME, PARAMETERS, ARGUMENTS)                                                \
  static inline __attribute__((always_inline)) RESULT NAME##_body PARAMETERS;                      \
  __attribute__((target("arch=x86-64-v4"), min_vector_width(512))) static RESULT NAME##_v4         \
  PARAMETERS {                                                                                     \
    return NAME##_body ARGUMENTS;                                                                  \
  }                                                                                                \
  __attribute__((target("arch=x86-64-v3"))) static RESULT NAME##_v3 PARAMETERS {                   \
    return NAME##_body ARGUMENTS;                                                                  \
  }                                                                                                \
  static RESULT NAME##_v1 PARAMETERS { return NAME##_body ARGUMENTS; }                             \
  RESULT NAME PARAMETERS {                                                                         \
    switch (apus_level()) {                                                                        \
    case APUS_V4: return NAME##_v4 ARGUMENTS;                                                      \
    case APUS_V3: return NAME##_v3 ARGUMENTS;                                                      \
    default: return NAME##_v1 ARGUMENTS;                                                           \
    }                                                                                              \
  }                                                                                                \
  static inline __attribute__((always_inline)) RESULT NAME##_body PARAMETERS
#else
#define KERNEL(RESULT, NAME, PARAMETERS, ARGUMENTS) RESULT NAME PARAMETERS
#endif

enum { LANES = 16 };
typedef float vf __attribute__((ext_vector_type(16)));
typedef float vf_unaligned __attribute__((ext_vector_type(16), aligned(4)));
typedef int32_t vi __attribute__((ext_vector_type(16)));
typedef uint32_t vu __attribute__((ext_vector_type(16)));
typedef double vd8 __attribute__((ext_vector_type(8)));

#define LOAD(p) (*(const vf_unaligned *)(p))
#define STORE(p, x) (*(vf_unaligned *)(p) = (x))
#define LOAD_PART(p, k)                                                                            \
  ({                                                                                               \
    vf part_ = 0;                                                                                  \
    memcpy(&part_, (p), (k) * sizeof(float));                                                      \
    part_;                                                                                         \
  })
#define STORE_PART(p, x, k)                                                                        \
  ({                                                                                               \
    vf part_ = (x);                                                                                \
    memcpy((p), &part_, (k) * sizeof(float));                                                      \
  })

// bf16 in memory, expanded to fp32 in registers.
typedef uint16_t vbf16 __attribute__((ext_vector_type(16)));
typedef uint16_t vbf16_unaligned __attribute__((ext_vector_type(16), aligned(2)));
#define EXPAND(h) ((vf)(__builtin_convertvector((h), vu) << 16))
#define LOAD_BF16(p) EXPAND(*(const vbf16_unaligned *)(p))
#define LOAD_BF16_PART(p, k)                                                                       \
  ({                                                                                               \
    vbf16 part_ = 0;                                                                               \
    memcpy(&part_, (p), (k) * sizeof(uint16_t));                                                   \
    EXPAND(part_);                                                                                 \
  })

// Runs the body for every full vector with k == LANES, then once for the rest of k elements; GET
// and PUT transfer k elements.
#define GET(p) (k == LANES ? (vf)LOAD((p) + i) : LOAD_PART((p) + i, k))
#define GET_BF16(p) (k == LANES ? LOAD_BF16((p) + i) : LOAD_BF16_PART((p) + i, k))
#define PUT(p, x)                                                                                  \
  do {                                                                                             \
    vf put_ = (x);                                                                                 \
    if (k == LANES)                                                                                \
      STORE((p) + i, put_);                                                                        \
    else                                                                                           \
      STORE_PART((p) + i, put_, k);                                                                \
  } while (0)
#define FOR_VECTORS(n, ...)                                                                        \
  do {                                                                                             \
    size_t i = 0;                                                                                  \
    for (; i + LANES <= (n); i += LANES) {                                                         \
      enum { k = LANES };                                                                          \
      __VA_ARGS__                                                                                  \
    }                                                                                              \
    if (i < (n)) {                                                                                 \
      const size_t k = (n)-i;                                                                      \
      __VA_ARGS__                                                                                  \
    }                                                                                              \
  } while (0)

#define VMAX(a, b) __builtin_elementwise_max((a), (b))
#define VMIN(a, b) __builtin_elementwise_min((a), (b))

// The sum of the lanes, added in a fixed tree.
#define LANE_SUM(x)                                                                                \
  ({                                                                                               \
    vf s_ = (x);                                                                                   \
    float t8_[8], t4_[4];                                                                          \
    for (int j_ = 0; j_ < 8; j_++) t8_[j_] = s_[j_] + s_[j_ + 8];                                  \
    for (int j_ = 0; j_ < 4; j_++) t4_[j_] = t8_[j_] + t8_[j_ + 4];                                \
    (t4_[0] + t4_[2]) + (t4_[1] + t4_[3]);                                                         \
  })
#define LANE_MAX(x)                                                                                \
  ({                                                                                               \
    vf s_ = (x);                                                                                   \
    float m_ = s_[0];                                                                              \
    for (int j_ = 1; j_ < LANES; j_++) m_ = s_[j_] > m_ ? s_[j_] : m_;                             \
    m_;                                                                                            \
  })

// exp by range reduction x = n·ln 2 + r, |r| ≤ ln 2 / 2, and a polynomial of degree 6 in r
// (coefficients of Cephes' expf, Moshier). The error is below 2 ulp; the result is 0 below −87.3
// and saturates at exp(88.3) above 88.3. Rounding by adding 1.5·2²³ needs no SSE4.1.
#define VEXP(argument)                                                                             \
  ({                                                                                               \
    vf a_ = (argument);                                                                            \
    vf x_ = VMIN(VMAX(a_, (vf)(-87.3f)), (vf)88.3f);                                               \
    vf n_ = (x_ * 1.44269504088896341f + 12582912.0f) - 12582912.0f;                               \
    vf r_ = (x_ - n_ * 0.693359375f) + n_ * 2.12194440e-4f;                                        \
    vf p_ = (vf)1.9875691500e-4f;                                                                  \
    p_ = p_ * r_ + 1.3981999507e-3f;                                                               \
    p_ = p_ * r_ + 8.3334519073e-3f;                                                               \
    p_ = p_ * r_ + 4.1665795894e-2f;                                                               \
    p_ = p_ * r_ + 1.6666665459e-1f;                                                               \
    p_ = p_ * r_ + 5.0000001201e-1f;                                                               \
    p_ = (p_ * r_) * r_ + r_ + 1.0f;                                                               \
    vi e_ = (__builtin_convertvector(n_, vi) + 127) << 23;                                         \
    vf scaled_ = p_ * (vf)e_;                                                                      \
    vi live_ = a_ >= -87.3f;                                                                       \
    /* NaN stays NaN, so that a diverging run is noticed. */                                       \
    vi nan_ = a_ != a_;                                                                            \
    (vf)(((vi)scaled_ & live_) | ((vi)a_ & nan_));                                                 \
  })

#define VSIGMOID(x) (1.0f / (1.0f + VEXP(-(x))))
