// Dropout masks from Philox 4×32-10 (Salmon et al. 2011), sixteen counters at a time. Word w of a
// stream is component w % 4 of the block with counter w / 4, as in RandomNumbers' `RandomStream`.
#include "vector.h"

typedef uint64_t vl __attribute__((ext_vector_type(16)));
enum { WORDS = 4 * LANES };

#define MULTIPLY_HIGH_LOW(high, low, x, constant)                                                  \
  do {                                                                                             \
    vl wide_ = __builtin_convertvector(x, vl) * (vl)(uint64_t)(constant);                          \
    high = __builtin_convertvector(wide_ >> 32, vu);                                               \
    low = __builtin_convertvector(wide_, vu);                                                      \
  } while (0)

// Writes the 64 consecutive words that start at counter `base` to words[64].
#define PHILOX_64(words, key0, key1, base)                                                         \
  do {                                                                                             \
    vu lane_ = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};                             \
    vl counter_ = __builtin_convertvector(lane_, vl) + (vl)(uint64_t)(base);                       \
    vu c0_ = __builtin_convertvector(counter_, vu);                                                \
    vu c1_ = __builtin_convertvector(counter_ >> 32, vu);                                          \
    vu c2_ = 0, c3_ = 0;                                                                           \
    uint32_t k0_ = (key0), k1_ = (key1);                                                           \
    for (int round_ = 0; round_ < 10; round_++) {                                                  \
      vu h0_, l0_, h1_, l1_;                                                                       \
      MULTIPLY_HIGH_LOW(h0_, l0_, c0_, 0xD2511F53u);                                               \
      MULTIPLY_HIGH_LOW(h1_, l1_, c2_, 0xCD9E8D57u);                                               \
      c0_ = h1_ ^ c1_ ^ k0_;                                                                       \
      c1_ = l1_;                                                                                   \
      c2_ = h0_ ^ c3_ ^ k1_;                                                                       \
      c3_ = l0_;                                                                                   \
      k0_ += 0x9E3779B9u;                                                                          \
      k1_ += 0xBB67AE85u;                                                                          \
    }                                                                                              \
    for (int l_ = 0; l_ < LANES; l_++) {                                                           \
      (words)[4 * l_] = c0_[l_];                                                                   \
      (words)[4 * l_ + 1] = c1_[l_];                                                               \
      (words)[4 * l_ + 2] = c2_[l_];                                                               \
      (words)[4 * l_ + 3] = c3_[l_];                                                               \
    }                                                                                              \
  } while (0)

KERNEL(void, apus_philox_words,
       (uint32_t *words, size_t n, uint32_t key0, uint32_t key1, uint64_t first),
       (words, n, key0, key1, first)) {
  uint32_t block[WORDS];
  for (size_t start = 0; start < n; start += WORDS) {
    PHILOX_64(block, key0, key1, (first + start) / 4);
    size_t count = n - start < WORDS ? n - start : WORDS;
    memcpy(words + start, block, count * sizeof(uint32_t));
  }
}

KERNEL(void, apus_dropout,
       (float *y, const float *x, size_t n, uint32_t key0, uint32_t key1, uint64_t first,
        uint32_t threshold, float scale, bool accumulate),
       (y, x, n, key0, key1, first, threshold, scale, accumulate)) {
  uint32_t block[WORDS];
  for (size_t start = 0; start < n; start += WORDS) {
    PHILOX_64(block, key0, key1, (first + start) / 4);
    size_t count = n - start < WORDS ? n - start : WORDS;
    for (size_t i = 0; i < count; i++) {
      float kept = block[i] >= threshold ? x[start + i] * scale : 0.0f;
      y[start + i] = accumulate ? y[start + i] + kept : kept;
    }
  }
}
