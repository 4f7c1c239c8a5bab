// bf16: the upper half of an fp32 number, rounded to nearest, ties to even.
#include "vector.h"

typedef uint16_t vh __attribute__((ext_vector_type(16)));
typedef uint16_t vh_unaligned __attribute__((ext_vector_type(16), aligned(2)));

// A NaN keeps its upper half, made quiet: rounding could carry it into infinity.
#define ROUND(x)                                                                                   \
  ({                                                                                               \
    vu bits_ = (vu)(x);                                                                            \
    vu nearest_ = (bits_ + 0x7FFFu + ((bits_ >> 16) & 1u)) >> 16;                                  \
    vu nan_ = (vu)((vf)bits_ != (vf)bits_);                                                        \
    __builtin_convertvector((nearest_ & ~nan_) | (((bits_ >> 16) | 0x40u) & nan_), vh);            \
  })

CLONED void apus_round_half(uint16_t *y, const float *x, size_t n) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) *(vh_unaligned *)(y + i) = ROUND(LOAD(x + i));
  if (i < n) {
    vh rest = ROUND(LOAD_PART(x + i, n - i));
    memcpy(y + i, &rest, (n - i) * sizeof *y);
  }
}

CLONED void apus_expand_half(float *y, const uint16_t *x, size_t n) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    vu bits = __builtin_convertvector(*(const vh_unaligned *)(x + i), vu) << 16;
    STORE(y + i, (vf)bits);
  }
  for (; i < n; i++) {
    uint32_t bits = (uint32_t)x[i] << 16;
    memcpy(y + i, &bits, sizeof bits);
  }
}
