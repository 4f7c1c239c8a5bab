// Kernels over contiguous fp32 rows, vectorised and cloned per CPU level.
//
// Conventions
//   * `n`, `rows`, `cols` count elements; zero is allowed everywhere.
//   * A `stride` is the distance between rows (the leading dimension) in elements.
//   * With `bool accumulate` a backward kernel adds to its destination; without, it overwrites it.
//   * Reductions run in sixteen lanes that are added in one fixed tree, so a result depends on the
//     values and on the CPU level (`apus_cpu_level`), never on alignment or on the calling thread.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Hints to the core that the thread is in a spin-wait loop.
static inline void apus_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// cpu.c
/// The levels of x86-64 that the kernels are compiled for: SSE2, AVX2 with FMA, AVX-512.
enum { APUS_V1 = 1, APUS_V3 = 3, APUS_V4 = 4 };
extern int apus_chosen_level;
/// The level whose copies of the kernels run: the CPU's, or a lower one that the environment
/// variable APUS_CPU_LEVEL names.
static inline int apus_level(void) { return apus_chosen_level; }
/// Its name: "x86-64-v4", "x86-64-v3" or "default".
const char *apus_cpu_level(void);
/// The value of APUS_CPU_LEVEL if it names no level of this CPU, else NULL.
const char *apus_refused_cpu_level(void);

// elementwise.c
void apus_add(float *y, const float *a, const float *b, size_t n);
void apus_subtract(float *y, const float *a, const float *b, size_t n);
void apus_multiply(float *y, const float *a, const float *b, size_t n, bool accumulate);
void apus_scale(float *y, const float *x, float factor, size_t n, bool accumulate);
void apus_fill(float *y, float value, size_t n);
/// sums[c] (+)= Σ_r x[r·stride + c], rows in order.
void apus_column_sums(float *sums, const float *x, size_t stride, size_t rows, size_t cols,
                      bool accumulate);
/// Σ x, added in 64 bits.
double apus_sum(const float *x, size_t n);
/// Σ x², added in 64 bits.
double apus_sum_of_squares(const float *x, size_t n);
/// A checksum of the bits of x, the same on every CPU; any single flipped bit changes it.
uint64_t apus_checksum(const float *x, size_t n);

// peak.c
/// Computes fused multiply-adds of registers, `rounds` of each independent chain, and returns the
/// number of FLOPs: as fast as the core can compute at the level of the kernels.
double apus_multiply_adds(size_t rounds);

// bf16.c: bf16 numbers are stored as uint16_t.
/// y = x rounded to nearest, ties to even; NaN stays NaN.
void apus_round_bf16(uint16_t *y, const float *x, size_t n);
void apus_expand_bf16(float *y, const uint16_t *x, size_t n);
/// Rounds x to the nearest bf16 numbers in place, stored as fp32.
void apus_round(float *x, size_t n);
/// y += x.
void apus_add_bf16(float *y, const uint16_t *x, size_t n);

/// y[j] (+)= Σ_i x[i]·w[i·stride + j] over ascending i < `rows`, for j < n.
void apus_bf16_sum_rows(float *y, const float *x, const uint16_t *w, size_t stride, size_t n,
                        size_t rows, bool adds);

// skinny_gemm.c
/// True when the CPU has instructions that multiply and add pairs of bf16 numbers.
bool apus_has_bf16_products(void);
/// True when these have a higher throughput than fp32 multiply-adds.
bool apus_bf16_pairs_are_faster(void);
/// C (+)= A·B with bf16 A [m, k] and B, [k, n] or transposed [n, k], and fp32 C, for few rows m.
///
/// With `uses_pairs` it uses the bf16 pair instructions; otherwise the numbers are expanded to
/// fp32. An element's bits depend on `uses_pairs`, its k factors and the CPU level alone. `scratch`
/// has room for `apus_skinny_gemm_scratch` floats. k must not be 0.
void apus_skinny_gemm_bf16(float *c, size_t c_stride, const uint16_t *a, size_t a_stride,
                           const uint16_t *b, size_t b_stride, bool b_transposed, size_t m,
                           size_t n, size_t k, bool adds, bool uses_pairs, float *scratch);
/// The number of floats of scratch memory for a skinny GEMM.
size_t apus_skinny_gemm_scratch(size_t m, size_t k, bool uses_pairs);
/// C (+)= A·B as `apus_skinny_gemm_bf16`, with fp32 A and B; the size of `scratch` is the one
/// without `uses_pairs`.
void apus_skinny_gemm_fp32(float *c, size_t c_stride, const float *a, size_t a_stride,
                           const float *b, size_t b_stride, bool b_transposed, size_t m, size_t n,
                           size_t k, bool adds, float *scratch);

