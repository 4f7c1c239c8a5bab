// Element-wise loops over contiguous fp32 rows, vectorised and cloned per CPU level.
//
// Conventions
//   * `n`, `rows`, `cols` count elements; zero is allowed everywhere.
//   * A `bool accumulate` says whether a backward kernel adds to its destination or overwrites it.
//   * Reductions run in sixteen lanes that are added in one fixed tree, so a result depends on the
//     values and on the CPU level (`apus_cpu_level`), never on alignment or on who calls.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "system.h"

/// Tells the core that the thread only waits.
static inline void apus_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// The CPU level the clones resolve to: "x86-64-v4", "x86-64-v3" or "default".
const char *apus_cpu_level(void);

// elementwise.c
void apus_add(float *y, const float *a, const float *b, size_t n);
void apus_subtract(float *y, const float *a, const float *b, size_t n);
void apus_multiply(float *y, const float *a, const float *b, size_t n, bool accumulate);
void apus_scale(float *y, const float *x, float factor, size_t n, bool accumulate);
void apus_fill(float *y, float value, size_t n);
/// y[r, c] = bias[c].
void apus_broadcast_rows(float *y, const float *bias, size_t rows, size_t cols);
/// sums[c] (+)= Σ_r x[r·pitch + c], rows in order.
void apus_column_sums(float *sums, const float *x, size_t pitch, size_t rows, size_t cols,
                      bool accumulate);
double apus_sum(const float *x, size_t n);
double apus_sum_of_squares(const float *x, size_t n);

// half.c: bf16 as uint16_t.
/// y = x rounded to nearest, ties to even; NaN stays NaN.
void apus_round_half(uint16_t *y, const float *x, size_t n);
void apus_expand_half(float *y, const uint16_t *x, size_t n);
/// x rounded likewise, in place.
void apus_round(float *x, size_t n);
/// y += x.
void apus_add_half(float *y, const uint16_t *x, size_t n);

/// y[j] (+)= Σ_i x[i]·w[i·pitch + j] over ascending i below `rows`, for j below n.
void apus_half_sum_rows(float *y, const float *x, const uint16_t *w, size_t pitch, size_t n,
                        size_t rows, bool adds);

// few_rows.c
/// Whether the CPU has instructions that multiply and add pairs of bf16 numbers.
bool apus_has_half_products(void);
/// Whether these do more than fp32 ones.
bool apus_half_pairs_are_quick(void);
/// C (+)= A·B with bf16 A [m, k] and B, [k, n] or transposed [n, k], and fp32 C, for few rows m.
///
/// `quick` asks for the instructions for pairs; without them the numbers are expanded to fp32. An
/// element's bits depend on `quick`, its k factors and the CPU level alone. `scratch` has room for
/// `apus_few_rows_scratch` numbers; k is not 0.
void apus_few_rows(float *c, size_t c_pitch, const uint16_t *a, size_t a_pitch, const uint16_t *b,
                   size_t b_pitch, bool b_transposed, size_t m, size_t n, size_t k, bool adds,
                   bool quick, float *scratch);
size_t apus_few_rows_scratch(size_t m, size_t k, bool quick);
/// The same with fp32 A and B; `scratch` as above, not `quick`.
void apus_few_single_rows(float *c, size_t c_pitch, const float *a, size_t a_pitch, const float *b,
                          size_t b_pitch, bool b_transposed, size_t m, size_t n, size_t k,
                          bool adds, float *scratch);

// activations.c
/// GELU, tanh form ("gelu_new"): x·σ(2√(2/π)(x + 0.044715x³)).
void apus_gelu(float *y, const float *x, size_t n);
void apus_gelu_backward(float *dx, const float *x, const float *dy, size_t n, bool accumulate);
/// GELU as it is defined: x·Φ(x), Φ the normal distribution; its absolute error is below 4e-7.
void apus_gelu_exact(float *y, const float *x, size_t n);
void apus_gelu_exact_backward(float *dx, const float *x, const float *dy, size_t n,
                              bool accumulate);
