// Kernels of blocked attention other than its matrix products (see Tensor+Attention.swift), and
// rotary position embeddings (Su et al. 2021) in Hugging Face's pairing: element i is rotated with
// element i + dim/2.
#include "vector.h"

KERNEL(void, apus_attention_probabilities,
       (float *scores, const float *log_sum_exps, size_t rows, size_t cols, size_t stride,
        size_t first_limit, float scale),
       (scores, log_sum_exps, rows, cols, stride, first_limit, scale)) {
  for (size_t r = 0; r < rows; r++, scores += stride) {
    size_t limit = first_limit + r < cols ? first_limit + r : cols;
    float log_sum_exp = log_sum_exps[r];
    FOR_VECTORS(limit, PUT(scores, VEXP(GET(scores) * scale - log_sum_exp)););
    memset(scores + limit, 0, (cols - limit) * sizeof(float));
  }
}

KERNEL(void, apus_attention_dscores,
       (float *dp, const float *p, const float *delta, size_t delta_stride, size_t rows,
        size_t cols, size_t stride, float scale),
       (dp, p, delta, delta_stride, rows, cols, stride, scale)) {
  for (size_t r = 0; r < rows; r++, dp += stride, p += stride) {
    float d = delta[r * delta_stride];
    FOR_VECTORS(cols, PUT(dp, GET(p) * (GET(dp) - d) * scale););
  }
}

KERNEL(void, apus_attention_bias,
       (float *scores, const float *bias, size_t rows, size_t cols, size_t stride, float scale),
       (scores, bias, rows, cols, stride, scale)) {
  for (size_t r = 0; r < rows; r++, scores += stride, bias--) {
    FOR_VECTORS(cols, PUT(scores, GET(scores) * scale + GET(bias)););
  }
}

KERNEL(void, apus_attention_dbias,
       (float *dbias, const float *dscores, size_t rows, size_t cols, size_t stride),
       (dbias, dscores, rows, cols, stride)) {
  for (size_t r = 0; r < rows; r++, dscores += stride, dbias--) {
    FOR_VECTORS(cols, PUT(dbias, GET(dbias) + GET(dscores)););
  }
}

KERNEL(void, apus_row_dots,
       (float *delta, const float *a, size_t a_stride, const float *b, size_t b_stride,
        size_t rows, size_t cols),
       (delta, a, a_stride, b, b_stride, rows, cols)) {
  for (size_t r = 0; r < rows; r++, a += a_stride, b += b_stride) {
    vf products = 0;
    FOR_VECTORS(cols, products += GET(a) * GET(b););
    delta[r] = LANE_SUM(products);
  }
}

KERNEL(void, apus_rotate,
       (float *y, size_t y_stride, const float *x, size_t x_stride, const float *cosines,
        const float *sines, const int32_t *positions, size_t rows, size_t heads, size_t dim,
        float direction, bool accumulate),
       (y, y_stride, x, x_stride, cosines, sines, positions, rows, heads, dim, direction,
        accumulate)) {
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

// The KV cache stores keys in groups of LANES positions: element e of all positions of the group is
// contiguous, followed by element e + 1.
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

void apus_place_keys_bf16(uint16_t *keys, const uint16_t *x, size_t first, size_t rows,
                          size_t width) {
  PLACE_KEYS();
}

void apus_fetch_keys(float *x, const float *keys, size_t rows, size_t width) { FETCH_KEYS(); }

void apus_fetch_keys_bf16(uint16_t *x, const uint16_t *keys, size_t rows, size_t width) {
  FETCH_KEYS();
}

// Dot products of one query with `count` keys, each summed over ascending elements. Four groups run
// at a time, so that consecutive additions do not depend on each other.
#define KEY_SCORES(FETCH)                                                                          \
  do {                                                                                             \
    size_t groups = (count + LANES - 1) / LANES, group = 0;                                        \
    for (; group + 4 <= groups; group += 4, keys += 4 * stride) {                                  \
      vf sums[4] = {0};                                                                            \
      for (size_t e = 0; e < dim; e++) {                                                           \
        for (int g = 0; g < 4; g++) sums[g] += q[e] * FETCH(keys + g * stride + e * LANES);        \
      }                                                                                            \
      for (int g = 0; g < 4; g++) STORE(scores + (group + g) * LANES, sums[g]);                    \
    }                                                                                              \
    for (; group < groups; group++, keys += stride) {                                              \
      vf sum = 0;                                                                                  \
      for (size_t e = 0; e < dim; e++) sum += q[e] * FETCH(keys + e * LANES);                      \
      STORE(scores + group * LANES, sum);                                                          \
    }                                                                                              \
  } while (0)
#define WHOLE(p) (vf) LOAD(p)

KERNEL(void, apus_key_scores,
       (float *scores, const float *q, const float *keys, size_t stride, size_t count, size_t dim),
       (scores, q, keys, stride, count, dim)) {
  KEY_SCORES(WHOLE);
}

KERNEL(void, apus_key_scores_bf16,
       (float *scores, const float *q, const uint16_t *keys, size_t stride, size_t count,
        size_t dim),
       (scores, q, keys, stride, count, dim)) {
  KEY_SCORES(LOAD_BF16);
}

// The sum of the value rows weighted by one row of probabilities, over ascending positions.
#define WEIGH_VALUES(FETCH)                                                                        \
  do {                                                                                             \
    memset(out, 0, dim * sizeof *out);                                                             \
    /* 64 elements are summed in registers, in the same order as by the loop below. */             \
    size_t done = 0;                                                                               \
    for (; done + 4 * LANES <= dim; done += 4 * LANES) {                                           \
      enum { k = LANES };                                                                          \
      vf sums[4] = {0};                                                                            \
      for (size_t s = 0; s < count; s++) {                                                         \
        for (size_t v = 0; v < 4; v++) {                                                           \
          const size_t i = done + v * LANES;                                                       \
          sums[v] += p[s] * FETCH(values + s * stride);                                            \
        }                                                                                          \
      }                                                                                            \
      for (size_t v = 0; v < 4; v++) STORE(out + done + v * LANES, sums[v]);                       \
    }                                                                                              \
    for (size_t s = 0; s < count && done < dim; s++) {                                             \
      FOR_VECTORS(dim - done,                                                                      \
                  PUT(out + done, GET(out + done) + p[s] * FETCH(values + s * stride + done)););   \
    }                                                                                              \
  } while (0)

KERNEL(void, apus_weigh_values,
       (float *out, const float *p, const float *values, size_t stride, size_t count, size_t dim),
       (out, p, values, stride, count, dim)) {
  WEIGH_VALUES(GET);
}

KERNEL(void, apus_weigh_values_bf16,
       (float *out, const float *p, const uint16_t *values, size_t stride, size_t count,
        size_t dim),
       (out, p, values, stride, count, dim)) {
  WEIGH_VALUES(GET_BF16);
}