// activations.c
/// GELU, tanh form ("gelu_new"): x·σ(2√(2/π)(x + 0.044715x³)).
void apus_gelu(float *y, const float *x, size_t n);
void apus_gelu_backward(float *dx, const float *x, const float *dy, size_t n, bool accumulate);
/// Exact GELU: x·Φ(x), Φ the normal distribution function; the absolute error is below 4e-7.
void apus_gelu_exact(float *y, const float *x, size_t n);
void apus_gelu_exact_backward(float *dx, const float *x, const float *dy, size_t n,
                              bool accumulate);
/// tanh x, absolute error below 2e-7.
void apus_tanh(float *y, const float *x, size_t n);
/// dx (+)= dy·(1 − y²).
void apus_tanh_backward(float *dx, const float *y, const float *dy, size_t n, bool accumulate);
/// max(x, 0); NaN stays NaN.
void apus_relu(float *y, const float *x, size_t n);
/// The derivative at 0 is 0.
void apus_relu_backward(float *dx, const float *x, const float *dy, size_t n, bool accumulate);
/// SwiGLU: silu(gate)·up.
void apus_swiglu(float *y, const float *gate, const float *up, size_t n);
/// Adds to or overwrites each of the two gradients; either may be null.
void apus_swiglu_backward(float *dgate, bool gate_accumulate, float *dup, bool up_accumulate,
                          const float *gate, const float *up, const float *dy, size_t n);
/// GEGLU: gelu(gate)·up with the tanh form of GELU.
void apus_geglu(float *y, const float *gate, const float *up, size_t n);
void apus_geglu_backward(float *dgate, bool gate_accumulate, float *dup, bool up_accumulate,
                         const float *gate, const float *up, const float *dy, size_t n);

// normalisation.c
void apus_layer_norm(float *y, float *mean, float *inverse, const float *x, const float *gain,
                     const float *bias, size_t rows, size_t cols, float epsilon);
/// Adds to dgain and dbias. dgain and dbias may be null together, and dx may be null.
void apus_layer_norm_backward(float *dx, bool accumulate, float *dgain, float *dbias,
                              const float *dy, const float *x, const float *mean,
                              const float *inverse, const float *gain, size_t rows, size_t cols);
void apus_rms_norm(float *y, float *inverse, const float *x, const float *gain, size_t rows,
                   size_t cols, float epsilon);
/// Adds to dgain. dgain and dx may be null.
void apus_rms_norm_backward(float *dx, bool accumulate, float *dgain, const float *dy,
                            const float *x, const float *inverse, const float *gain, size_t rows,
                            size_t cols);

// softmax.c
/// Replaces logits by probabilities in place and writes losses[r] = −weights[r]·log p[targets[r]].
/// A row of weight 0 has loss 0 for any target. `weights` may be null (all 1).
void apus_cross_entropy(float *logits, float *losses, const int32_t *targets,
                        const float *weights, size_t rows, size_t cols);
/// Replaces probabilities by the gradient of Σ dlosses[r]·losses[r] with respect to the logits, in
/// place.
void apus_cross_entropy_backward(float *probabilities, const float *dlosses,
                                 const int32_t *targets, const float *weights, size_t rows,
                                 size_t cols);
/// For the softmax p of logits times `scale`: writes chosen[r] = log p[targets[r]] and the entropy
/// −Σ p·log p of every row. With `keep`, log-probabilities replace the logits in place. A row of
/// weight 0 is not changed and gets 0 for both results. `weights` may be null (all 1); nonzero
/// weights do not scale the results.
void apus_log_softmax(float *logits, bool keep, float *chosen, float *entropies,
                      const int32_t *targets, const float *weights, float scale, size_t rows,
                      size_t cols);
/// Replaces log-probabilities by the gradient of Σ dchosen[r]·chosen[r] +
/// dentropies[r]·entropies[r] with respect to the logits, in place.
void apus_log_softmax_backward(float *logs, const float *dchosen, const float *dentropies,
                               const float *entropies, const int32_t *targets,
                               const float *weights, float scale, size_t rows, size_t cols);

// attention.c: one block of query rows of one head; `stride` is the row stride of the block.
/// Row r attends to its first `first_limit + r` columns (capped at cols): softmax of the scaled
/// scores over these, zero beyond. Writes the log-sum-exp of each row.
void apus_attention_softmax(float *scores, float *log_sum_exps, size_t rows, size_t cols,
                            size_t stride, size_t first_limit, float scale);
/// Recomputes probabilities = exp(scale·score − log-sum-exp) in place, zero beyond the limit.
void apus_attention_probabilities(float *scores, const float *log_sum_exps, size_t rows,
                                  size_t cols, size_t stride, size_t first_limit, float scale);
/// dscores = scale·p·(dp − δ[r·delta_stride]), in place over dp.
void apus_attention_dscores(float *dp, const float *p, const float *delta, size_t delta_stride,
                            size_t rows, size_t cols, size_t stride, float scale);
/// scores = scale·score + bias, in place; column c of row r gets bias[c − r].
void apus_attention_bias(float *scores, const float *bias, size_t rows, size_t cols, size_t stride,
                         float scale);