/// tanh x, absolute error below 2e-7; its derivative is 1 − y².
void apus_tanh(float *y, const float *x, size_t n);
void apus_tanh_backward(float *dx, const float *y, const float *dy, size_t n, bool accumulate);
/// Zero for what is negative; NaN stays.
void apus_relu(float *y, const float *x, size_t n);
/// The derivative at 0 is 0.
void apus_relu_backward(float *dx, const float *x, const float *dy, size_t n, bool accumulate);
/// SwiGLU's product: silu(gate)·up.
void apus_swiglu(float *y, const float *gate, const float *up, size_t n);
/// Adds into or overwrites both gradients; either may be null.
void apus_swiglu_backward(float *dgate, bool gate_accumulate, float *dup, bool up_accumulate,
                          const float *gate, const float *up, const float *dy, size_t n);
/// The same with GELU (tanh form) in the place of silu.
void apus_geglu(float *y, const float *gate, const float *up, size_t n);
void apus_geglu_backward(float *dgate, bool gate_accumulate, float *dup, bool up_accumulate,
                         const float *gate, const float *up, const float *dy, size_t n);

// normalisation.c
void apus_layer_norm(float *y, float *mean, float *inverse, const float *x, const float *gain,
                     const float *bias, size_t rows, size_t cols, float epsilon);
/// dgain and dbias are added to; both or none of them; dx is optional.
void apus_layer_norm_backward(float *dx, bool accumulate, float *dgain, float *dbias,
                              const float *dy, const float *x, const float *mean,
                              const float *inverse, const float *gain, size_t rows, size_t cols);
void apus_rms_norm(float *y, float *inverse, const float *x, const float *gain, size_t rows,
                   size_t cols, float epsilon);
/// dgain is added to; dgain and dx are optional.
void apus_rms_norm_backward(float *dx, bool accumulate, float *dgain, const float *dy,
                            const float *x, const float *inverse, const float *gain, size_t rows,
                            size_t cols);

// softmax.c
void apus_softmax(float *y, const float *x, size_t rows, size_t cols);
void apus_softmax_backward(float *dx, const float *y, const float *dy, size_t rows, size_t cols,
                           bool accumulate);
/// Turns logits into probabilities in place and gives losses[r] = −weights[r]·log p[targets[r]].
/// A row of weight 0 has loss 0 whatever its target. `weights` may be null (all 1).
void apus_cross_entropy(float *logits, float *losses, const int32_t *targets,
                        const float *weights, size_t rows, size_t cols);
/// Turns probabilities into the gradient of Σ dlosses[r]·losses[r] in place.
void apus_cross_entropy_backward(float *probabilities, const float *dlosses,
                                 const int32_t *targets, const float *weights, size_t rows,
                                 size_t cols);
/// Of logits times `scale`: chosen[r] = log p[targets[r]] and the entropy −Σ p·log p of every row;
/// with `keep` the logits turn into the log-probabilities in place. A row of weight 0 is left as it
/// is, and has 0 for both. `weights` may be null (all 1); other weights are no factors.
void apus_log_softmax(float *logits, bool keep, float *chosen, float *entropies,
                      const int32_t *targets, const float *weights, float scale, size_t rows,
                      size_t cols);
/// Turns log-probabilities into the gradient of Σ dchosen[r]·chosen[r] + dentropies[r]·entropies[r]
/// with respect to the logits, in place.
void apus_log_softmax_backward(float *logs, const float *dchosen, const float *dentropies,
                               const float *entropies, const int32_t *targets,
                               const float *weights, float scale, size_t rows, size_t cols);

// attention.c: one block of query rows of one head; `stride` is the row pitch of the block.
/// Row r attends to its first `first_limit + r` columns (capped at cols): softmax of the scaled
/// scores over those, zero beyond. Gives log Σ exp of each row.
void apus_attention_softmax(float *scores, float *log_sums, size_t rows, size_t cols,
                            size_t stride, size_t first_limit, float scale);
/// From scores and log-sums: probabilities = exp(scale·score − log-sum) in place, zero beyond the
/// limit.
void apus_attention_probabilities(float *scores, const float *log_sums, size_t rows, size_t cols,
                                  size_t stride, size_t first_limit, float scale);
/// dscores = scale·p·(dp − δ[r·delta_stride]), in place over dp.
void apus_attention_dscores(float *dp, const float *p, const float *delta, size_t delta_stride,
                            size_t rows, size_t cols, size_t stride, float scale);
/// scores = scale·score + bias, in place; what is added at column c of row r stands at bias[c − r].
void apus_attention_bias(float *scores, const float *bias, size_t rows, size_t cols, size_t stride,
                         float scale);
