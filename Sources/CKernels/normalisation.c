// LayerNorm (Ba et al. 2016) and RMSNorm (Zhang & Sennrich 2019), one row at a time.
//
// LayerNorm: x̂ = (x − μ)/σ, y = γx̂ + β. With h = γ·dy:
//   dx = (h − mean(h) − x̂·mean(h·x̂))/σ,  dγ = Σ dy·x̂,  dβ = Σ dy.
// RMSNorm: x̂ = x/ρ, ρ² = mean(x²) + ε, y = γx̂:
//   dx = (h − x̂·mean(h·x̂))/ρ,  dγ = Σ dy·x̂.
#include "vector.h"

KERNEL(void, apus_layer_norm,
       (float *y, float *mean, float *inverse, const float *x, const float *gain,
        const float *bias, size_t rows, size_t cols, float epsilon),
       (y, mean, inverse, x, gain, bias, rows, cols, epsilon)) {
  for (size_t r = 0; r < rows; r++, x += cols, y += cols) {
    vf sum = 0;
    FOR_VECTORS(cols, sum += GET(x););
    float mu = LANE_SUM(sum) / (float)cols;
    vf squares = 0;
    // A partial vector would fill its unused lanes with x = 0 and add (0 − μ)² for each of them.
    size_t i = 0;
    for (; i + LANES <= cols; i += LANES) {
      vf d = LOAD(x + i) - mu;
      squares += d * d;
    }
    for (; i < cols; i++) squares[i % LANES] += (x[i] - mu) * (x[i] - mu);
    float inv = 1.0f / sqrtf(LANE_SUM(squares) / (float)cols + epsilon);
    mean[r] = mu;
    inverse[r] = inv;
    FOR_VECTORS(cols, PUT(y, (GET(x) - mu) * inv * GET(gain) + GET(bias)););
  }
}

KERNEL(void, apus_layer_norm_backward,
       (float *dx, bool accumulate, float *dgain, float *dbias, const float *dy, const float *x,
        const float *mean, const float *inverse, const float *gain, size_t rows, size_t cols),
       (dx, accumulate, dgain, dbias, dy, x, mean, inverse, gain, rows, cols)) {
  for (size_t r = 0; r < rows; r++, x += cols, dy += cols) {
    float mu = mean[r], inv = inverse[r];
    vf sum_h = 0, sum_hx = 0;
    FOR_VECTORS(cols, {
      vf d = GET(dy);
      vf hat = (GET(x) - mu) * inv;
      vf h = d * GET(gain);
      sum_h += h;
      sum_hx += h * hat;
      if (dgain) {
        PUT(dgain, GET(dgain) + d * hat);
        PUT(dbias, GET(dbias) + d);
      }
    });
    if (!dx) continue;
    float mean_h = LANE_SUM(sum_h) / (float)cols, mean_hx = LANE_SUM(sum_hx) / (float)cols;
    FOR_VECTORS(cols, {
      vf hat = (GET(x) - mu) * inv;
      vf d = (GET(dy) * GET(gain) - mean_h - hat * mean_hx) * inv;
      if (accumulate) d += GET(dx);
      PUT(dx, d);
    });
    dx += cols;
  }
}

KERNEL(void, apus_rms_norm,
       (float *y, float *inverse, const float *x, const float *gain, size_t rows, size_t cols,
        float epsilon),
       (y, inverse, x, gain, rows, cols, epsilon)) {
  for (size_t r = 0; r < rows; r++, x += cols, y += cols) {
    vf squares = 0;
    FOR_VECTORS(cols, {
      vf v = GET(x);
      squares += v * v;
    });
    float inv = 1.0f / sqrtf(LANE_SUM(squares) / (float)cols + epsilon);
    inverse[r] = inv;
    FOR_VECTORS(cols, PUT(y, GET(x) * inv * GET(gain)););
  }
}

KERNEL(void, apus_rms_norm_backward,
       (float *dx, bool accumulate, float *dgain, const float *dy, const float *x,
        const float *inverse, const float *gain, size_t rows, size_t cols),
       (dx, accumulate, dgain, dy, x, inverse, gain, rows, cols)) {
  for (size_t r = 0; r < rows; r++, x += cols, dy += cols) {
    float inv = inverse[r];
    vf sum_hx = 0;
    FOR_VECTORS(cols, {
      vf d = GET(dy);
      vf hat = GET(x) * inv;
      sum_hx += d * GET(gain) * hat;
      if (dgain) PUT(dgain, GET(dgain) + d * hat);
    });
    if (!dx) continue;
    float mean_hx = LANE_SUM(sum_hx) / (float)cols;
    FOR_VECTORS(cols, {
      vf d = (GET(dy) * GET(gain) - GET(x) * inv * mean_hx) * inv;
      if (accumulate) d += GET(dx);
      PUT(dx, d);
    });
    dx += cols;
  }
}
