// The parts of blocked attention between its products (see Tensor+Attention.swift), and rotary
// positions (Su et al. 2021) in Hugging Face's pairing: element i turns with element i + dim/2.
#include "vector.h"

CLONED void apus_attention_probabilities(float *scores, const float *log_sums, size_t rows,
                                         size_t cols, size_t stride, size_t first_limit,
                                         float scale) {
  for (size_t r = 0; r < rows; r++, scores += stride) {
    size_t limit = first_limit + r < cols ? first_limit + r : cols;
    float log_sum = log_sums[r];
    FOR_VECTORS(limit, PUT(scores, VEXP(GET(scores) * scale - log_sum)););
    memset(scores + limit, 0, (cols - limit) * sizeof(float));
  }
}

CLONED void apus_attention_dscores(float *dp, const float *p, const float *delta,
                                   size_t delta_stride, size_t rows, size_t cols, size_t stride,
                                   float scale) {
  for (size_t r = 0; r < rows; r++, dp += stride, p += stride) {
    float d = delta[r * delta_stride];
    FOR_VECTORS(cols, PUT(dp, GET(p) * (GET(dp) - d) * scale););
  }
}

CLONED void apus_attention_bias(float *scores, const float *bias, size_t rows, size_t cols,
                                size_t stride, float scale) {
  for (size_t r = 0; r < rows; r++, scores += stride, bias--) {
    FOR_VECTORS(cols, PUT(scores, GET(scores) * scale + GET(bias)););
  }
}

CLONED void apus_attention_dbias(float *dbias, const float *dscores, size_t rows, size_t cols,
                                 size_t stride) {
  for (size_t r = 0; r < rows; r++, dscores += stride, dbias--) {
    FOR_VECTORS(cols, PUT(dbias, GET(dbias) + GET(dscores)););
  }
}

CLONED void apus_row_dots(float *delta, const float *a, size_t a_stride, const float *b,
                          size_t b_stride, size_t rows, size_t cols) {
  for (size_t r = 0; r < rows; r++, a += a_stride, b += b_stride) {
    vf products = 0;
    FOR_VECTORS(cols, products += GET(a) * GET(b););
    delta[r] = LANE_SUM(products);
  }
}

CLONED void apus_rotate(float *y, size_t y_stride, const float *x, size_t x_stride,
                        const float *cosines, const float *sines, const int32_t *positions,
                        size_t rows, size_t heads, size_t dim, float direction, bool accumulate) {
  size_t half = dim / 2;
  for (size_t r = 0; r < rows; r++) {
    const float *cosine = cosines + (size_t)positions[r] * half;
    const float *sine = sines + (size_t)positions[r] * half;
    for (size_t h = 0; h < heads; h++) {
      const float *first = x + r * x_stride + h * dim, *second = first + half;
      float *out = y + r * y_stride + h * dim, *out_second = out + half;
      FOR_VECTORS(half, {
        vf a = GET(first);
        vf b = GET(second);
        vf c = GET(cosine);
        vf s = GET(sine) * direction;
        vf u = a * c - b * s;
        vf v = b * c + a * s;
        if (accumulate) {
          u += GET(out);
          v += GET(out_second);
        }
        PUT(out, u);
        PUT(out_second, v);
      });
    }
  }
}

// Keys of cached positions lie in groups: element e of a group's positions side by side, e after e.
_Static_assert(APUS_KEY_GROUP == LANES, "a group of keys is a vector");

#define PLACE_KEYS()                                                                               \
  for (size_t r = 0; r < rows; r++, x += width) {                                                  \
    size_t place = first + r;                                                                      \
    for (size_t e = 0; e < width; e++) {                                                           \
      keys[(place / LANES * width + e) * LANES + place % LANES] = x[e];                            \
    }                                                                                              \
  }
