// Kernels over one row of logits, for sampling a token.
#include "vector.h"

KERNEL(float, apus_max,
       (const float *x, size_t n),
       (x, n)) {
  vf top = (vf)(-INFINITY);
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) top = VMAX(top, (vf)LOAD(x + i));
  float largest = LANE_MAX(top);
  for (; i < n; i++) largest = x[i] > largest ? x[i] : largest;
  return largest;
}

size_t apus_index_of(const float *x, size_t n, float value) {
  for (size_t i = 0; i < n; i++) {
    if (x[i] == value) return i;
  }
  return n;
}

size_t apus_indices_at_least(int32_t *indices, const float *x, size_t n, float least) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    indices[count] = (int32_t)i;
    count += x[i] >= least;
  }
  return count;
}

KERNEL(void, apus_softmax_weights,
       (float *y, const float *x, size_t n, float top, float temperature),
       (y, x, n, top, temperature)) {
  FOR_VECTORS(n, {
    vf logits = GET(x);
    vf weights = VEXP((logits - top) / temperature);
    vi is_number = logits == logits;
    PUT(y, (vf)((vi)weights & is_number));
  });
}
