// What choosing a token needs of a row of logits.
#include "vector.h"

CLONED float apus_largest(const float *x, size_t n) {
  vf top = (vf)(-INFINITY);
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) top = VMAX(top, (vf)LOAD(x + i));
  float largest = LANE_MAX(top);
  for (; i < n; i++) largest = x[i] > largest ? x[i] : largest;
  return largest;
}

size_t apus_place(const float *x, size_t n, float value) {
  for (size_t i = 0; i < n; i++) {
    if (x[i] == value) return i;
  }
  return n;
}

size_t apus_places_from(int32_t *places, const float *x, size_t n, float least) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    places[count] = (int32_t)i;
    count += x[i] >= least;
  }
  return count;
}

CLONED void apus_weights(float *y, const float *x, size_t n, float top, float temperature) {
  FOR_VECTORS(n, {
    vf logits = GET(x);
    vf weights = VEXP((logits - top) / temperature);
    vi is_number = logits == logits;
    PUT(y, (vf)((vi)weights & is_number));
  });
}
