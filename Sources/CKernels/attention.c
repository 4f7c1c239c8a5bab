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

// One query over `count` keys; `scores` has room for them. The same for fp32 and bf16 caches.
#define ATTEND_ONE(FETCH)                                                                          \
  do {                                                                                             \
    float top = -INFINITY;                                                                         \
    for (size_t s = 0; s < count; s++) {                                                           \
      vf products = 0;                                                                             \
      FOR_VECTORS(dim, products += GET(q) * FETCH(keys + s * pitch););                             \
      scores[s] = LANE_SUM(products) * scale;                                                      \
      top = scores[s] > top ? scores[s] : top;                                                     \
    }                                                                                              \
    vf total = 0;                                                                                  \
    size_t place = 0;                                                                              \
    for (; place + LANES <= count; place += LANES) {                                               \
      vf e = VEXP(LOAD(scores + place) - top);                                                     \
      STORE(scores + place, e);                                                                    \
      total += e;                                                                                  \
    }                                                                                              \
    if (place < count) {                                                                           \
      size_t rest = count - place;                                                                 \
      vf e = VEXP(LOAD_PART(scores + place, rest) - top);                                          \
      for (size_t l = rest; l < LANES; l++) e[l] = 0;                                              \
      STORE_PART(scores + place, e, rest);                                                         \
      total += e;                                                                                  \
    }                                                                                              \
    float factor = 1.0f / LANE_SUM(total);                                                         \
    memset(out, 0, dim * sizeof *out);                                                             \
    /* Sixty-four elements in registers; the same sums as the loop below. */                       \
    size_t done = 0;                                                                               \
    for (; done + 4 * LANES <= dim; done += 4 * LANES) {                                           \
      enum { k = LANES };                                                                          \
      vf sums[4] = {0};                                                                            \
      for (size_t s = 0; s < count; s++) {                                                         \
        float p = scores[s] * factor;                                                              \
        for (size_t v = 0; v < 4; v++) {                                                           \
          const size_t i = done + v * LANES;                                                       \
          sums[v] += p * FETCH(values + s * pitch);                                                \
        }                                                                                          \
      }                                                                                            \
      for (size_t v = 0; v < 4; v++) STORE(out + done + v * LANES, sums[v]);                       \
    }                                                                                              \
    for (size_t s = 0; s < count && done < dim; s++) {                                             \
      float p = scores[s] * factor;                                                                \
      FOR_VECTORS(dim - done,                                                                      \
                  PUT(out + done, GET(out + done) + p * FETCH(values + s * pitch + done)););       \
    }                                                                                              \
  } while (0)

CLONED void apus_attend_one(float *out, const float *q, const float *keys, const float *values,
                            size_t pitch, size_t count, size_t dim, float scale, float *scores) {
  ATTEND_ONE(GET);
}

CLONED void apus_attend_one_half(float *out, const float *q, const uint16_t *keys,
                                 const uint16_t *values, size_t pitch, size_t count, size_t dim,
                                 float scale, float *scores) {
  ATTEND_ONE(GET_HALF);
}