/// dbias[c − r] += dscores at column c of row r.
void apus_attention_dbias(float *dbias, const float *dscores, size_t rows, size_t cols,
                          size_t stride);
/// δ[r] = Σ_d a[r, d]·b[r, d] over strided rows.
void apus_row_dots(float *delta, const float *a, size_t a_stride, const float *b, size_t b_stride,
                   size_t rows, size_t cols);
/// The number of positions in a group of keys of the KV cache: element e of position s has the
/// index (s / GROUP·width + e)·GROUP + s % GROUP.
enum { APUS_KEY_GROUP = 16 };
/// Stores rows x [rows, width] at the positions from `first` on.
void apus_place_keys(float *keys, const float *x, size_t first, size_t rows, size_t width);
void apus_place_keys_bf16(uint16_t *keys, const uint16_t *x, size_t first, size_t rows,
                          size_t width);
/// Copies the first `rows` positions to x [rows, width].
void apus_fetch_keys(float *x, const float *keys, size_t rows, size_t width);
void apus_fetch_keys_bf16(uint16_t *x, const uint16_t *keys, size_t rows, size_t width);
/// scores[s] = Σ_e q[e]·key[s, e] over ascending e, for s < `count`. Groups are `stride` elements
/// apart, and `scores` has room for `count` rounded up to full groups.
void apus_key_scores(float *scores, const float *q, const float *keys, size_t stride, size_t count,
                     size_t dim);
void apus_key_scores_bf16(float *scores, const float *q, const uint16_t *keys, size_t stride,
                          size_t count, size_t dim);
/// out[e] = Σ_s p[s]·values[s·stride + e] over ascending s < `count`.
void apus_weigh_values(float *out, const float *p, const float *values, size_t stride, size_t count,
                       size_t dim);
void apus_weigh_values_bf16(float *out, const float *p, const uint16_t *values, size_t stride,
                            size_t count, size_t dim);
/// Rotary position embedding of heads of size `dim` within rows (pairs i, i + dim/2). Row r uses
/// row positions[r] of the cosine and sine tables [position, dim/2]; `direction` −1 inverts the
/// rotation.
void apus_rotate(float *y, size_t y_stride, const float *x, size_t x_stride, const float *cosines,
                 const float *sines, const int32_t *positions, size_t rows, size_t heads,
                 size_t dim, float direction, bool accumulate);

// sampling.c
/// The largest of n numbers; −∞ when n is 0.
float apus_max(const float *x, size_t n);
/// The index of the first element equal to `value`; n if there is none.
size_t apus_index_of(const float *x, size_t n, float value);
/// Writes the indices of the elements ≥ `least` in ascending order and returns their number.
/// `indices` has room for n.
size_t apus_indices_at_least(int32_t *indices, const float *x, size_t n, float least);
/// y = exp((x − top)/temperature), 0 where x is NaN.
void apus_softmax_weights(float *y, const float *x, size_t n, float top, float temperature);

// embedding.c
/// y[r, :] = table[ids[r], :].
void apus_gather(float *y, const float *table, const int32_t *ids, size_t rows, size_t cols);
/// table[ids[r], :] += dy[r, :], rows in order.
void apus_scatter_add(float *table, const float *dy, const int32_t *ids, size_t rows, size_t cols);

// dropout.c
/// y (+)= x·scale where the element's word ≥ threshold, 0 elsewhere. The words are those of
/// Philox(key) from word `first` on (first % 4 == 0). y may be x.
void apus_dropout(float *y, const float *x, size_t n, uint32_t key0, uint32_t key1, uint64_t first,
                  uint32_t threshold, float scale, bool accumulate);
/// Writes words first ..< first + n of Philox 4×32-10 under the key (first % 4 == 0).
void apus_philox_words(uint32_t *words, size_t n, uint32_t key0, uint32_t key1, uint64_t first);

// optimizers.c
/// One AdamW update (Loshchilov & Hutter 2019) of parameters p with first moment m, second moment v
/// and gradient g, which is multiplied by `factor` first. correction1 = 1 − β1^t,
/// correction2 = 1 − β2^t; weight decay is decoupled.
void apus_adamw(float *p, float *m, float *v, const float *g, size_t n, float factor, float rate,
                float beta1, float beta2, float epsilon, float decay, float correction1,
                float correction2);
/// One SGD update with momentum as in PyTorch: m = μm + (factor·g + decay·p); p −= rate·m. `m` is
/// null without momentum.
void apus_sgd(float *p, float *m, const float *g, size_t n, float factor, float rate,
              float momentum, float decay);
/// One SGD update with Nesterov momentum as in PyTorch: m = μm + factor·g;
/// p −= rate·(factor·g + μm).
void apus_nesterov(float *p, float *m, const float *g, size_t n, float factor, float rate,
                   float momentum);
