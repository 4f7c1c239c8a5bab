// bf16: the upper half of an fp32 number, rounded to nearest, ties to even.
#include "vector.h"

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

CLONED void apus_round(float *x, size_t n) {
  FOR_VECTORS(n, PUT(x, EXPAND(ROUND(GET(x)))););
}

CLONED void apus_expand_half(float *y, const uint16_t *x, size_t n) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) STORE(y + i, HALF(x + i));
  for (; i < n; i++) {
    uint32_t bits = (uint32_t)x[i] << 16;
    memcpy(y + i, &bits, sizeof bits);
  }
}

CLONED void apus_add_half(float *y, const uint16_t *x, size_t n) {
  FOR_VECTORS(n, PUT(y, GET(y) + GET_HALF(x)););
}

// One row times a matrix: what memory allows, for generation.
enum { STREAMS = 8 };

CLONED void apus_half_sum_rows(float *y, const float *x, const uint16_t *w, size_t pitch, size_t n,
                               size_t rows, bool adds) {
  if (!adds) memset(y, 0, n * sizeof *y);
  size_t row = 0;
  for (; row + STREAMS <= rows; row += STREAMS, x += STREAMS, w += STREAMS * pitch) {
    FOR_VECTORS(n, {
      vf sum = GET(y);
      for (int s = 0; s < STREAMS; s++) {
        sum += x[s] * GET_HALF(w + s * pitch);
        // The next rows lie in other pages, where the hardware does not look ahead.
        __builtin_prefetch(w + (s + STREAMS) * pitch + i);
      }
      PUT(y, sum);
    });
  }
  for (; row < rows; row++, x++, w += pitch) {
    FOR_VECTORS(n, PUT(y, GET(y) + x[0] * GET_HALF(w)););
  }
}