#define FETCH_KEYS()                                                                               \
  for (size_t place = 0; place < rows; place++, x += width) {                                      \
    for (size_t e = 0; e < width; e++) {                                                           \
      x[e] = keys[(place / LANES * width + e) * LANES + place % LANES];                            \
    }                                                                                              \
  }

void apus_place_keys(float *keys, const float *x, size_t first, size_t rows, size_t width) {
  PLACE_KEYS();
}

void apus_place_keys_half(uint16_t *keys, const uint16_t *x, size_t first, size_t rows,
                          size_t width) {
  PLACE_KEYS();
}

void apus_fetch_keys(float *x, const float *keys, size_t rows, size_t width) { FETCH_KEYS(); }

void apus_fetch_keys_half(uint16_t *x, const uint16_t *keys, size_t rows, size_t width) {
  FETCH_KEYS();
}

// One query against `count` keys, a sum over ascending elements each; four groups at a time, so that
// no sum waits for itself.
#define KEY_SCORES(FETCH)                                                                          \
  do {                                                                                             \
    size_t groups = (count + LANES - 1) / LANES, group = 0;                                        \
    for (; group + 4 <= groups; group += 4, keys += 4 * pitch) {                                   \
      vf sums[4] = {0};                                                                            \
      for (size_t e = 0; e < dim; e++) {                                                           \
        for (int g = 0; g < 4; g++) sums[g] += q[e] * FETCH(keys + g * pitch + e * LANES);         \
      }                                                                                            \
      for (int g = 0; g < 4; g++) STORE(scores + (group + g) * LANES, sums[g]);                    \
    }                                                                                              \
    for (; group < groups; group++, keys += pitch) {                                               \
      vf sum = 0;                                                                                  \
      for (size_t e = 0; e < dim; e++) sum += q[e] * FETCH(keys + e * LANES);                      \
      STORE(scores + group * LANES, sum);                                                          \
    }                                                                                              \
  } while (0)
#define WHOLE(p) (vf) LOAD(p)

CLONED void apus_key_scores(float *scores, const float *q, const float *keys, size_t pitch,
                            size_t count, size_t dim) {
  KEY_SCORES(WHOLE);
}

CLONED void apus_key_scores_half(float *scores, const float *q, const uint16_t *keys, size_t pitch,
                                 size_t count, size_t dim) {
  KEY_SCORES(HALF);
}

// Values weighed by one row of probabilities, a sum over ascending positions each.
#define WEIGH_VALUES(FETCH)                                                                        \
  do {                                                                                             \
    memset(out, 0, dim * sizeof *out);                                                             \
    /* Sixty-four elements in registers; the same sums as the loop below. */                       \
    size_t done = 0;                                                                               \
    for (; done + 4 * LANES <= dim; done += 4 * LANES) {                                           \
      enum { k = LANES };                                                                          \
      vf sums[4] = {0};                                                                            \
      for (size_t s = 0; s < count; s++) {                                                         \
        for (size_t v = 0; v < 4; v++) {                                                           \
          const size_t i = done + v * LANES;                                                       \
          sums[v] += p[s] * FETCH(values + s * pitch);                                             \
        }                                                                                          \
      }                                                                                            \
      for (size_t v = 0; v < 4; v++) STORE(out + done + v * LANES, sums[v]);                       \
    }                                                                                              \
    for (size_t s = 0; s < count && done < dim; s++) {                                             \
      FOR_VECTORS(dim - done,                                                                      \
                  PUT(out + done, GET(out + done) + p[s] * FETCH(values + s * pitch + done)););    \
    }                                                                                              \
  } while (0)

CLONED void apus_weigh_values(float *out, const float *p, const float *values, size_t pitch,
                              size_t count, size_t dim) {
  WEIGH_VALUES(GET);
}

CLONED void apus_weigh_values_half(float *out, const float *p, const uint16_t *values,
                                   size_t pitch, size_t count, size_t dim) {
  WEIGH_VALUES(GET_HALF);
}
