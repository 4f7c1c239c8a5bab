// Sixteen fp32 lanes: one register under AVX-512, two under AVX2, four under SSE2; same arithmetic.
//
// Helpers are macros: a function with vector arguments would have another calling convention in
// each clone. Partial vectors at the end of a row go through a zeroed register, so an element's
// result does not depend on its place in a row.
#pragma once
#include "include/ckernels.h"
#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#define CLONED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONED
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

// bf16 in memory, fp32 in registers.
typedef uint16_t vh __attribute__((ext_vector_type(16)));
typedef uint16_t vh_unaligned __attribute__((ext_vector_type(16), aligned(2)));
#define EXPAND(h) ((vf)(__builtin_convertvector((h), vu) << 16))
#define HALF(p) EXPAND(*(const vh_unaligned *)(p))
#define HALF_PART(p, k)                                                                            \
  ({                                                                                               \
    vh part_ = 0;                                                                                  \
    memcpy(&part_, (p), (k) * sizeof(uint16_t));                                                   \
    EXPAND(part_);                                                                                 \
  })

// The body runs over whole vectors with k == LANES, then once over the rest: GET and PUT follow k.
#define GET(p) (k == LANES ? (vf)LOAD((p) + i) : LOAD_PART((p) + i, k))
#define GET_HALF(p) (k == LANES ? HALF((p) + i) : HALF_PART((p) + i, k))
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

// The sum of the lanes in a fixed tree.
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

// exp: range reduction x = n·ln 2 + r, |r| ≤ ln 2 / 2, and a polynomial of degree 6 in r
// (coefficients of Cephes' expf, Moshier); relative error below 2 ulp; under −87.3 it gives 0 and
// over 88.3 it saturates at exp(88.3). Rounding by the 1.5·2²³ constant needs no SSE4.1.
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
    /* A NaN stays one: a run that diverges must be seen. */                                       \
    vi nan_ = a_ != a_;                                                                            \
    (vf)(((vi)scaled_ & live_) | ((vi)a_ & nan_));                                                 \
  })

#define VSIGMOID(x) (1.0f / (1.0f + VEXP(-(x))))
