#include "vector.h"

KERNEL(void, apus_add,
       (float *y, const float *a, const float *b, size_t n),
       (y, a, b, n)) {
  FOR_VECTORS(n, PUT(y, GET(a) + GET(b)););
}

KERNEL(void, apus_subtract,
       (float *y, const float *a, const float *b, size_t n),
       (y, a, b, n)) {
  FOR_VECTORS(n, PUT(y, GET(a) - GET(b)););
}

KERNEL(void, apus_multiply,
       (float *y, const float *a, const float *b, size_t n, bool accumulate),
       (y, a, b, n, accumulate)) {
  if (accumulate)
    FOR_VECTORS(n, PUT(y, GET(y) + GET(a) * GET(b)););
  else
    FOR_VECTORS(n, PUT(y, GET(a) * GET(b)););
}

KERNEL(void, apus_scale,
       (float *y, const float *x, float factor, size_t n, bool accumulate),
       (y, x, factor, n, accumulate)) {
  if (accumulate)
    FOR_VECTORS(n, PUT(y, GET(y) + GET(x) * factor););
  else
    FOR_VECTORS(n, PUT(y, GET(x) * factor););
}

KERNEL(void, apus_fill,
       (float *y, float value, size_t n),
       (y, value, n)) {
  FOR_VECTORS(n, PUT(y, (vf)value););
}

// Columns are processed in strips of LANES, so that the sums of a strip stay in registers. Every
// column adds its rows in order.
KERNEL(void, apus_column_sums,
       (float *sums, const float *x, size_t stride, size_t rows, size_t cols, bool accumulate),
       (sums, x, stride, rows, cols, accumulate)) {
  FOR_VECTORS(cols, {
    vf s = 0;
    for (size_t r = 0; r < rows; r++) s += GET(x + r * stride);
    if (accumulate) s += GET(sums);
    PUT(sums, s);
  });
}

#define SUM_IN_DOUBLE(expression)                                                                  \
  vd8 low = 0, high = 0;                                                                           \
  FOR_VECTORS(n, {                                                                                 \
    vf v = GET(x);                                                                                 \
    vd8 l = __builtin_convertvector(v.lo, vd8);                                                    \
    vd8 h = __builtin_convertvector(v.hi, vd8);                                                    \
    low += expression(l);                                                                          \
    high += expression(h);                                                                         \
  });                                                                                              \
  low += high;                                                                                     \
  double s4[4];                                                                                    \
  for (int j = 0; j < 4; j++) s4[j] = low[j] + low[j + 4];                                         \
  return (s4[0] + s4[2]) + (s4[1] + s4[3]);
#define IDENTITY(v) (v)
#define SQUARE(v) ((v) * (v))

KERNEL(double, apus_sum,
       (const float *x, size_t n),
       (x, n)) { SUM_IN_DOUBLE(IDENTITY) }

KERNEL(double, apus_sum_of_squares,
       (const float *x, size_t n),
       (x, n)) { SUM_IN_DOUBLE(SQUARE) }

// Two sums in each of 16 lanes, as in Fletcher's checksum: one flipped bit changes the first, and
// exchanged values the second. 32-bit integers wrap, so the value is the same at every level.
KERNEL(uint64_t, apus_checksum,
       (const float *x, size_t n),
       (x, n)) {
  vu sums = 0, sums_of_sums = 0;
  FOR_VECTORS(n, {
    vf v = GET(x);
    sums += (vu)v;
    sums_of_sums += sums;
  });
  uint64_t hash = 0xcbf29ce484222325;
  for (int lane = 0; lane < LANES; lane++) {
    hash = (hash ^ sums[lane]) * 0x100000001b3;
    hash = (hash ^ sums_of_sums[lane]) * 0x100000001b3;
  }
  return hash;
}
