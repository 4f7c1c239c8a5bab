// bf16: the upper 16 bits of an fp32 number, rounded to nearest, ties to even.
#include "vector.h"

// A NaN keeps its upper 16 bits with the quiet bit set: rounding could turn it into infinity.
#define ROUND(x)                                                                                   \
  ({                                                                                               \
    vu bits_ = (vu)(x);                                                                            \
    vu nearest_ = (bits_ + 0x7FFFu + ((bits_ >> 16) & 1u)) >> 16;                                  \
    vu nan_ = (vu)((vf)bits_ != (vf)bits_);                                                        \
    __builtin_convertvector((nearest_ & ~nan_) | (((bits_ >> 16) | 0x40u) & nan_), vbf16);         \
  })

KERNEL(void, apus_round_bf16,
       (uint16_t *y, const float *x, size_t n),
       (y, x, n)) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) *(vbf16_unaligned *)(y + i) = ROUND(LOAD(x + i));
  if (i < n) {
    vbf16 rest = ROUND(LOAD_PART(x + i, n - i));
    memcpy(y + i, &rest, (n - i) * sizeof *y);
  }
}

KERNEL(void, apus_round,
       (float *x, size_t n),
       (x, n)) {
  FOR_VECTORS(n, PUT(x, EXPAND(ROUND(GET(x)))););
}

KERNEL(void, apus_expand_bf16,
       (float *y, const uint16_t *x, size_t n),
       (y, x, n)) {
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) STORE(y + i, LOAD_BF16(x + i));
  for (; i < n; i++) {
    uint32_t bits = (uint32_t)x[i] << 16;
    memcpy(y + i, &bits, sizeof bits);
  }
}

KERNEL(void, apus_add_bf16,
       (float *y, const uint16_t *x, size_t n),
       (y, x, n)) {
  FOR_VECTORS(n, PUT(y, GET(y) + GET_BF16(x)););
}

// Vector–matrix product for generation, bound by memory bandwidth.
enum { STREAMS = 8 };

KERNEL(void, apus_bf16_sum_rows,
       (float *y, const float *x, const uint16_t *w, size_t stride, size_t n, size_t rows,
        bool adds),
       (y, x, w, stride, n, rows, adds)) {
  if (!adds) memset(y, 0, n * sizeof *y);
  size_t row = 0;
  for (; row + STREAMS <= rows; row += STREAMS, x += STREAMS, w += STREAMS * stride) {
    FOR_VECTORS(n, {
      vf sum = GET(y);
      for (int s = 0; s < STREAMS; s++) {
        sum += x[s] * GET_BF16(w + s * stride);
        // The hardware prefetcher does not cross pages, and the next rows lie in other pages.
        __builtin_prefetch(w + (s + STREAMS) * stride + i);
      }
      PUT(y, sum);
    });
  }
  for (; row < rows; row++, x++, w += stride) {
    FOR_VECTORS(n, PUT(y, GET(y) + x[0] * GET_BF16(w)););
  }
}
