// Activation functions and their derivatives.
//
// Tanh form of GELU: with u = √(2/π)(x + 0.044715x³) it is x·σ(2u), because (1 + tanh u)/2 = σ(2u).
// Its derivative is s + x·s(1 − s)·2u′ with s = σ(2u). SiLU is x·σ(x).
//
// Exact GELU is x·Φ(x). With e = exp(−z²/2) and t = 1/(1 + 0.305z) the tail Φ(−z) is e·P(t) for
// z ≥ 0 (the form of Abramowitz & Stegun 7.1.26). P is a polynomial of degree 8 without a constant
// term, fitted to a relative error below 1e-7 for z ≤ 13; for larger z, e underflows to 0. The
// derivative is Φ + x·e/√2π.
#include "vector.h"

#define GELU_2U(x) ((x) * (1.5957691216057308f + 0.07135481627f * (x) * (x)))
#define GELU_2DU(x) (1.5957691216057308f + 0.21406444881f * (x) * (x))

KERNEL(void, apus_gelu,
       (float *y, const float *x, size_t n),
       (y, x, n)) {
  FOR_VECTORS(n, {
    vf v = GET(x);
    PUT(y, v * VSIGMOID(GELU_2U(v)));
  });
}

KERNEL(void, apus_gelu_backward,
       (float *dx, const float *x, const float *dy, size_t n, bool accumulate),
       (dx, x, dy, n, accumulate)) {
  FOR_VECTORS(n, {
    vf v = GET(x);
    vf s = VSIGMOID(GELU_2U(v));
    vf d = GET(dy) * (s + v * s * (1.0f - s) * GELU_2DU(v));
    if (accumulate) d += GET(dx);
    PUT(dx, d);
  });
}

#define NORMAL_CDF(x, e)                                                                           \
  ({                                                                                               \
    vf t_ = 1.0f / (1.0f + 0.305f * VMAX((x), -(x)));                                              \
    vf p_ = (vf)0.036699295f;                                                                      \
    p_ = p_ * t_ - 0.152988747f;                                                                   \
    p_ = p_ * t_ + 0.185717642f;                                                                   \
    p_ = p_ * t_ - 0.0379774943f;                                                                  \
    p_ = p_ * t_ + 0.121022023f;                                                                   \
    p_ = p_ * t_ + 0.103420772f;                                                                   \
    p_ = p_ * t_ + 0.122466832f;                                                                   \
    p_ = p_ * t_ + 0.121639729f;                                                                   \
    vf tail_ = (e) * (p_ * t_);                                                                    \
    vi negative_ = (x) < 0.0f;                                                                     \
    (vf)(((vi)tail_ & negative_) | ((vi)(1.0f - tail_) & ~negative_));                             \
  })

KERNEL(void, apus_gelu_exact,
       (float *y, const float *x, size_t n),
       (y, x, n)) {
  FOR_VECTORS(n, {
    vf v = GET(x);
    vf e = VEXP(-0.5f * v * v);
    PUT(y, v * NORMAL_CDF(v, e));
  });
}

KERNEL(void, apus_gelu_exact_backward,
       (float *dx, const float *x, const float *dy, size_t n, bool accumulate),
       (dx, x, dy, n, accumulate)) {
  FOR_VECTORS(n, {
    vf v = GET(x);
    vf e = VEXP(-0.5f * v * v);
    vf d = GET(dy) * (NORMAL_CDF(v, e) + v * e * 0.398942280f);
    if (accumulate) d += GET(dx);
    PUT(dx, d);
  });
}

// tanh x = 2σ(2x) − 1.
KERNEL(void, apus_tanh,
       (float *y, const float *x, size_t n),
       (y, x, n)) {
  FOR_VECTORS(n, { PUT(y, 2.0f * VSIGMOID(2.0f * GET(x)) - 1.0f); });
}

KERNEL(void, apus_tanh_backward,
       (float *dx, const float *y, const float *dy, size_t n, bool accumulate),
       (dx, y, dy, n, accumulate)) {
  FOR_VECTORS(n, {
    vf v = GET(y);
    vf d = GET(dy) * (1.0f - v * v);
    if (accumulate) d += GET(dx);
    PUT(dx, d);
  });
}

KERNEL(void, apus_relu,
       (float *y, const float *x, size_t n),
       (y, x, n)) {
  FOR_VECTORS(n, {
    vf v = GET(x);
    vi negative = v < 0;
    PUT(y, (vf)((vi)v & ~negative));
  });
}

KERNEL(void, apus_relu_backward,
       (float *dx, const float *x, const float *dy, size_t n, bool accumulate),
       (dx, x, dy, n, accumulate)) {
  FOR_VECTORS(n, {
    vi flat = GET(x) <= 0;
    vf d = (vf)((vi)GET(dy) & ~flat);
    if (accumulate) d += GET(dx);
    PUT(dx, d);
  });
}

// Gated products (g·s)·up, where g is the gate and s a sigmoid of it.
#define GATED(sigmoid)                                                                             \
  FOR_VECTORS(n, {                                                                                 \
    vf g = GET(gate);                                                                              \
    PUT(y, g * (sigmoid) * GET(up));                                                               \
  })

#define GATED_BACKWARD(sigmoid, derivative)                                                        \
  FOR_VECTORS(n, {                                                                                 \
    vf g = GET(gate);                                                                              \
    vf d = GET(dy);                                                                                \
    vf s = sigmoid;                                                                                \
    if (dgate) {                                                                                   \
      vf dg = d * GET(up) * (derivative);                                                          \
      if (gate_accumulate) dg += GET(dgate);                                                       \
      PUT(dgate, dg);                                                                              \
    }                                                                                              \
    if (dup) {                                                                                     \
      vf du = d * g * s;                                                                           \
      if (up_accumulate) du += GET(dup);                                                           \
      PUT(dup, du);                                                                                \
    }                                                                                              \
  })

KERNEL(void, apus_swiglu,
       (float *y, const float *gate, const float *up, size_t n),
       (y, gate, up, n)) {
  GATED(VSIGMOID(g));
}

KERNEL(void, apus_swiglu_backward,
       (float *dgate, bool gate_accumulate, float *dup, bool up_accumulate, const float *gate,
        const float *up, const float *dy, size_t n),
       (dgate, gate_accumulate, dup, up_accumulate, gate, up, dy, n)) {
  GATED_BACKWARD(VSIGMOID(g), s + g * s * (1.0f - s));
}

KERNEL(void, apus_geglu,
       (float *y, const float *gate, const float *up, size_t n),
       (y, gate, up, n)) {
  GATED(VSIGMOID(GELU_2U(g)));
}

KERNEL(void, apus_geglu_backward,
       (float *dgate, bool gate_accumulate, float *dup, bool up_accumulate, const float *gate,
        const float *up, const float *dy, size_t n),
       (dgate, gate_accumulate, dup, up_accumulate, gate, up, dy, n)) {
  GATED_BACKWARD(VSIGMOID(GELU_2U(g)), s + g * s * (1.0f - s) * GELU_2DU(g));
}
