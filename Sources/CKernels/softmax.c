// The cross-entropy, log-probabilities and entropies of a softmax over rows. The maximum of a row is
// subtracted first.
//   cross-entropy backward: dlogits = w·(p − onehot).
//   backward of log-probabilities l of logits times s, and of the entropy H = −Σ p·l:
//   dlogits = s·(dl_target·(onehot − p) − dH·p·(l + H)).
#include "vector.h"

#define ROW_MAX(x, cols)                                                                           \
  ({                                                                                               \
    vf m_ = (vf)(-INFINITY);                                                                       \
    size_t j_ = 0;                                                                                 \
    for (; j_ + LANES <= (cols); j_ += LANES) m_ = VMAX(m_, (vf)LOAD((x) + j_));                   \
    float top_ = LANE_MAX(m_);                                                                     \
    for (; j_ < (cols); j_++) top_ = (x)[j_] > top_ ? (x)[j_] : top_;                              \
    top_;                                                                                          \
  })

// Writes exp(x − top) to y and returns the sum; lanes past the end are excluded.
#define ROW_EXP(y, x, top, cols)                                                                   \
  ({                                                                                               \
    vf total_ = 0;                                                                                 \
    size_t j_ = 0;                                                                                 \
    for (; j_ + LANES <= (cols); j_ += LANES) {                                                    \
      vf e_ = VEXP(LOAD((x) + j_) - (top));                                                        \
      STORE((y) + j_, e_);                                                                         \
      total_ += e_;                                                                                \
    }                                                                                              \
    if (j_ < (cols)) {                                                                             \
      size_t rest_ = (cols)-j_;                                                                    \
      vf e_ = VEXP(LOAD_PART((x) + j_, rest_) - (top));                                            \
      for (size_t l_ = rest_; l_ < LANES; l_++) e_[l_] = 0;                                        \
      STORE_PART((y) + j_, e_, rest_);                                                             \
      total_ += e_;                                                                                \
    }                                                                                              \
    LANE_SUM(total_);                                                                              \
  })

KERNEL(void, apus_cross_entropy,
       (float *logits, float *losses, const int32_t *targets, const float *weights, size_t rows,
        size_t cols),
       (logits, losses, targets, weights, rows, cols)) {
  for (size_t r = 0; r < rows; r++, logits += cols) {
    float weight = weights ? weights[r] : 1.0f;
    if (weight == 0.0f) {
      losses[r] = 0;
      continue;
    }
    float top = ROW_MAX(logits, cols);
    float chosen = logits[targets[r]] - top;
    float total = ROW_EXP(logits, logits, top, cols);
    losses[r] = weight * (logf(total) - chosen);
    float factor = 1.0f / total;
    FOR_VECTORS(cols, PUT(logits, GET(logits) * factor););
  }
}

KERNEL(void, apus_cross_entropy_backward,
       (float *probabilities, const float *dlosses, const int32_t *targets, const float *weights,
        size_t rows, size_t cols),
       (probabilities, dlosses, targets, weights, rows, cols)) {
  for (size_t r = 0; r < rows; r++, probabilities += cols) {
    float factor = (weights ? weights[r] : 1.0f) * dlosses[r];
    if (factor == 0.0f) {
      memset(probabilities, 0, cols * sizeof(float));
      continue;
    }
    FOR_VECTORS(cols, PUT(probabilities, GET(probabilities) * factor););
    probabilities[targets[r]] -= factor;
  }
}

KERNEL(void, apus_log_softmax,
       (float *logits, bool keep, float *chosen, float *entropies, const int32_t *targets,
        const float *weights, float scale, size_t rows, size_t cols),
       (logits, keep, chosen, entropies, targets, weights, scale, rows, cols)) {
  for (size_t r = 0; r < rows; r++, logits += cols) {
    if (weights && weights[r] == 0.0f) {
      chosen[r] = entropies[r] = 0;
      continue;
    }
    float top = ROW_MAX(logits, cols);
    vf totals = 0, products = 0;
    FOR_VECTORS(cols, {
      vf below = (GET(logits) - top) * scale;
      vf e = VEXP(below);
      for (size_t l = k; l < LANES; l++) e[l] = 0;
      totals += e;
      products += e * below;
    });
    float total = LANE_SUM(totals);
    float log_total = logf(total);
    float below = (logits[targets[r]] - top) * scale;
    chosen[r] = below - log_total;
    entropies[r] = log_total - LANE_SUM(products) / total;
    if (keep) FOR_VECTORS(cols, PUT(logits, (GET(logits) - top) * scale - log_total););
  }
}

KERNEL(void, apus_log_softmax_backward,
       (float *logs, const float *dchosen, const float *dentropies, const float *entropies,
        const int32_t *targets, const float *weights, float scale, size_t rows, size_t cols),
       (logs, dchosen, dentropies, entropies, targets, weights, scale, rows, cols)) {
  for (size_t r = 0; r < rows; r++, logs += cols) {
    float a = dchosen[r] * scale, b = dentropies[r] * scale;
    if ((weights && weights[r] == 0.0f) || (a == 0.0f && b == 0.0f)) {
      memset(logs, 0, cols * sizeof(float));
      continue;
    }
    float entropy = entropies[r];
    FOR_VECTORS(cols, {
      vf l = GET(logs);
      PUT(logs, -VEXP(l) * (a + b * (l + entropy)));
    });
    logs[targets[r]] += a;
  }
}

KERNEL(void, apus_attention_softmax,
       (float *scores, float *log_sum_exps, size_t rows, size_t cols, size_t stride,
        size_t first_limit, float scale),
       (scores, log_sum_exps, rows, cols, stride, first_limit, scale)) {
  for (size_t r = 0; r < rows; r++, scores += stride) {
    size_t limit = first_limit + r < cols ? first_limit + r : cols;
    FOR_VECTORS(limit, PUT(scores, GET(scores) * scale););
    float top = ROW_MAX(scores, limit);
    float total = ROW_EXP(scores, scores, top, limit);
    float factor = 1.0f / total;
    FOR_VECTORS(limit, PUT(scores, GET(scores) * factor););
    memset(scores + limit, 0, (cols - limit) * sizeof(float));
    log_sum_exps[r] = top + logf(total);
  }
}