/// dbias[c − r] += dscores at column c of row r.
void apus_attention_dbias(float *dbias, const float *dscores, size_t rows, size_t cols,
                          size_t stride);
/// δ[r] = Σ_d a[r, d]·b[r, d] over strided rows.
void apus_row_dots(float *delta, const float *a, size_t a_stride, const float *b, size_t b_stride,
                   size_t rows, size_t cols);
/// Positions of a group of cached keys: element e of position s lies at
/// (s / GROUP·width + e)·GROUP + s % GROUP.
enum { APUS_KEY_GROUP = 16 };
/// Puts rows x [rows, width] at the positions from `first` on.
void apus_place_keys(float *keys, const float *x, size_t first, size_t rows, size_t width);
void apus_place_keys_half(uint16_t *keys, const uint16_t *x, size_t first, size_t rows,
                          size_t width);
/// Takes the first `rows` positions out again: x [rows, width].
void apus_fetch_keys(float *x, const float *keys, size_t rows, size_t width);
void apus_fetch_keys_half(uint16_t *x, const uint16_t *keys, size_t rows, size_t width);
/// scores[s] = Σ_e q[e]·key[s, e] over ascending e, for s below `count`; groups start `pitch` apart,
/// and `scores` has room for whole ones.
void apus_key_scores(float *scores, const float *q, const float *keys, size_t pitch, size_t count,
                     size_t dim);
void apus_key_scores_half(float *scores, const float *q, const uint16_t *keys, size_t pitch,
                          size_t count, size_t dim);
/// out[e] = Σ_s p[s]·values[s·pitch + e] over ascending s below `count`.
void apus_weigh_values(float *out, const float *p, const float *values, size_t pitch, size_t count,
                       size_t dim);
void apus_weigh_values_half(float *out, const float *p, const uint16_t *values, size_t pitch,
                            size_t count, size_t dim);
/// Rotary positions on heads of size `dim` within rows (pairs i, i + dim/2): angle of row r is
/// row positions[r] of the tables [position, dim/2]; `direction` −1 undoes it.
void apus_rotate(float *y, size_t y_stride, const float *x, size_t x_stride, const float *cosines,
                 const float *sines, const int32_t *positions, size_t rows, size_t heads,
                 size_t dim, float direction, bool accumulate);

// sampling.c
float apus_largest(const float *x, size_t n);
/// The first place of `value`, n if there is none.
size_t apus_place(const float *x, size_t n, float value);
/// Places of the numbers that are `least` or more, in ascending order, and how many they are.
/// `places` has room for n.
size_t apus_places_from(int32_t *places, const float *x, size_t n, float least);
/// y = exp((x − top)/temperature), 0 where x is no number.
void apus_weights(float *y, const float *x, size_t n, float top, float temperature);

// embedding.c
void apus_gather(float *y, const float *table, const int32_t *ids, size_t rows, size_t cols);
/// table[ids[r], :] += dy[r, :], rows in order.
void apus_scatter_add(float *table, const float *dy, const int32_t *ids, size_t rows, size_t cols);

// dropout.c
/// y = x·mask/keep with the mask drawn from Philox(key) at word `first` onwards (first % 4 == 0);
/// an element is kept where its word ≥ threshold. In place allowed.
void apus_dropout(float *y, const float *x, size_t n, uint32_t key0, uint32_t key1, uint64_t first,
                  uint32_t threshold, float scale, bool accumulate);
/// Word n of Philox 4×32-10 under the key, for n in first ..< first + n (first % 4 == 0).
void apus_philox_words(uint32_t *words, size_t n, uint32_t key0, uint32_t key1, uint64_t first);

// optimizers.c
/// One pass of AdamW (Loshchilov & Hutter 2019) over a range: g is multiplied by `factor` first.
/// correction1 = 1 − β1^t, correction2 = 1 − β2^t; weight decay is decoupled.
void apus_adamw(float *p, float *m, float *v, const float *g, size_t n, float factor, float rate,
                float beta1, float beta2, float epsilon, float decay, float correction1,
                float correction2);
/// SGD with momentum as PyTorch's: m = μm + (g + decay·p); p −= rate·m. `m` null without momentum.
void apus_sgd(float *p, float *m, const float *g, size_t n, float factor, float rate,
              float momentum, float decay);
